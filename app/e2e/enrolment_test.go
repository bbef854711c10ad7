package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// newLink reads the link in a dialog, and closes the dialog.
func (b *browser) newLink() string {
	b.t.Helper()
	b.sees("#link .qr path")
	b.readsIn("#link-local", "The server's address leads to this computer only: no other device can open the link. Ask IT for an address that all can reach.")
	at := value[string](b, `document.getElementById("link-url").value`)
	if !strings.HasPrefix(at, b.server.url+"/enrol?token=") {
		b.t.Fatalf("the link is %q", at)
	}
	b.keepsOpen("#link", "#link-done")
	b.clicks("#link-done")
	b.seesNo("#link")
	return at
}

// opensUsers goes to the page of administrators.
func (b *browser) opensUsers() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-users")
	b.isAt("/users")
	b.readsIn("h1", "Users")
}

// invites makes an invitation, and returns its link.
func (b *browser) invites(name, display string) string {
	b.t.Helper()
	b.clicks("#invite")
	b.hasFocusOn("#invite-name")
	b.types("#invite-name", name)
	b.types("#invite-display", display)
	b.clicks("#invite-submit")
	b.readsIn("#link-title", "Invitation for "+display)
	return b.newLink()
}

// opensLink follows a link to its page, whose address doesn't have the token.
func (b *browser) opensLink(at, title string) {
	b.t.Helper()
	b.opens(at)
	b.isAt("/enrol?opened")
	b.readsIn("h1", title)
}

// enrols makes a passkey on the page of a link, and goes on to sign in.
func (b *browser) enrols() {
	b.t.Helper()
	b.clicks("#use-passkey")
	b.isAt("/enrol/done")
	b.clicks("a.button.primary")
	b.isAt("/sign-in")
}

// openAnothersBrowser opens a browser with a device and without autofill.
func openAnothersBrowser(t *testing.T, s *server) (*browser, *device) {
	t.Helper()
	b := openBrowser(t, s)
	d := b.hasDevice()
	b.cannotAutofill()
	return b, d
}

// signsInWithPasskey presses the button of the sign-in page.
func (b *browser) signsInWithPasskey() {
	b.t.Helper()
	b.opens("/sign-in")
	b.clicks("#use-passkey")
	b.isAt("/")
	b.sees("#user-menu-button")
}

const deadLink = "This link was used already, or is too old. Ask for a new one."

// TestInvitation has people join the organisation.
func TestInvitation(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensUsers()
	ann.reads("Ann Admin")
	const inAWeek = `(() => { const d = new Date(); d.setDate(d.getDate() + 7); return new Intl.DateTimeFormat(navigator.languages[0], { month: "short", day: "numeric", year: d.getFullYear() === new Date().getFullYear() ? undefined : "numeric" }).format(d) })()`
	until := value[string](ann, inAWeek)
	carls := ann.invites("carl", "Carl Carpenter")
	ann.reads("Carl Carpenter")
	ann.waitsFor("how long the invitation works", `[`+quoted(until)+`, `+inAWeek+`].some((date) => document.querySelector("#users tbody tr:nth-child(2) .tag")?.innerText.trim() === "Invited until " + date)`)

	// A name that is taken keeps the dialog open.
	ann.clicks("#invite")
	ann.types("#invite-name", "CARL")
	ann.clicks("#invite-submit")
	ann.readsIn("#invitation .notice-bad", "Somebody has the user name carl already.")
	ann.presses(escape)
	ann.seesNo("#invitation")
	ann.hasFocusOn("#invite")

	// Carl chooses a passkey without a password. He cancels his first try.
	carl, phone := openAnothersBrowser(t, s)
	carl.opensLink(carls, "Welcome, Carl Carpenter")
	carl.types("input[name=password]", "short")
	carl.clicks("#use-passkey") // the browser says what's wrong with the password
	carl.waitsFor("nothing to have happened", `document.querySelector("input[name=password]:invalid") !== null`)
	if n := phone.holds(); n != 0 {
		t.Errorf("the device holds %d passkeys", n)
	}
	carl.types("input[name=password]", kb.Backspace)
	phone.recognises(false)
	carl.clicks("#use-passkey")
	carl.readsIn("#refusal", "Nothing was saved. The prompt was closed or timed out.")
	phone.recognises(true)
	carl.enrols()
	carl.signsInWithPasskey()
	carl.readsIn("#user-menu-button", "Carl Carpenter")
	carl.opens("/activity")
	carl.reads("Invitation accepted")
	carl.opens("/users")
	carl.reads("Your role doesn't allow this. Ask an administrator.")
	carl.opens(carls)
	carl.reads(deadLink)
	carl.opens("/sessions")
	carl.reads("Signed in with")
	carl.hasNoComplaints()

	// Dora wants a password too.
	doras := ann.invites("dora", "Dora Driver")
	dora, key := openAnothersBrowser(t, s)
	dora.opensLink(doras, "Welcome, Dora Driver")
	dora.types("input[name=password]", annsPassword)
	dora.enrols()
	if n := key.holds(); n != 1 {
		t.Errorf("the device holds %d passkeys", n)
	}
	dora.signsInWithPassword("dora", annsPassword)
	dora.reads("1 passkey")

	// Ann sees them, finds people by their names, and disables and enables one.
	ann.opens("/users")
	ann.types("#users-find", "ca")
	ann.lists("Carl Carpenter")
	ann.readsIn("#users .icons .spoken", "1 passkey")
	ann.types("#users-find", "zoe")
	ann.reads("Nobody matches “zoe”.")
	ann.types("#users-find", "carl")
	ann.lists("Carl Carpenter")
	ann.clicks("#users tbody [type=checkbox]")
	ann.clicks("#bulk-disable")
	ann.readsIn("#bulk-title", "Disable 1 user?")
	ann.readsIn("#bulk-who", "Carl Carpenter")
	ann.hasFocusOn("#bulk-cancel")
	ann.presses(escape)
	ann.seesNo("#bulk")
	ann.hasFocusOn("#bulk-disable")
	ann.presses(enter)
	ann.clicks("#bulk-ok")
	ann.readsIn("#users .tag", "Disabled")
	ann.hasFocusOn("#pick-all")
	carl.isAt("/sign-in?next=%2Fsessions") // at once
	ann.clicks("#users tbody [type=checkbox]")
	ann.seesNo("#bulk-disable")
	ann.clicks("#bulk-enable")
	ann.clicks("#bulk-ok")
	ann.seesNo("#users .tag")
	carl.signsInWithPasskey()
	ann.hasNoComplaints()
}

