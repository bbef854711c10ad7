package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

func TestAddingPasskeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()

	t.Run("a passkey without a name can be named right away", func(t *testing.T) {
		ann.clicks("#passkey-add")
		ann.clicks("#passkey-register")
		ann.hasFocusOn(row(1, "input"))
		ann.sees(rows + " > li.lit")
		ann.presses("Laptop")
		ann.presses(enter)
		ann.readsIn(row(1, "bdi"), "Laptop")
		ann.hasFocusOn(row(1, "[id^=rename-]"))
		ann.reads("“Laptop” signs you in from now on.")
		ann.clicks("#passkey-try-end")
		ann.hasFocusOn("#passkey-add")
	})
	t.Run("a cancelled registration adds nothing", func(t *testing.T) {
		for what, givesUp := range map[string]func(){
			"Cancel": func() { ann.clicks("#passkey-add-cancel") },
			"X":      func() { ann.clicks("#passkeys-close"); ann.isAt("/"); ann.opensPasskeys() },
		} {
			key := ann.hasDeviceWith(func(o *webauthn.VirtualAuthenticatorOptions) {
				o.Transport = webauthn.AuthenticatorTransportUsb
			})
			laptop.touches(false)
			key.touches(false)
			ann.clicks("#passkey-add")
			ann.clicks("#passkey-register")
			ann.reads("Follow your browser")
			givesUp()
			ann.sees("#passkey-add")
			key.touches(true)
			ann.clicks("#passkey-add") // a ceremony that went on would have had its answer by now
			ann.hasFocusOn("#passkey-name")
			ann.clicks("#passkey-add-cancel")
			if key.holds() != 0 {
				t.Errorf("%s: the key made a passkey all the same", what)
			}
			ann.seesNo(row(2, "bdi"))
			key.isTakenAway()
			laptop.touches(true)
		}
	})
	t.Run("a browser that is slow to give up doesn't take the focus from what comes next", func(t *testing.T) {
		value[bool](ann, `(() => {
			const create = navigator.credentials.create;
			navigator.credentials.create = ({ signal }) => new Promise((_, reject) => {
				signal.addEventListener("abort", () => { window.givesUp = () => reject(signal.reason); }, { once: true });
				navigator.credentials.create = create;
			});
			return true;
		})()`)
		ann.clicks("#passkey-add")
		ann.clicks("#passkey-register")
		ann.reads("Follow your browser")
		ann.clicks("#passkey-add-cancel")
		ann.sees("#passkey-add")
		ann.waitsFor("the ceremony to hear that it is over", `typeof window.givesUp === "function"`)
		value[bool](ann, `(async () => { // both before the next frame
			window.givesUp();
			await new Promise((done) => setTimeout(done));
			document.querySelector("#passkey-add").click();
			return true;
		})()`)
		ann.sees("#passkey-register")
		ann.hasFocusOn("#passkey-name")
		ann.clicks("#passkey-add-cancel")
	})
	t.Run("a device that has a passkey highlights it", func(t *testing.T) {
		ann.opens("/passkeys")
		ann.clicks("#passkey-add")
		ann.clicks("#passkey-register")
		ann.readsIn(".panel-add .notice", "This device has one already: “Laptop”.")
		ann.sees(rows + " > li.lit")
	})
}

func TestTryingAPasskey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.readsIn(".empty h3", "No passkeys yet")
	ann.seesNo("#passkey-alone")
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Laptop")
	ann.clicks("#passkey-register")
	ann.readsIn(".panel-add h3", "Passkey added")
	ann.hasFocusOn("#passkey-try")
	ann.readsIn(row(1, ".facts li:last-child"), "Not used yet")
	ann.readsIn("#passkey-alone", "Your passkey is on one device. If that breaks or is lost, a second one on another device or on a security key still lets you in.")

	laptop.recognises(false)
	ann.clicks("#passkey-try")
	ann.readsIn(".panel-add .notice", "That didn't work. Your passkey is still there: try again, or remove it and add another.")
	ann.hasFocusOn("#passkey-try")
	laptop.recognises(true)
	ann.clicks("#passkey-try")
	ann.readsIn(".panel-add h3", "It works.")
	ann.readsIn(".panel .spoken", "It works.")
	ann.hasFocusOn("#passkey-try-end")
	ann.waitsFor("the row to say when it was used", `document.querySelector(`+quoted(row(1, ".facts li:last-child"))+`).innerText.startsWith("Last used")`)
	ann.clicks("#passkey-try-end")
	ann.hasFocusOn("#passkey-add")

	t.Log("A trial that is cancelled ends, and the next thing goes on.")
	laptop.isTakenAway()
	phone := ann.hasDevice()
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Phone")
	ann.clicks("#passkey-register")
	ann.sees("#passkey-try")
	phone.touches(false)
	ann.clicks("#passkey-try")
	ann.readsIn("#passkey-try", "Follow your browser…")
	ann.clicks("#passkey-try-end")
	ann.hasFocusOn("#passkey-add")
	ann.seesNo("#passkey-alone")
	ann.readsIn(row(2, ".facts li:last-child"), "Not used yet")
	ann.hasNoComplaints()
}

