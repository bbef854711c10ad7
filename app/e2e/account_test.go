package e2e

import "testing"

// TestOwnAccount has somebody care for their own account on the start page.
func TestOwnAccount(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()

	t.Log("The password is the only way to sign in: it can be changed, and not removed.")
	ann.isGreyed("#method-password-remove")
	ann.clicks("#method-password")
	ann.types("#new-password", "password1234")
	ann.clicks("#password-save")
	ann.readsIn("#password .notice-bad", "This password is easy to guess, because it is made of common words, repetitions or rows of keys. Please choose another, such as four words that have nothing to do with each other.")
	ann.types("#new-password", "another battery staple")
	ann.clicks("#password-save")
	ann.seesNo("#password")
	ann.hasFocusOn("#method-password")

	t.Log("With a passkey it can go, and come back.")
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.presses(escape)
	ann.isAt("/")
	ann.clicks("#method-password-remove")
	ann.readsIn("#password-remove-title", "Remove your password?")
	ann.hasFocusOn("#password-remove-cancel")
	ann.presses(escape)
	ann.seesNo("#password-remove")
	ann.clicks("#method-password-remove")
	ann.clicks("#password-remove-ok")
	ann.reads("Not set")
	ann.clicks("#method-password")
	ann.types("#new-password", annsPassword)
	ann.clicks("#password-save")
	ann.sees("#method-password-remove")

	t.Log("The profile changes, also elsewhere on the page.")
	ann.clicks("#profile-edit")
	ann.types("#profile-dialog-email", "ann@nowhere")
	ann.clicks("#profile-dialog-save")
	ann.readsIn("#profile-dialog .notice-bad", "This is no e-mail address. Please write it like ann@example.com.")
	ann.types("#profile-dialog-email", "ann@example.com")
	ann.types("#profile-dialog-display-name", "Ann Miller")
	ann.clicks("#profile-dialog-save")
	ann.seesNo("#profile-dialog")
	ann.readsIn("#user-menu-button", "Ann Miller")
	ann.sees(".card.lit")
	ann.reads("ann@example.com")
	ann.hasFocusOn("#profile-edit")

	t.Log("Everything that is kept about Ann is a file, and all of it is in her activity.")
	ann.clicks("#profile-export")
	ann.waitsFor("the export", `(await (await fetch("/api/v1/activity")).text()).includes("data_exported")`)
	ann.opens("/activity")
	for _, line := range []string{"Data downloaded", "E-mail address changed", "Profile changed", "Password removed", "Password changed"} {
		ann.reads(line)
	}
	ann.hasNoComplaints()
}
