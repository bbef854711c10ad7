package e2e

import (
	"strings"
	"testing"
)

// TestInvitationsByMail has an administrator invite people by mail. The mail server is never there, so that
// the mails wait in the queue.
func TestInvitationsByMail(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--smtp-server", "smtp.invalid", "--mail-from", "keypeg@example.com")
	queued := func() int {
		return strings.Count(s.command(t, "", "mail", "queue", "--smtp-server", "smtp.invalid", "--mail-from", "keypeg@example.com"), "invitation")
	}
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()
	ann.opensUsers()

	t.Log("One by one.")
	ann.clicks("#invite")
	ann.types("#invite-name", "amy")
	ann.seesNo("#by-mail")
	ann.types("#invite-email", "amy@example.com")
	ann.waitsFor("the box to be ticked", `document.querySelector("#by-mail")?.checked`)
	ann.clicks("#invite-submit")
	ann.seesNo("#invitation")
	ann.seesNo("#link")
	ann.readsIn(".page > .spoken", "The invitation goes to amy@example.com by mail.")
	ann.sees("#users tr.lit")
	ann.hasFocusOn("#invite")
	ann.clicks("#invite")
	ann.types("#invite-name", "ben")
	ann.types("#invite-email", "ben@example.com")
	ann.clicks("#by-mail")
	ann.clicks("#invite-submit")
	ann.newLink()
	if n := queued(); n != 1 {
		t.Errorf("%d invitations wait, want Amy's", n)
	}

	t.Log("From a table, in which not everybody has an address.")
	ann.clicks("#users-import")
	ann.choosesFile("#import-file", "name,email\ncid,cid@example.com\ndan,\n")
	ann.waitsFor("the box to be ticked", `document.querySelector("#by-mail")?.checked`)
	ann.clicks("#import-ok")
	ann.readsIn("#import-title", "2 users are invited")
	ann.reads("Whoever has an e-mail address gets the link by mail. The file has the others.")
	ann.clicks("#import-save")
	ann.waitsFor("the file", `globalThis.savedFile?.trim().split("\n").length === 3`)
	if saved := value[string](ann, `savedFile`); strings.Count(saved, "/enrol?token=") != 1 || !strings.Contains(saved, "cid,,cid@example.com,,") {
		t.Errorf("the file is %s", saved)
	}
	ann.clicks("#import-close")

	t.Log("And again, for many.")
	ann.picks("cid", "ben")
	ann.clicks("#bulk-invite")
	ann.sees("#by-mail")
	ann.clicks("#bulk-ok")
	ann.seesNo("#bulk")
	ann.readsIn(".page > .spoken", "Done for 2 users.")
	if n := queued(); n != 4 {
		t.Errorf("%d invitations wait, want 4", n)
	}
	ann.hasNoComplaints()
}