// TestWhere: a person says where the passkey is to be kept, and the browser learns it.
func TestWhere(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.runsFirst(`
		globalThis.hinted = [];
		const create = navigator.credentials.create.bind(navigator.credentials);
		navigator.credentials.create = (options) => (hinted.push(JSON.stringify(options.publicKey.hints ?? [])), create(options));`)
	ann.opens("/passkeys")
	ann.addsPasskey("Laptop")
	ann.clicks("#passkey-add") // from now on the device has one, which leaves the form open
	ann.sees(".panel-add details:not([open])")
	ann.clicks(".panel-add summary")
	for n, hints := range []string{`["client-device"]`, `["hybrid"]`, `["security-key"]`, `[]`} {
		ann.clicks(".choice:nth-of-type(" + string(rune('1'+(n+1)%4)) + ") input")
		ann.clicks("#passkey-register")
		ann.waitsFor("the browser to be asked with "+hints, `globalThis.hinted.at(-1) === `+quoted(hints)+` && globalThis.hinted.length === `+string(rune('2'+n)))
		ann.sees("#passkey-register:enabled")
	}
	ann.hasNoComplaints()
}

// openTwoBrowsers opens two browsers in which Ann is signed in with the same passkey, Laptop,
// as with a synced one. The first shows her passkeys.
func openTwoBrowsers(t *testing.T) (ann, elsewhere *browser) {
	t.Helper()
	s := startServer(t)
	ann = openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	held := ann.onlyCredential()
	elsewhere = openBrowser(t, s)
	elsewhere.hasDevice().gets(held)
	elsewhere.opens("/sign-in")
	elsewhere.isAt("/")
	return ann, elsewhere
}

func TestSessionsOfARemovedPasskey(t *testing.T) {
	t.Parallel()
	ann, elsewhere := openTwoBrowsers(t)
	ann.clicks(row(1, "[id^=remove-]"))
	ann.reads("Also end the session that was started with it elsewhere")
	ann.clicks("#remove-sessions")
	ann.clicks("#remove-ok")
	ann.reads("No passkeys yet")
	elsewhere.isAt("/sign-in")
}

// TestGoneElsewhere removes a passkey in one browser while a dialog in the other asks about it.
func TestGoneElsewhere(t *testing.T) {
	t.Parallel()
	ann, elsewhere := openTwoBrowsers(t)
	elsewhere.opensPasskeys()
	elsewhere.clicks(row(1, "[id^=remove-]"))
	elsewhere.sees("#remove-cancel")

	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.reads("No passkeys yet")
	elsewhere.seesNo("#remove-cancel")
	elsewhere.readsIn("#passkey-gone", "“Laptop” was removed in another browser.")
	elsewhere.hasFocusOn("#passkey-add")
}

func TestOffers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()

	t.Run("without a passkey there is a card, which leads to the form", func(t *testing.T) {
		ann.readsIn("#offer h3", "Sign in faster next time")
		ann.clicks("#offer-add")
		ann.sees("#passkey-name")
		ann.clicks("#passkeys-close")
	})

	// Her phone answers over hybrid; this computer could hold a passkey itself.
	phone := ann.hasDeviceWith(func(o *webauthn.VirtualAuthenticatorOptions) { o.Transport = webauthn.AuthenticatorTransportHybrid })
	ann.opensPasskeys()
	ann.addsPasskey("Phone")
	phone.touches(false)
	ann.clicks("#passkeys-close")
	ann.signsOut()
	laptop := ann.hasDevice()
	ann.cannotAutofill()
	ann.opens("/sign-in")
	phone.touches(true) // now that autofill can't answer before she presses
	ann.clicks("#use-passkey")
	ann.reads("Press the button again to use a phone or a security key.")
	ann.clicks("#use-passkey")
	ann.isAt("/")

	t.Run("after a sign-in with another device: one on this device?", func(t *testing.T) {
		ann.readsIn("#offer h3", "Create a passkey on this device?")
		phone.isTakenAway()
		ann.clicks("#offer-add")
		ann.types("#passkey-name", "Laptop")
		ann.clicks("#passkey-register")
		ann.readsIn(row(2, "bdi"), "Laptop")
		if n := laptop.holds(); n != 1 {
			t.Errorf("this device holds %d passkeys, want 1", n)
		}
		ann.clicks("#passkeys-close")
		ann.readsIn("#way-passkeys li:first-child", "2 passkeys")
		ann.seesNo("#offer")
	})
	ann.hasNoComplaints()
}

// Chromium says that it can create silently, and under test it never does. So
// the browser's half is played here; the server's is real.
func TestSilentCreation(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.runsFirst(`
			PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: true });
			const create = navigator.credentials.create.bind(navigator.credentials);
			navigator.credentials.create = async ({ mediation, ...options }) => {
				if (mediation === "conditional" && !globalThis.passwordWasFilled) throw new DOMException("no password was filled in", "NotAllowedError");
				return create(options);
			};`)
	ann.setsUp()
	ann.seesNo("#saved")
	ann.sees("#offer")
	ann.signsOut()

	t.Run("a browser that makes none is no error", func(t *testing.T) {
		ann.signsInWithPassword("ann", annsPassword)
		ann.waitsFor("the browser to be asked", `performance.getEntriesByType("resource").some((r) => r.name.endsWith("/register/begin"))`)
		ann.sees("#offer")
		ann.seesNo(".notice-bad")
		ann.signsOut()
	})
	t.Run("a browser that makes one has saved it, and the page says so", func(t *testing.T) {
		ann.runsFirst(`globalThis.passwordWasFilled = true`)
		ann.signsInWithPassword("ann", annsPassword)
		ann.reads("A passkey was saved in your password manager")
		ann.readsIn("#way-passkeys li:first-child", "1 passkey")
		ann.seesNo("#offer")
	})
}
