package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
)

// hasManagers lets password managers replace the browser's functions on pages that are opened
// from now on: see testdata/managers.js.
func (b *browser) hasManagers() {
	b.t.Helper()
	script, err := os.ReadFile("testdata/managers.js")
	if err != nil {
		b.t.Fatal(err)
	}
	b.runsFirst(string(script))
}

// blocks makes requests fail whose address matches, until back is called.
func (b *browser) blocks(pattern string) (back func()) {
	b.t.Helper()
	set := func(patterns ...*network.BlockPattern) {
		if _, err := chromedp.Call(b.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns}); err != nil {
			b.t.Fatal(err)
		}
	}
	set(&network.BlockPattern{URLPattern: pattern, Block: true})
	return func() { set() }
}

// uses chooses the password manager of testdata/managers.js, or "the browser".
func (b *browser) uses(manager string) {
	b.t.Helper()
	value[bool](b, `(() => { sessionStorage.setItem("manager", `+quoted(manager)+`); globalThis.asked = 0; return true; })()`)
}

// TestCredentialScript compares what the script makes of each manager's credential with what
// the browser itself would send.
func TestCredentialScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s, whole)
	ann.hasDevice()
	ann.cannotAutofill()
	ann.hasManagers()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.opens("/")
	ann.signsOut()
	ann.waitsFor("the page's script", `typeof keypegCredentials === "object"`)

	names := value[[]string](ann, `managers.credentials`)
	if len(names) < 25 {
		t.Fatalf("managers: %q", names)
	}
	const creation = `{challenge: "AAAAAAAAAAAAAAAAAAAAAA", rp: {id: "localhost", name: "x"}, user: {id: "AAAA", name: "x", displayName: "x"},
		pubKeyCredParams: [{type: "public-key", alg: -7}], authenticatorSelection: {residentKey: "required", userVerification: "required"},
		excludeCredentials: [{type: "public-key", id: "AAAA"}]}`
	const request = `{challenge: "AAAAAAAAAAAAAAAAAAAAAA", rpId: "localhost", userVerification: "required"}`
	for _, name := range names {
		ann.uses(name)
		for method, options := range map[string]string{"create": creation, "get": request} {
			wrong := value[string](ann, `(async () => {
				try {
					const made = await keypegCredentials.`+method+`(`+options+`);
					const want = managers.written;
					for (const name of ["id", "rawId", "type"]) if (made[name] !== want[name]) return name + ": " + made[name];
					for (const name of `+responses[method]+`) if (made.response[name] !== want.response[name]) return name + ": " + made.response[name];
					const known = ["id", "rawId", "type", "authenticatorAttachment", "clientExtensionResults", "response", "credProps"];
					for (const name of [...Object.keys(made), ...Object.keys(made.clientExtensionResults)]) if (!known.includes(name)) return "it has " + name;
					return JSON.stringify(JSON.parse(JSON.stringify(made))) === JSON.stringify(made) ? "" : "it isn't JSON";
				} catch (error) {
					return "it fails: " + error.name + " " + error.stack;
				}
			})()`)
			if wrong != "" {
				t.Errorf("%s, %s: %s", name, method, wrong)
			}
		}
	}

	// Whatever is thrown or returned instead becomes an error with a name, within a time.
	for _, name := range value[[]string](ann, `managers.failures`) {
		want := "UnknownError false"
		switch {
		case name == "never":
			want = "AbortError false"
		case strings.HasSuffix(name, "credential is given"), name == "a text is given", name == "a password is given":
			want = "DataError true"
		case strings.HasPrefix(name, "null is given"), strings.HasPrefix(name, "undefined is given"), name == "undefined is returned":
			want = "NotAllowedError false"
		}
		ann.uses(name)
		got := value[string](ann, `(async () => {
			const leaves = new AbortController();
			if (`+quoted(name)+` === "never") leaves.abort();
			try {
				return JSON.stringify(await keypegCredentials.get(`+request+`, { signal: leaves.signal }));
			} catch (error) {
				return error.name + " " + error.chosen;
			}
		})()`)
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}

	t.Run("a question without an answer counts as no", func(t *testing.T) {
		for what, answer := range map[string]string{
			"no function": `undefined`, "never": `() => new Promise(() => {})`, "throws": `() => { throw undefined }`,
			"rejects": `() => Promise.reject()`, "a text": `async () => "yes"`,
		} {
			if value[bool](ann, `(() => { PublicKeyCredential.question = `+answer+`; return keypegCredentials.can("question"); })()`) {
				t.Errorf("%s: yes", what)
			}
		}
		if !value[bool](ann, `(() => { PublicKeyCredential.question = async () => true; return keypegCredentials.can("question"); })()`) {
			t.Error("yes isn't yes")
		}
	})
}

