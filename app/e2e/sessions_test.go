package e2e

import "testing"

func TestSessionsAndActivity(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()

	t.Run("the menu leads to the sessions, this browser first", func(t *testing.T) {
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-sessions")
		ann.isAt("/sessions")
		ann.readsIn("h1", "Sessions")
		ann.hasFocusOn("main")
		ann.waitsFor("the title", `document.title === "Sessions · Keypeg"`)
		ann.readsIn(row(1, ".tag"), "This browser")
		ann.reads("You are signed in nowhere else.")
	})

	elsewhere := openBrowser(t, s)
	t.Run("another browser appears, is ended, and is at the sign-in page with its next step", func(t *testing.T) {
		elsewhere.signsInWithPassword("ann", annsPassword)
		elsewhere.opens("/activity")
		elsewhere.reads("Signed in with a password")
		ann.clicks(row(2, "button"))
		ann.readsIn(".page .spoken", "The session of Headless Chrome on Linux has ended.")
		ann.seesNo(row(2, "button"))
		elsewhere.isAt("/sign-in?next=%2Factivity")
	})
	t.Run("all others end together", func(t *testing.T) {
		elsewhere.signsInWithPassword("ann", annsPassword)
		ann.clicks("#end-others")
		ann.reads("You are signed in nowhere else.")
		elsewhere.isAt("/sign-in")
	})
	t.Run("the activity has everything, newest first", func(t *testing.T) {
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-activity")
		ann.isAt("/activity")
		ann.readsIn(row(1, ".row-name bdi"), "Ended all other sessions")
		ann.reads("Signed in with the set-up link")
		ann.reads("Account created")
	})
	t.Run("This wasn't me ends the others, and changes the password after a confirmation", func(t *testing.T) {
		// A browser that says it is another is another to the list.
		other := openBrowser(t, s)
		other.saysItIs("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
		other.signsInWithPassword("ann", annsPassword)
		ann.growsOld()
		ann.opens("/activity")
		ann.reads("Firefox on Windows")
		ann.clicks(row(1, "[id^=not-me-]"))
		ann.reads("Your other sessions have ended")
		other.isAt("/sign-in")
		ann.clicks("#advice-password")
		ann.hasFocusOn("#new-password")
		ann.types("#new-password", "another battery staple")
		ann.clicks("#password-save")
		ann.types("#confirm-password", annsPassword)
		ann.presses(enter)
		ann.readsIn(".page .spoken", "Your password was changed.")
		ann.readsIn(row(1, ".row-name bdi"), "Password changed")
		ann.signsOut()
		ann.fillsInPassword("ann", "another battery staple")
		ann.isAt("/")
	})
	ann.hasNoComplaints()
}

// TestFocusStaysWithItsRow: what comes into a list live makes no button that has the focus, or is pressed, another row's.
func TestFocusStaysWithItsRow(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	openBrowser(t, s).signsInWithPassword("ann", annsPassword)
	ann.opens("/sessions")
	// What the server draws first looks the same, and the program's own isn't shown meanwhile.
	ann.waitsFor("the focus on a button of the program's", `(globalThis.pressed = document.querySelector(`+quoted(row(2, "button"))+`)) && !pressed.closest("#drawn") && (pressed.focus(), document.activeElement === pressed)`)
	button := "#" + value[string](ann, `pressed.id`)

	openBrowser(t, s).signsInWithPassword("ann", annsPassword)
	ann.finds(row(3, "button"))
	ann.waitsFor("its own row last", `document.querySelector(`+quoted(row(3, "button"))+`).id === `+quoted(button[1:]))
	ann.hasFocusOn(button)
	ann.waitsFor("the pressed button to be no other session's", `!pressed.isConnected || "#" + pressed.id === `+quoted(button))
}
