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
	ann.waitsFor("what helps", `document.querySelector("#hold").innerText.endsWith("open the link of the mail about that in this browser, or ask an administrator.")`)
	ann.seesNo("#hold-allow")
	for _, adds := range []string{"#method-recovery-codes", "#method-password"} {
		ann.waitsFor(adds+" to be off", `document.querySelector("`+adds+`").matches(":disabled[aria-describedby=hold]")`)
	}
	ann.opensPasskeys()
	ann.waitsFor("the same sentence", `document.querySelector(".panel-side").innerText === document.querySelector("#hold p").innerText`)
	ann.seesNo("#passkey-add")
	ann.presses(escape)

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
	bob.hasFocusOn("#member-ask-cancel")
	bob.isGreyed("#member-ask-ok")
	bob.clicks("#member-ask-certain")
	bob.clicks("#member-ask-ok")
	bob.seesNo("#hold")
	bob.hasFocusOn("#member-title")
	ann.seesNo("#hold")
	ann.hasNoComplaints()
	bob.hasNoComplaints()
}

// held has somebody who reads the mails of a user stop new ways to sign in, in a browser.
func (b *browser) held(notice mailed) {
	b.t.Helper()
	b.opens(notice.link(b.t, shared.PageNotMe))
	b.clicks("form button")
	b.readsIn("h1", "New ways to sign in are stopped")
}

// TestHeldAndSomebodyKnowsThePassword: what is left to whoever chose "This wasn't me" in a mail.
func TestHeldAndSomebodyKnowsThePassword(t *testing.T) {
	t.Parallel()
	inbox := openInbox(t)
	s := startServer(t, append(inbox.flags(), "--contact", "IT desk, phone 1234")...)
	ann, _ := openAnothersBrowser(t, s)
	thief := openBrowser(t, s)
	ann.setsUp()
	ann.verifies(inbox, "ann@example.com")
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.presses(escape)
	ann.isAt("/")
	thief.signsInWithPassword(annsName, annsPassword)
	phone := openBrowser(t, s)
	phone.held(inbox.gets(ann, "A passkey was added", 1))

	t.Log("At her laptop she signs in with the passkey. She can't change the password there, but remove it.")
	ann.signsOut()
	ann.signsInWithPasskey()
	ann.opens(shared.PageActivity)
	ann.saysNotMe("Signed in with a password")
	thief.isAt("/sign-in")
	ann.waitsFor("what helps", `/^Until .*, your password can’t be changed here\. .* or ask an administrator\. Whom to ask: IT desk, phone 1234$/.test(document.querySelector("#advice-held").innerText)`)
	ann.readsIn("#advice-password", "Remove the password")
	ann.clicks("#advice-close")
	ann.seesNo("#advice")

	t.Log("On the phone, where she stopped it, she changes it, and new ways stay stopped.")
	phone.signsInWithPassword(annsName, annsPassword)
	phone.sees("#hold-allow")
	phone.clicks("#method-password")
	phone.clicks("#password-cancel")
	phone.opens(shared.PageActivity)
	phone.saysNotMe("Signed in with")
	ann.sees("#use-passkey")
	phone.clicks("#advice-password")
	phone.types("#new-password", "another battery staple")
	phone.clicks("#password-save")
	phone.seesNo("#password")
	phone.opens("/")
	phone.sees("#hold-allow")
	thief.submitsPassword(annsName, annsPassword)
	thief.reads("The user name or the password is not right.")

	t.Log("At the laptop she removes it all the same.")
	ann.signsInWithPasskey()
	ann.opens(shared.PageActivity)
	ann.reads("A sign-in failed") // the thief's: the list gets it some seconds late, and its rows move then
	ann.saysNotMe("Signed in with a password")
	ann.clicks("#advice-password")
	ann.isAt("/")
	ann.sees("#hold")
	ann.clicks("#method-password-remove")
	ann.clicks("#password-remove-ok")
	ann.seesNo("#method-password-remove")
	for _, b := range []*browser{ann, thief, phone} {
		b.hasNoComplaints()
	}
}

// saysNotMe chooses "This wasn't me" at the newest event of another browser that begins with these words.
func (b *browser) saysNotMe(words string) {
	b.t.Helper()
	// The list may be loaded again just after it was there.
	b.waitsFor(words, `globalThis.notMe = [...document.querySelectorAll(".line")].find((e) => e.innerText.trim().startsWith(`+quoted(words)+`) && e.querySelector("[id^=not-me-]"))?.querySelector("[id^=not-me-]").id`)
	b.clicks("#" + value[string](b, `notMe`))
	b.sees("#advice")
}

// TestRefusedAfterAConfirmation: what is refused after somebody has confirmed that it's them can be read
// for as long as they stay, whatever changes elsewhere. A held user is in the list of users.
func TestRefusedAfterAConfirmation(t *testing.T) {
	t.Parallel()
	inbox := openInbox(t)
	s := startServer(t, inbox.flags()...)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.verifies(inbox, "ann@example.com")
	bob := openBrowser(t, s)
	s.command(t, "another battery staple\n", "user", "add", "bob", "--display-name", "Bob Blake")
	s.command(t, "", "user", "role", "bob", "administrator")
	ann.clicks("#method-recovery-codes")
	ann.clicks("#codes-done")
	bob.held(inbox.gets(ann, "New recovery codes were made", 1))
	bob.signsInWithPassword("bob", "another battery staple")
	bob.opensUsers()
	bob.waitsFor("her state", `[...document.querySelectorAll("#users tbody tr")].some((e) => e.innerText.includes("Ann Admin") && e.innerText.includes("New ways stopped"))`)
	bob.opensUser("Ann Admin")

	bob.growsOld()
	bob.clicks("#member-link")
	bob.clicks("#member-ask-certain")
	bob.clicks("#member-ask-ok")
	bob.types("#confirm-password", "another battery staple")
	bob.clicks("#confirm-submit")
	refused := `document.querySelector("section[aria-labelledby=member-help] .notice-bad")?.innerText === "No way to sign in can be added for Ann Admin now, who chose “This wasn't me” in a mail. An administrator has to allow it again first."`
	bob.waitsFor("the refusal", refused)
	bob.hasFocusOn("#member-link")
	s.command(t, "", "user", "rename", "ann", "anna") // the page is loaded again
	bob.reads("anna")
	bob.waitsFor("still the refusal", refused)
	bob.hasNoComplaints()
}

// TestProfileSays: the sentence about an e-mail address goes when it is corrected, and after another
// language was chosen the page says in that one that it was.
func TestProfileSays(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	ann.setsUp()
	ann.clicks("#profile-edit")
	ann.types("#profile-dialog-email", "ann@-")
	value[bool](ann, `document.querySelector("#profile-dialog form").noValidate = true`)
	ann.clicks("#profile-dialog-save")
	ann.readsIn("#profile-dialog .notice-bad", "This is no e-mail address. Please write it like ann@example.com.")
	ann.types("#profile-dialog-email", "ann@example.com")
	ann.seesNo("#profile-dialog .notice-bad")
	ann.chooses("#profile-dialog-language", "Français")
	ann.clicks("#profile-dialog-save")
	ann.seesNo("#profile-dialog")
	ann.isIn("fr")
	ann.waitsFor("that it was saved, in French", `document.querySelector("section[aria-labelledby=profile] > .spoken").textContent === "Enregistré."`)
	ann.hasNoComplaints()
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
