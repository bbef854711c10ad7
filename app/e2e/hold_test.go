package e2e

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// verifies has the person write their e-mail address down, and verify it by the mail.
func (b *browser) verifies(inbox *inbox, address string) {
	b.t.Helper()
	b.clicks("#profile-edit")
	b.types("#profile-dialog-email", address)
	b.clicks("#profile-dialog-save")
	b.seesNo("#profile-dialog")
	b.readsIn("#profile-email-is", "Not verified yet")
	reader := openBrowser(b.t, b.server)
	reader.opens(inbox.gets(b, "Verify your e-mail address", 1).link(b.t, shared.PageVerify))
	reader.readsIn("h1", "Is this your e-mail address?")
	reader.clicks("form button")
	reader.readsIn("h1", "Your address is verified")
	b.readsIn("#profile-email-is", "Verified") // live
}

// TestThisWasntMe: somebody who reads Ann's mails stops new ways to sign in, from the link of a notice.
// Ann allows them again herself, and another time Bob does, who is an administrator too.
func TestThisWasntMe(t *testing.T) {
	t.Parallel()
	inbox := openInbox(t)
	s := startServer(t, inbox.flags()...)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.verifies(inbox, "ann@example.com")

	t.Log("A notice has a link. Opening it changes nothing, its button does.")
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.presses(escape)
	ann.isAt("/")
	notice := inbox.gets(ann, "A passkey was added", 1)
	if notice.to != "ann@example.com" || !strings.Contains(notice.text, "Passkey: Laptop") {
		t.Errorf("the notice to %s is %s", notice.to, notice.text)
	}
	reader := openBrowser(t, s)
	reader.opens(notice.link(t, shared.PageNotMe))
	reader.reads("ann")
	reader.clicks("form button")
	reader.readsIn("h1", "New ways to sign in are stopped")
	reader.opens(notice.link(t, shared.PageNotMe))
	reader.reads("This link was used already, or is too old.")

	t.Log("Ann's start page says so at once. Who only has the password can't end it.")
	ann.sees("#hold")
	ann.waitsFor("the sentence", `/^Until .*, no way to sign in can be added/.test(document.querySelector("#hold").innerText)`)
	ann.clicks("#hold-allow")
	ann.sees("#hold .notice-bad")
	ann.clicks("#method-recovery-codes")
	ann.sees("#way-recovery-codes .notice-bad") // none are made
	ann.seesNo("#codes")

	t.Log("With the mail about it she can, once she has confirmed that it's her.")
	ann.opens(inbox.gets(ann, "New ways to sign in to your account are stopped", 1).link(t, shared.PageRelease))
	ann.isAt("/")
	ann.growsOld()
	ann.clicks("#hold-allow")
	ann.sees("#confirm-passkey")
	ann.clicks("#confirm-cancel")
	ann.seesNo("#confirm")
	ann.sees("#hold")
	ann.clicks("#hold-allow")
	ann.clicks("#confirm-passkey")
	ann.seesNo("#hold")
	ann.hasFocusOn("#methods")
	ann.clicks("#method-recovery-codes")
	ann.clicks("#codes-done")

	t.Log("Another time Bob does it, on her page.")
	s.command(t, "another battery staple\n", "user", "add", "bob", "--display-name", "Bob Blake")
	s.command(t, "", "user", "role", "bob", "administrator")
	reader.opens(inbox.gets(ann, "New recovery codes were made", 1).link(t, shared.PageNotMe))
	reader.clicks("form button")
	reader.readsIn("h1", "New ways to sign in are stopped")
	ann.sees("#hold")
	bob := openBrowser(t, s)
	bob.signsInWithPassword("bob", "another battery staple")
	bob.opensUser("Ann Admin")
	bob.clicks("#hold-allow")
	bob.seesNo("#hold")
	bob.hasFocusOn("#member-title")
	ann.seesNo("#hold")
	ann.hasNoComplaints()
	bob.hasNoComplaints()
}

// TestVerificationAgain has a user ask for the mail that verifies their address, until it is refused.
func TestVerificationAgain(t *testing.T) {
	t.Parallel()
	inbox := openInbox(t)
	s := startServer(t, inbox.flags()...)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.clicks("#profile-edit")
	ann.types("#profile-dialog-email", "ann@example.com")
	ann.clicks("#profile-dialog-save")
	ann.readsIn("#profile-email-is", "Not verified yet")
	inbox.gets(ann, "Verify your e-mail address", 1)
	ann.clicks("#profile-verify")
	ann.readsIn("#profile-email-is", "The mail is on its way. Its link works for 24 hours.")
	ann.hasFocusOn("#profile-verify")
	second := inbox.gets(ann, "Verify your e-mail address", 2)
	for range 20 {
		ann.clicks("#profile-verify")
		ann.waitsFor("an answer", `!document.querySelector("#profile-verify").disabled`)
		if value[bool](ann, `!!document.querySelector(".pairs .notice-bad")`) {
			break
		}
	}
	ann.waitsFor("a refusal", `document.querySelector(".pairs .notice-bad").innerText.startsWith("Too many mails went to this address.")`)
	ann.readsIn("#profile-email-is", "Not verified yet")

	reader := openBrowser(t, s)
	reader.opens(second.link(t, shared.PageVerify))
	reader.clicks("form button")
	ann.readsIn("#profile-email-is", "Verified")
	ann.seesNo("#profile-verify")
	ann.hasNoComplaints()
}
