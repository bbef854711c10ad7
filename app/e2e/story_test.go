package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

func TestTheMainStory(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s, whole)
	laptop := ann.hasDevice()

	// The first administrator, and a passkey with a name.
	ann.setsUp()
	ann.reads("Sign in faster next time")
	ann.clicks("#offer-add")
	ann.isAt("/passkeys")
	ann.hasFocusOn("#passkey-name")
	ann.types("#passkey-name", "Work laptop")
	ann.clicks("#passkey-register")
	ann.readsIn(row(1, ".row-name bdi"), "Work laptop")
	ann.readsIn(".panel .spoken", "“Work laptop” was added.")
	ann.reads("On one device")
	if n := laptop.holds(); n != 1 {
		t.Fatalf("the device holds %d passkeys, want 1", n)
	}

	// X closes, and the focus returns to her name.
	ann.clicks("#passkeys-close")
	ann.isAt("/")
	ann.seesNo("dialog.panel")
	ann.hasFocusOn("#user-menu-button")
	ann.readsIn("#way-passkeys li:first-child", "1 passkey")
	ann.seesNo("#offer")

	// She signs out, and in again by the button. The button shows that it works while
	// autofill ends. Nobody touches the device here, so she starts again without autofill,
	// which would answer first.
	laptop.touches(false)
	ann.signsOut()
	ann.clicks("#use-passkey")
	ann.readsIn("#use-passkey", "One moment…")
	autofills := ann.cannotAutofill()
	ann.opens("/sign-in")
	laptop.touches(true)
	ann.clicks("#use-passkey")
	ann.isAt("/")
	autofills()
	ann.readsIn("#user-menu-button", "Ann Admin")
	ann.opensPasskeys()
	ann.reads("You signed in with it")
	ann.presses(escape)
	ann.seesNo("dialog.panel")

	// She signs out, and in again by autofill, without a click. The device must be ready
	// for her finger when the page loads: a later change doesn't reach it.
	laptop.touches(false)
	ann.signsOut()
	laptop.touches(true)
	ann.opens("/sign-in")
	ann.isAt("/")
	ann.sees("#user-menu-button")

	// A second passkey without a name gets the name of the browser. A device has one
	// passkey for an account, so this is another device.
	laptop.isTakenAway()
	phone := ann.hasDevice()
	ann.opensPasskeys()
	ann.addsPasskey("")
	second := value[string](ann, `document.querySelector(`+quoted(row(2, "bdi"))+`).innerText`)
	if !strings.HasSuffix(second, "Chrome on Linux") { // "Headless" before it
		t.Errorf("the nameless passkey is called %q, want the browser and its system", second)
	}

	// The same device again: a sentence says that it has one.
	ann.clicks("#passkey-add")
	ann.clicks("#passkey-register")
	ann.readsIn(".panel-add .notice", "This device already has a passkey for your account.")
	ann.seesNo(".row.lit") // which of the two it is, nobody knows
	ann.clicks("#passkey-add-cancel")
	ann.seesNo("#passkey-name")
	ann.hasFocusOn("#passkey-add")

	// Rename: a name that is taken, then a good one.
	ann.clicks(row(2, "[id^=rename-]"))
	ann.hasFocusOn(row(2, "input"))
	ann.types(row(2, "input"), "work LAPTOP")
	ann.presses(enter)
	ann.reads("Another of your passkeys has this name.")
	ann.types(row(2, "input"), "Phone <b>bold</b>")
	ann.clicks(row(2, "[id^=save-]"))
	ann.readsIn(row(2, ".row-name bdi"), "Phone <b>bold</b>")
	ann.hasFocusOn(row(2, "[id^=rename-]"))

	// Remove: Cancel, then OK.
	ann.clicks(row(2, "[id^=remove-]"))
	ann.readsIn("#remove-title", "Remove “Phone <b>bold</b>”?")
	ann.reads("It may stay in your password manager: delete it there too.")
	ann.hasFocusOn("#remove-cancel")
	ann.clicks("#remove-cancel")
	ann.seesNo("#remove")
	ann.hasFocusOn(row(2, "[id^=remove-]"))
	ann.sees(row(2, "bdi"))
	ann.clicks(row(2, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.seesNo(row(2, "bdi"))
	ann.hasFocusOn(row(1, "[id^=rename-]"))
	ann.readsIn(".panel .spoken", "“Phone <b>bold</b>” was removed.")
	phone.comesToHold("none after the signal that it was removed", func(held []*webauthn.Credential) bool { return len(held) == 0 })

	// The removed passkey doesn't sign in.
	ann.clicks("#passkeys-close")
	ann.seesNo("dialog.panel")
	ann.signsOut()
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", notHere)
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", cancelled)
	ann.hasNoComplaints()
}

func TestTheLastWayToSignInStays(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Only")

	// The dialog says that she will sign in with her password.
	ann.clicks(row(1, "[id^=remove-]"))
	ann.reads("You'll sign in with your password.")
	ann.hasFocusOn("#remove-cancel")
	ann.presses(escape)
	ann.seesNo("#remove")
	ann.sees("dialog.panel")

	// Without a password, the passkey is the last sign-in method, and its session has ended.
	laptop.touches(false)
	s.command(t, "", "user", "passwd", "ann", "--remove")
	ann.isAt("/sign-in?next=%2Fpasskeys")
	laptop.touches(true)
	ann.opens("/passkeys")
	ann.isAt("/passkeys")
	ann.reads("This is your only way to sign in")
	if !value[bool](ann, `document.querySelector("[id^=remove-]").disabled`) {
		t.Error("the last way to sign in can be removed")
	}
	laptop.isTakenAway()
	ann.hasDevice()
	ann.clicks("[id^=another-]")
	ann.hasFocusOn("#passkey-name")
	ann.clicks("#passkey-register")
	ann.hasFocusOn(row(2, "input"))
	ann.presses(escape)
	ann.sees(row(2, "bdi"))
	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.seesNo(row(2, "bdi"))
	ann.reads("This is your only way to sign in")
	ann.hasNoComplaints()
}

func TestOnesOwnPasskeysOnly(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Hers")
	hers := value[string](ann, `document.querySelector(`+quoted(row(1, ""))+`).id.replace("passkey-", "")`)

	s.command(t, annsPassword+"\n", "user", "add", "bob", "--display-name", "Bob")
	bob := openBrowser(t, s)
	bob.hasDevice()
	bob.signsInWithPassword("bob", annsPassword)
	bob.opensPasskeys()
	bob.reads("No passkeys yet")
	for _, try := range []string{
		`fetch("/api/v1/passkeys/` + hers + `", { method: "DELETE" }).then((r) => r.status)`,
		`fetch("/api/v1/passkeys/` + hers + `", { method: "PATCH", headers: { "Content-Type": "application/json" }, body: '{"name":"Mine"}' }).then((r) => r.status)`,
	} {
		if status := value[int](bob, try); status != 404 {
			t.Errorf("%s: got %d, want 404", try, status)
		}
	}
	bob.addsPasskey("His")
	bob.readsIn(row(1, "bdi"), "His")
	ann.opens("/passkeys")
	ann.readsIn(row(1, "bdi"), "Hers")
	ann.seesNo(row(2, "bdi"))
}

// TestSomebodyElseSignsIn: another user signs in, in another tab. An open page ends then, since
// what was begun on it was for another account.
func TestSomebodyElseSignsIn(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	s.command(t, annsPassword+"\n", "user", "add", "bob", "--display-name", "Bob")
	ann.opensPasskeys()
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Hers")
	// Nobody waits for the answer, since the page may leave before that is read.
	value[bool](ann, `fetch("/api/v1/sign-in/password", { method: "POST", headers: { "Content-Type": "application/json" }, keepalive: true,
		body: JSON.stringify({ name: "bob", password: "`+annsPassword+`" }) }), true`)
	// Whether the page asks before or after its browser has bob's cookie decides which page of his it is.
	ann.readsIn("#user-menu-button", "Bob")
	ann.seesNo("#passkey-name")
	ann.hasNoComplaints()
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--contact", "IT desk, phone 1234")
	ann := openBrowser(t, s)
	finger := ann.hasDevice()

	t.Run("a wrong password", func(t *testing.T) {
		ann.setsUp()
		ann.signsOut()
		ann.fillsInPassword("ann", "wrong")
		ann.readsIn("#refusal", "The user name or the password is not right.")
		ann.hasFocusOn("input[name=password]")
		ann.reads("Need help? IT desk, phone 1234")
	})
	t.Run("no passkey on this device", func(t *testing.T) {
		ann.opens("/sign-in")
		ann.clicks("#use-passkey")
		ann.readsIn("#refusal", notHere)
		ann.clicks("#use-passkey")
		ann.readsIn("#refusal", cancelled)
		ann.readsIn("#use-passkey", "Sign in with a passkey")
	})
	t.Run("a ceremony that the user ends, and then one that works", func(t *testing.T) {
		ann.fillsInPassword("ann", annsPassword)
		ann.isAt("/")
		ann.opensPasskeys()
		ann.clicks("#passkey-add")
		ann.types("#passkey-name", "Laptop")
		finger.recognises(false)
		ann.clicks("#passkey-register")
		ann.readsIn(".panel-add .notice", "Nothing was saved. The prompt was closed or timed out.")
		finger.recognises(true)
		ann.clicks("#passkey-register")
		ann.readsIn(row(1, "bdi"), "Laptop")
		ann.clicks("#passkey-try-end")
	})
	t.Run("a name that can't be shown is refused before the browser asks for a finger", func(t *testing.T) {
		ann.clicks("#passkey-add")
		ann.pastes("#passkey-name", "right\u202eleft")
		ann.clicks("#passkey-register")
		ann.readsIn(".panel-add .notice", "This name has characters that can't be shown. Please leave them out.")
	})
}

func TestConfirmingInPlace(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()

	// With a password: a wrong one, Cancel, and the right one.
	ann.growsOld()
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Laptop")
	ann.clicks("#passkey-register")
	ann.reads("Confirm that it's you")
	ann.seesNo("#confirm-passkey")
	ann.types("#confirm-password", "wrong")
	ann.presses(enter)
	ann.reads("This password is not right.")
	ann.clicks("#confirm-cancel")
	ann.seesNo("#confirm")
	ann.sees("#passkey-name")
	ann.clicks("#passkey-register")
	ann.types("#confirm-password", annsPassword)
	ann.presses(enter)
	ann.readsIn(row(1, "bdi"), "Laptop")
	if n := laptop.holds(); n != 1 {
		t.Errorf("the device holds %d passkeys, want 1", n)
	}

	// With a passkey, and then the removal goes on where it was.
	ann.growsOld()
	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.clicks("#confirm-passkey")
	ann.reads("No passkeys yet")

	// Listing and renaming need no confirmation.
	ann.addsPasskey("Again")
	ann.growsOld()
	ann.clicks(row(1, "[id^=rename-]"))
	ann.types(row(1, "input"), "Renamed")
	ann.presses(enter)
	ann.readsIn(row(1, "bdi"), "Renamed")
	ann.hasNoComplaints()
}

func TestKeyboardAndAddresses(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()

	t.Run("the menu opens, moves and closes by keys", func(t *testing.T) {
		ann.clicks("#user-menu-button")
		ann.hasFocusOn("#menu-passkeys")
		ann.presses(down)
		ann.hasFocusOn("#menu-sessions")
		ann.presses(up)
		ann.hasFocusOn("#menu-passkeys")
		ann.presses(up)
		ann.hasFocusOn("#menu-language-ja")
		ann.presses(escape)
		ann.seesNo("#user-menu")
		ann.hasFocusOn("#user-menu-button")
		ann.presses(down)
		ann.hasFocusOn("#menu-passkeys")
		ann.presses(enter)
		ann.isAt("/passkeys")
	})
	t.Run("the focus goes into the panel, and Escape closes it", func(t *testing.T) {
		ann.waitsFor("the focus in the panel", `document.activeElement?.closest("dialog.panel") !== null`)
		ann.presses(escape)
		ann.isAt("/")
		ann.seesNo("dialog.panel")
		ann.hasFocusOn("#user-menu-button")
	})
	t.Run("the panel has an address: Back, Forward and reload", func(t *testing.T) {
		ann.opensPasskeys()
		ann.goes("back")
		ann.seesNo("dialog.panel")
		ann.goes("forward")
		ann.sees("dialog.panel")
		ann.waitsFor("the title", `document.title === "Passkeys · Keypeg"`)
		ann.opens("/passkeys")
		ann.sees("dialog.panel")
		ann.reads("No passkeys yet")
	})
	t.Run("an ended session leads to the sign-in page, and back", func(t *testing.T) {
		s.command(t, annsPassword+"\n", "user", "passwd", "ann")
		ann.isAt("/sign-in?next=%2Fpasskeys")
		ann.fillsInPassword("ann", annsPassword)
		ann.isAt("/passkeys")
		ann.sees("dialog.panel")
	})
	t.Run("a click beside the menu closes it", func(t *testing.T) {
		ann.clicks("#passkeys-close")
		ann.seesNo("dialog.panel")
		ann.clicks("#user-menu-button")
		ann.clicks(".menu-behind")
		ann.seesNo("#user-menu")
	})
	t.Run("Not now puts the offer away, also after a reload", func(t *testing.T) {
		ann.clicks("#offer-not-now")
		ann.seesNo("#offer")
		ann.opens("/")
		ann.sees("#manage")
		ann.seesNo("#offer")
	})
	ann.hasNoComplaints()
}