// TestRecoveryLink has somebody lose every sign-in method. An administrator helps, and then IT
// does.
func TestRecoveryLink(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	s.command(t, "four quiet green lamps\n", "user", "add", "bob", "--display-name", "Bob Builder")
	bob := openBrowser(t, s)
	bob.signsInWithPassword("bob", "four quiet green lamps")

	ann.opensUser("Bob Builder")
	makes := func() string {
		ann.clicks("#member-link")
		ann.reads("Make sure first that it is Bob Builder who asks")
		ann.isGreyed("#member-ask-ok") // until she has made sure
		ann.clicks("#member-ask-certain")
		ann.clicks("#member-ask-ok")
		ann.readsIn("#link-title", "Recovery link for Bob Builder")
		return ann.newLink()
	}
	ann.clicks("#member-link")
	ann.hasFocusOn("#member-ask-cancel")
	ann.presses(escape) // it was Bernie who asked
	ann.seesNo("#member-ask")
	ann.seesNo("#member-withdraw")
	ann.hasFocusOn("#member-link")

	withdrawn := makes()
	ann.reads("A link works until")
	ann.clicks("#member-withdraw")
	ann.seesNo("#member-withdraw")
	late := openBrowser(t, s)
	late.opens(withdrawn)
	late.reads(deadLink)
	bob.seesNo("#recovery-link")

	link := makes()
	ann.hasFocusOn("#member-link")
	bob.reads("A recovery link for your account works until") // where he may still be signed in

	elsewhere, _ := openAnothersBrowser(t, s)
	elsewhere.opensLink(link, "Back into your account")
	elsewhere.enrols()
	bob.isAt("/sign-in")       // the session on the lost device has ended
	ann.sees("[id^=passkey-]") // at once, though it is his change
	ann.seesNo("#member-withdraw")
	elsewhere.signsInWithPasskey()
	elsewhere.seesNo("#recovery-link")
	elsewhere.opens("/activity")
	elsewhere.reads("Recovery link used")
	elsewhere.reads("A recovery link was made")
	elsewhere.reads("By Ann Admin")
	elsewhere.hasNoComplaints()

	// IT makes a link on the command line. He chooses a password this time.
	printed := s.command(t, "", "user", "recovery-link", "bob")
	link, until, _ := strings.Cut(printed, "\n")
	if !strings.HasPrefix(until, "It works once, until ") {
		t.Errorf("it prints %q", printed)
	}
	third := openBrowser(t, s)
	third.opensLink(link, "Back into your account")
	third.types("input[name=password]", "another battery staple")
	third.clicks("form button:not([type])")
	third.isAt("/enrol/done?password")
	elsewhere.isAt("/sign-in?next=%2Factivity")
	third.signsInWithPassword("bob", "another battery staple")
	third.opens(link)
	third.reads(deadLink)
}

// TestPhoneLink has somebody scan a code with their phone.
func TestPhoneLink(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensPasskeys()
	ann.clicks("#passkey-phone")
	ann.readsIn("#link-title", "Add a passkey on your phone")
	first := ann.newLink()
	ann.hasFocusOn("#passkey-phone")
	ann.clicks("#passkey-phone")
	ann.sees("#link .qr path")
	link := value[string](ann, `document.getElementById("link-url").value`)

	phone, _ := openAnothersBrowser(t, s)
	phone.opens(first)
	phone.reads("This code was used already, or is older than five minutes. Show a new one on your other device.")
	phone.opensLink(link, "Passkey for this device")
	phone.seesNo("input[name=password]")
	phone.enrols()
	ann.seesNo("#link") // it comes by itself
	ann.hasFocusOn(row(1, "[id^=rename-]"))
	ann.sees(".row.lit")
	phone.signsInWithPasskey()
	phone.readsIn("#user-menu-button", "Ann Admin")
	phone.hasNoComplaints()
	ann.hasNoComplaints()
}

// TestPasskeysOff uses an installation in which IT hasn't set passkeys up.
func TestPasskeysOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--no-passkeys", "--contact", "IT desk, phone 1234")
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensPasskeys()
	ann.readsIn("dialog h3", "Passkeys aren't set up here yet.")
	ann.readsIn("dialog .empty p", "Whom to ask: IT desk, phone 1234")
	ann.presses(escape)
	ann.isAt("/")
	ann.hasFocusOn("#user-menu-button")
	ann.seesNo("#offer")

	// People can still be invited, with a password.
	ann.opensUsers()
	link := ann.invites("bob", "Bob Builder")
	bob := openBrowser(t, s)
	bob.opensLink(link, "Welcome, Bob Builder")
	bob.seesNo("#use-passkey")
	bob.types("input[name=password]", annsPassword)
	bob.clicks("form button")
	bob.isAt("/enrol/done?password")
	bob.signsInWithPassword("bob", annsPassword)
	bob.hasNoComplaints()
}