// responses are the members of a response that matter.
var responses = map[string]string{
	"create": `["clientDataJSON", "attestationObject"]`,
	"get":    `["clientDataJSON", "authenticatorData", "signature", "userHandle"]`,
}

const (
	providerProblem = "Your passkey provider reported a problem. (Reference "
	mayBeKept       = "Your password manager may have kept a passkey that doesn't work here. If you see one there, delete it."
)

// TestPasswordManagers uses passkeys in every place, with managers whose credentials differ
// from those of browsers.
func TestPasswordManagers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	again := ann.cannotAutofill()
	ann.hasManagers()
	ann.setsUp()

	t.Run("the panel", func(t *testing.T) {
		ann.opensPasskeys()
		ann.uses("an empty credential is given")
		ann.clicks("#passkey-add")
		ann.clicks("#passkey-register")
		ann.readsIn(".panel-add .notice", providerProblem+"DataError) "+mayBeKept)

		ann.uses("never")
		ann.clicks("#passkey-register")
		ann.reads("Follow your browser")
		ann.clicks("#passkey-add-cancel")
		ann.uses("toJSON throws")
		ann.addsPasskey("Laptop")
		ann.opens("/")
		ann.readsIn("#way-passkeys li:first-child", "1 passkey")
		ann.signsOut()
	})

	t.Run("the sign-in page's button", func(t *testing.T) {
		for _, failure := range value[[]string](ann, `managers.failures`) {
			ann.uses(failure)
			ann.clicks("#use-passkey")
			if failure == "never" {
				ann.waitsFor("the manager to be asked", `asked > 0`)
				ann.clicks("#cancel-passkey")
				ann.hasFocusOn("#use-passkey")
				ann.seesNo("#refusal")
			} else {
				ann.waitsFor("a sentence about "+failure, `/problem|No passkey|cancelled/.test(document.getElementById("refusal").textContent)`)
			}
			ann.seesNo("#cancel-passkey")
			ann.waitsFor("the button to be ready", `!document.getElementById("use-passkey").disabled`)
		}
		ann.uses("no methods, no attachment")
		ann.clicks("#use-passkey")
		ann.isAt("/")
		ann.signsOut()
	})

	t.Run("autofill", func(t *testing.T) {
		again()
		laptop.touches(false)
		ann.uses("an empty credential is given")
		ann.opens("/sign-in")
		ann.readsIn("#refusal", providerProblem+"DataError)") // somebody had picked a passkey

		ann.uses("never")
		ann.opens("/sign-in")
		ann.waitsFor("autofill to wait", `asked === 1`)
		ann.seesNo("#refusal")
		laptop.touches(true)
		ann.uses("toJSON throws")
		ann.clicks("#use-passkey") // which ends the one that never settles
		ann.isAt("/")
		laptop.touches(false) // else she is signed in again before anybody has seen the page
		ann.signsOut()
		laptop.touches(true)
		ann.opens("/sign-in") // and autofill signs in again, with what throws from toJSON
		ann.isAt("/")
		ann.sees("#user-menu-button")
		ann.cannotAutofill()
	})

	t.Run("a question without an answer doesn't delay the button", func(t *testing.T) {
		never := ann.runsFirst(`PublicKeyCredential.isConditionalMediationAvailable = () => new Promise(() => {})`)
		defer never()
		ann.signsOut()
		ann.clicks("#use-passkey")
		ann.isAt("/")
		ann.sees("#user-menu-button")
	})

	t.Run("the page of a link", func(t *testing.T) {
		ann.opensUsers()
		link := ann.invites("carl", "Carl Carpenter")
		carl, _ := openAnothersBrowser(t, s)
		carl.hasManagers()
		carl.opensLink(link, "Welcome, Carl Carpenter")
		carl.uses("an empty credential is given")
		carl.clicks("#use-passkey")
		carl.readsIn("#refusal", providerProblem+"DataError) "+mayBeKept)
		carl.uses("undefined is thrown")
		carl.clicks("#use-passkey")
		carl.readsIn("#refusal", providerProblem+"UnknownError)")

		// As in the panel, where app/ceremony's tests hold it to the same list.
		carl.uses("base64 with padding")
		value[bool](carl, `(() => {
			const send = fetch, { finish } = document.getElementById("enrol").dataset;
			globalThis.fetch = (path, how) =>
				path === finish && globalThis.refuses ? Promise.resolve(new Response(JSON.stringify({ code: refuses, detail: "Refused as " + refuses + "." }), { status: 400 })) : send(path, how);
			return true;
		})()`)
		for _, code := range append([]shared.Code{shared.CodeCeremonyRefused, shared.CodeInvalidPassword, shared.CodeTooManyPasskeys}, shared.MayBeRegistered...) {
			want := fmt.Sprintf("Refused as %s.", code)
			if !slices.Contains(shared.MayBeRegistered, code) {
				want += " " + mayBeKept
			}
			value[bool](carl, `(globalThis.refuses = `+quoted(string(code))+`, true)`)
			carl.clicks("#use-passkey")
			carl.readsIn("#refusal", want)
		}
		value[bool](carl, `(globalThis.refuses = "", true)`)
		carl.enrols()
		carl.uses("toJSON gives half of it")
		carl.clicks("#use-passkey")
		carl.isAt("/")
	})
}

