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
	ann.types("#new-password", "short")
	ann.clicks("#password-save")
	ann.waitsFor("the browser to say that it is too short", `document.querySelector("#new-password").validity.tooShort`)
	ann.hasFocusOn("#new-password")
	value[bool](ann, `document.querySelector("#password form").noValidate = true`) // as a browser does that doesn't look
	ann.presses(enter)
	ann.readsIn("#password .notice-bad", "This password is too short. Please use at least 12 characters.")
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
	s.imports(t, "bob,Bob,bob@example.com,")
	ann.types("#profile-dialog-email", "BOB@example.com")
	ann.clicks("#profile-dialog-save")
	ann.readsIn("#profile-dialog .notice-bad", "Somebody has the e-mail address BOB@example.com already.")
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
	ann.waitsFor("the export", `(await (await fetch("/api/v1/account/activity")).text()).includes("data_exported")`)
	ann.opens("/activity")
	for _, line := range []string{"Data downloaded", "E-mail address changed", "Profile changed", "Password removed", "Password changed"} {
		ann.reads(line)
	}

	t.Log("Another language is that of the page at once, and after the next sign-in elsewhere.")
	ann.opens("/")
	ann.clicks("#profile-edit")
	ann.chooses("#profile-dialog-language", "Deutsch")
	ann.clicks("#profile-dialog-save")
	ann.seesNo("#profile-dialog")
	ann.readsIn("#methods", "So melden Sie sich an")
	ann.clicks("#profile-edit")
	ann.showsChoice("#profile-dialog-language", "Deutsch")
	ann.chooses("#profile-dialog-language", "Nicht")
	ann.clicks("#profile-dialog-save")
	ann.seesNo("#profile-dialog")
	ann.reads("Nicht gewählt") // this browser stays German
	ann.clicks("#profile-edit")
	ann.chooses("#profile-dialog-language", "English")
	ann.clicks("#profile-dialog-save")
	ann.readsIn("#methods", "How you sign in")

	ann.hasNoComplaints()
	ann.goesOffline()
}

// goesOffline looks at the start page while the network is away: every button that needs it says so, and
// what was typed stays.
func (b *browser) goesOffline() {
	b.t.Helper()
	b.t.Log("Offline, every button says why it can't be pressed, and nothing that was typed is lost.")
	b.clicks("#profile-edit")
	b.types("#profile-dialog-display-name", "Ann Baker")
	b.isCutOff(true)
	b.sees("#offline-bar")
	b.clicks("#profile-dialog-save")
	b.readsIn("#profile-dialog .notice-bad", "The server can't be reached. Check your connection and try again.")
	b.waitsFor("the typed text", `document.querySelector("#profile-dialog-display-name").value === "Ann Baker"`)
	b.clicks("#profile-dialog-cancel")
	for _, button := range []string{"#method-password", "#method-password-remove", "#method-recovery-codes", "#profile-edit", "#profile-export"} {
		b.isGreyed(button)
	}
	b.waitsFor("a reason for each", `[...document.querySelectorAll("main button:disabled")].every((e) => e.title.startsWith("Offline: as of "))`)
	b.clicks("#manage") // the list is kept
	b.readsIn(row(1, "bdi"), "Laptop")
	b.presses(escape)
	b.isAt("/")
	b.isCutOff(false)
	b.seesNo("#offline-bar")
	b.clicks("#profile-edit")
	b.types("#profile-dialog-display-name", "Ann Baker")
	b.clicks("#profile-dialog-save")
	b.readsIn("#user-menu-button", "Ann Baker")
}
