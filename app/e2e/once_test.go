package e2e

import (
	"strings"
	"testing"
)

// loses has the page get no answer to requests with a method whose path ends so, although the server
// does what they ask. After that, answers come again.
func (b *browser) loses(method, end string) {
	b.t.Helper()
	value[bool](b, `(() => {
		const send = fetch;
		globalThis.fetch = (path, how) => {
			const asked = send(path, how);
			if (how?.method !== `+quoted(method)+` || !String(path).endsWith(`+quoted(end)+`)) return asked;
			globalThis.fetch = send;
			return asked.then(() => { throw new TypeError("Failed to fetch"); });
		};
		return true;
	})()`)
}

const away = "The server can't be reached. Check your connection and try again. "

// TestLostAnswers: the server does something whose answer has what is shown once, and the network goes
// away before it comes. The page says that it may have been done, and how to get what was lost.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()

	t.Log("Recovery codes.")
	ann.loses("POST", "/recovery-codes")
	ann.clicks("#method-recovery-codes")
	ann.readsIn("#way-recovery-codes .notice-bad", away+"New codes may have been made all the same. Then the earlier ones no longer work. Make new ones once more.")
	ann.clicks("#method-recovery-codes")
	ann.clicks("#codes-done")

	t.Log("An invitation.")
	ann.opensUsers()
	ann.loses("POST", "/users")
	ann.clicks("#invite")
	ann.types("#invite-name", "amy")
	ann.types("#invite-display", "Amy Smith")
	ann.clicks("#invite-submit")
	ann.readsIn("#invitation .notice-bad", away+"The invitation may have been made all the same. If the list has the user, choose Invite again there: it makes a new link.")
	ann.clicks("#invite-submit")
	ann.readsIn("#invitation .notice-bad", "Somebody has the user name amy already.")
	ann.clicks("#invite-cancel")
	ann.clicks("#users-fresh")
	ann.lists("Amy Smith", "Ann Admin")

	t.Log("Many of them.")
	ann.clicks("#users-import")
	ann.choosesFile("#import-file", "name,display_name\nben,Ben Blake\ncid,Cid Cole\n")
	ann.hasFocusOn("#import-ok")
	ann.loses("POST", "/import")
	ann.clicks("#import-ok")
	ann.readsIn("#import .notice-bad", away+"They may have been invited all the same. If the list has them, select them there and choose Invite again: it makes new links.")
	ann.clicks("#import-cancel")
	ann.lists("Amy Smith", "Ann Admin", "Ben Blake", "Cid Cole")
	ann.picks("Amy Smith", "Ben Blake", "Cid Cole")
	ann.clicks("#bulk-invite")
	ann.loses("POST", "/invitation")
	ann.clicks("#bulk-ok")
	ann.readsIn("#bulk-title", "Done for 0 of 3")
	ann.readsIn("#bulk-refused .plain span", away+"A new link may have been made all the same. Then the earlier one no longer works. Make another: it replaces both.")
	ann.clicks("#bulk-close")
	ann.clicks("#bulk-invite")
	ann.clicks("#bulk-ok")
	ann.readsIn("#bulk-title", "3 new links")
	ann.clicks("#bulk-save")
	ann.waitsFor("the file", `globalThis.savedFile?.trim().split("\n").length === 4`)
	links := strings.Split(value[string](ann, `savedFile`), "\n")
	ann.clicks("#bulk-close")

	t.Log("The link of one user.")
	ann.opensUser("Amy Smith")
	ann.loses("POST", "/invitation")
	ann.clicks("#member-link")
	ann.clicks("#member-ask-ok")
	ann.readsIn("[aria-labelledby=member-help] .notice-bad", away+"A new link may have been made all the same. Then the earlier one no longer works. Make another: it replaces both.")
	ann.clicks("#member-link")
	ann.clicks("#member-ask-ok")
	again := ann.newLink()

	t.Log("What replaced it works.")
	amy, _ := openAnothersBrowser(t, s)
	amy.opens(strings.Trim(strings.Split(links[1], ",")[3], `"`))
	amy.reads(deadLink)
	amy.opensLink(again, "Welcome, Amy Smith")
}

// TestOnceOutlivesTheSession: while a page shows what can't be shown again, it stays when the session
// ends. Afterwards it goes to the sign-in page.
func TestOnceOutlivesTheSession(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()
	const ended = "Your session has ended. This stays until you close it. Then you sign in again."
	password := annsPassword
	ends := func() { // as somebody does who finds out her password
		t.Helper()
		password += "+"
		s.command(t, password+"\n", "user", "passwd", "ann")
	}
	leaves := func(next string) {
		t.Helper()
		ann.isAt("/sign-in?next=" + next)
		ann.fillsInPassword("ann", password)
		ann.sees("#user-menu-button")
	}

	t.Log("The link of one invitation.")
	ann.opensUsers()
	ann.clicks("#invite")
	ann.types("#invite-name", "amy")
	ann.clicks("#invite-submit")
	ann.sees("#link .qr path")
	ends()
	ann.readsIn("#link .notice[role=alert]", ended)
	ann.readsIn("#offline-bar", ended)
	ann.isGreyed("#invite")
	ann.newLink()
	leaves("%2Fusers")

	t.Log("The links of many.")
	ann.clicks("#users-import")
	ann.choosesFile("#import-file", "name,display_name\nben,Ben Blake\ncid,Cid Cole\n")
	ann.clicks("#import-ok")
	ann.sees("#import-save")
	ends()
	ann.readsIn("#import .notice[role=alert]", ended)
	ann.clicks("#import-save")
	ann.waitsFor("the file", `globalThis.savedFile?.trim().split("\n").length === 3`)
	ann.clicks("#import-close")
	leaves("%2Fusers")
	ann.picks("Ben Blake", "Cid Cole")
	ann.clicks("#bulk-invite")
	ann.clicks("#bulk-ok")
	ann.sees("#bulk-save")
	ends()
	ann.readsIn("#bulk .notice[role=alert]", ended)
	ann.clicks("#bulk-close")
	leaves("%2Fusers")

	t.Log("Recovery codes.")
	ann.opens("/")
	ann.clicks("#method-recovery-codes")
	ann.sees("#codes code")
	ends()
	ann.readsIn("#codes .notice[role=alert]", ended)
	ann.clicks("#codes-done")
	ann.isAt("/sign-in")
	ann.hasNoComplaints()
}
