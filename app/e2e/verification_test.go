package e2e

import "testing"

// TestVerificationAgain has a user ask for the mail that verifies their address until it is refused. The
// mail server is never there, so that the mails wait in the queue.
func TestVerificationAgain(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--smtp-server", "smtp.invalid", "--mail-from", "keypeg@example.com")
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/")
	ann.clicks("#profile-edit")
	ann.types("#profile-dialog-email", "ann@example.com")
	ann.clicks("#profile-dialog-save")
	ann.seesNo("#profile-dialog")
	ann.readsIn("#profile-email-is", "Not verified yet")
	ann.clicks("#profile-verify")
	ann.readsIn("#profile-email-is", "The mail is on its way. Its link works for 24 hours.")
	ann.hasFocusOn("#profile-verify")
	ann.until("a refusal", func() bool {
		ann.clicks("#profile-verify")
		return value[bool](ann, `!!document.querySelector(".pairs .notice-bad")`)
	})
	ann.readsIn(".pairs .notice-bad", "Too many mails went to this address. Please try again in 12 minutes.")
	ann.readsIn("#profile-email-is", "Not verified yet")
}
