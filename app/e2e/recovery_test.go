package e2e

import (
	"slices"
	"strings"
	"testing"
)

// TestRecoveryCodes signs in with a recovery code after every other sign-in method is lost.
func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.reads("None yet.")
	ann.clicks("#method-recovery-codes")
	ann.sees("#codes")
	ann.hasFocusOn("#codes-lead") // the beginning, also on a low screen
	codes := value[[]string](ann, `[...document.querySelectorAll("#codes code")].map((c) => c.textContent)`)
	if len(codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != 10 {
		t.Fatalf("codes: %v", codes)
	}

	// They can be kept as a file and on paper, and go by their button only.
	value[bool](ann, `window.print = () => { window.printed = true; }, window.made = URL.createObjectURL,
		URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return window.made.call(URL, blob); }, true`)
	ann.clicks("#codes-download")
	ann.waitsFor("the file", `window.saved?.includes("Recovery codes of ann for Keypeg.") && `+quoted(strings.Join(codes, "\n"))+`.split("\n").every((c) => window.saved.includes(c))`)
	ann.clicks("#codes-print")
	ann.waitsFor("the printer", `window.printed`)
	ann.keepsOpen("#codes", "#codes-print")
	ann.clicks("#codes-done")
	ann.seesNo("#codes")
	ann.hasFocusOn("#method-recovery-codes")
	ann.reads("10 of 10 left")
	for _, code := range codes {
		if traces := ann.traces(code); len(traces) != 0 {
			t.Fatalf("a code is left behind: %q", traces)
		}
	}

	// On another machine, with the paper.
	other := openBrowser(t, s)
	other.hasDevice()
	other.opens("/sign-in")
	other.clicks(`a[href="/recovery"]`)
	other.isAt("/recovery")
	other.types("input[name=name]", "ann")
	other.types("input[name=code]", "wrong-code")
	other.clicks("form button")
	other.reads("The user name or the recovery code is not right.")
	other.types("input[name=code]", strings.ToLower(codes[0]))
	other.clicks("form button")
	other.isAt("/")
	other.reads("9 of 10 left")
	ann.reads("9 of 10 left")                                                // at once
	other.reads("You signed in with a recovery code, which is used up now.") // as was promised
	other.opensPasskeys()
	other.addsPasskey("New laptop")
	other.opens("/")
	other.reads("9 of 10 left")
	other.seesNo("#offer")
	other.opens("/activity")
	other.reads("Signed in with a recovery code")
	other.reads("A sign-in failed")
	other.hasNoComplaints()

	again := openBrowser(t, s)
	again.opens("/recovery")
	again.types("input[name=name]", "ann")
	again.types("input[name=code]", codes[0])
	again.clicks("form button")
	again.reads("The user name or the recovery code is not right.")
}