// TestPasswordManagersConfirm confirms with a password manager.
func TestPasswordManagersConfirm(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	ann.hasDevice()
	ann.hasManagers()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.growsOld()
	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.uses("a nameless object is thrown")
	ann.clicks("#confirm-passkey")
	ann.readsIn("#confirm .notice-bad", providerProblem+"UnknownError)")
	ann.uses("never")
	ann.clicks("#confirm-passkey")
	ann.readsIn("#confirm-passkey", "One moment…")
	ann.clicks("#confirm-cancel")
	ann.seesNo("#confirm")
	ann.clicks("#remove-ok")
	ann.uses("no prototype")
	ann.clicks("#confirm-passkey")
	ann.reads("No passkeys yet")
}

// TestPasswordManagersInAProgram uses them in a host program, which serves the script itself.
func TestPasswordManagersInAProgram(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	ann := openBrowser(t, c.server)
	ann.hasDevice()
	ann.cannotAutofill()
	ann.hasManagers()
	ann.entersCrib(c, "ann")
	ann.opensPasskeysInCrib()
	ann.uses("toJSON throws undefined")
	ann.addsPasskey("Laptop")
	ann.opens("/")
	ann.leavesCrib()

	ann.uses("never")
	ann.clicks("#sign-in-passkey")
	ann.waitsFor("the manager to be asked", `asked > 0`)
	ann.clicks("#sign-in-cancel")
	ann.seesNo("#sign-in-cancel")
	ann.uses("null is thrown")
	ann.clicks("#sign-in-passkey")
	ann.readsIn(".notice-bad", providerProblem+"UnknownError) Whom to ask: the keeper of the crib")
	ann.uses("an own prototype")
	ann.clicks("#sign-in-passkey")
	ann.isAt("/")
	ann.leavesCrib()

	t.Run("without its script a page says so, and the next try loads it", func(t *testing.T) {
		ann.opens("/sign-in")
		ann.uses("the browser")
		blocked := ann.blocks("*://*:*/api/v1/credential.js")
		ann.clicks("#sign-in-passkey")
		ann.readsIn(".notice-bad", "Part of this page couldn't be loaded. Reload it; if that doesn't help, contact IT. Whom to ask: the keeper of the crib")
		blocked()
		ann.clicks("#sign-in-passkey")
		ann.isAt("/")
	})
}
