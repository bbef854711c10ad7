package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

func TestPasskeysOnly(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--password-sign-in", "off", "--contact", "IT desk, phone 1234")
	ann, _ := openAnothersBrowser(t, s)

	// The first administrator chooses no password: a passkey comes first.
	ann.opens(s.setup)
	ann.isAt("/setup?opened")
	ann.seesNo("input[type=password]")
	ann.types("input[name=name]", "ann")
	ann.types("input[name=display-name]", "Ann Admin")
	ann.clicks("button")
	ann.isAt("/enrol?opened")
	ann.readsIn("h1", "Welcome, Ann Admin")
	ann.reads("Create a passkey to sign in as ann.")
	ann.seesNo("input[type=password]")
	ann.enrols()
	ann.seesNo("input[type=password]")
	ann.seesNo("input[name=name]")
	ann.signsInWithPasskey()
	ann.readsIn("#user-menu-button", "Ann Admin")
	ann.opensPasskeys()
	ann.reads("This is your only way to sign in, so it can't be removed.")
	ann.isGreyed(row(1, "button[id^=remove-]"))
	ann.clicks("#passkeys-close")
	ann.seesNo("dialog.panel")

	// So do the people that she invites.
	ann.opensUsers()
	link := ann.invites("bob", "Bob Builder")
	bob, _ := openAnothersBrowser(t, s)
	bob.opensLink(link, "Welcome, Bob Builder")
	bob.seesNo("input[type=password]")
	bob.enrols()
	bob.signsInWithPasskey()
	bob.readsIn("#user-menu-button", "Bob Builder")

	// A browser that can't use passkeys shows a sentence in the place of the form.
	eve := openBrowser(t, s)
	if _, err := chromedp.Call(eve.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	eve.opens("/sign-in")
	eve.reads("You sign in with a passkey here, and this browser can't use one.")
	ann.hasNoComplaints()
	bob.hasNoComplaints()
}

// TestClosedLaptop confirms with a device that can't check the finger. Chromium allows that for
// a confirmation, which names the passkey, but not for a sign-in.
func TestClosedLaptop(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--user-verification", "preferred")
	ann, laptop := openAnothersBrowser(t, s)
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	passkey := ann.onlyCredential()
	laptop.isTakenAway()
	closed := ann.hasDeviceWith(func(o *webauthn.VirtualAuthenticatorOptions) {
		o.HasUserVerification, o.IsUserVerified = false, false
	})
	closed.gets(passkey)

	ann.growsOld()
	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	ann.clicks("#confirm-passkey")
	ann.reads("No passkeys yet")
}
