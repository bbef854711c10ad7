package e2e

import "testing"

func TestTheMainStory(t *testing.T) {
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()

	// The first administrator.
	ann.setsUp()
	ann.reads("Sign in faster next time")

	// A passkey with a name.
	ann.opensPasskeys()
	ann.reads("No passkeys yet")
	ann.addsPasskey("Work laptop")
	ann.readsIn(row(1, ".row-name bdi"), "Work laptop")
	ann.reads("This device only")
	ann.readsIn("[role=status].spoken", "“Work laptop” was added.")
	if n := laptop.holds(); n != 1 {
		t.Fatalf("the device holds %d passkeys, want 1", n)
	}

	// X closes, and the focus returns to her name.
	ann.clicks("#passkeys-close")
	ann.isAt("/")
	ann.seesNo("dialog.panel")
	ann.hasFocusOn("#user-menu-button")
	ann.reads("1 passkey")

	// Out, and in again with the button.
	laptop.touches(false) // else autofill answers before she clicks
	ann.signsOut()
	laptop.touches(true)
	ann.isAt("/")
	ann.readsIn("#user-menu-button", "Ann Admin")
	ann.hasNoComplaints()
}
