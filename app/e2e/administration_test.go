package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// opensUser goes to the page of a user by their name in the list.
func (b *browser) opensUser(name string) {
	b.t.Helper()
	b.opensUsers()
	b.types("#users-find", name)
	b.waitsFor("one user to be listed", `document.querySelectorAll("#users tbody tr").length === 1`)
	b.clicks("#users tbody a")
	b.readsIn("h1 bdi", name)
}

// lists waits until the list has these users, and no others.
func (b *browser) lists(names ...string) {
	b.t.Helper()
	b.waitsFor(fmt.Sprintf("%q alone", names), fmt.Sprintf(`[...document.querySelectorAll("#users tbody th bdi:first-child, #users tbody th a bdi")].map((e) => e.innerText).join() === %s`, quoted(strings.Join(names, ","))))
}

// chooses picks an option of a select by the keyboard. It stays chosen when the page was drawn again. The browser takes
// a key that comes more than a second after the one before for the beginning of another name. That happens on a busy
// machine, since each key may draw the page again. Then the name is typed once more.
func (b *browser) chooses(selector, option string) {
	b.t.Helper()
	b.sees(selector)
	for begin := time.Now(); ; time.Sleep(1200 * time.Millisecond) {
		value[bool](b, fmt.Sprintf(`document.querySelector(%s).focus(), true`, quoted(selector)))
		b.presses(option)
		b.waitsFor("the page to be drawn again", `new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => then(true), 100))))`)
		if time.Since(begin) > patience || value[bool](b, choice(selector, option)) {
			break
		}
	}
	b.showsChoice(selector, option)
}

// showsChoice waits until a select shows an option that begins with a text.
func (b *browser) showsChoice(selector, option string) {
	b.t.Helper()
	b.waitsFor(fmt.Sprintf("%s to show %q", selector, option), choice(selector, option))
}

func choice(selector, option string) string {
	return fmt.Sprintf(`document.querySelector(%s)?.selectedOptions[0]?.text.startsWith(%s) === true`, quoted(selector), quoted(option))
}

// linkOf finds the link in what a command has printed.
func linkOf(printed string) string {
	return regexp.MustCompile(`http\S+/enrol\?\S+`).FindString(printed)
}

// TestAdministration is the day of an administrator, with a helper and an auditor.
func TestAdministration(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	people := filepath.Join(t.TempDir(), "people.csv")
	table := "name,display_name,email,groups\n"
	for _, name := range strings.Fields("Amy Ben Cid Dan Eve Fay Gus Hal Ida Jon Kim Leo Mia Ned Ola Pam Quy Ron Sue") {
		table += strings.ToLower(name) + "," + name + " Smith," + name + "@example.com,sales\n"
	}
	table += "zoe,Zoe Miller,zoe@other.example,it\n"
	if err := os.WriteFile(people, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensUsers()
	if links := s.command(t, "", "user", "import", people); strings.Count(links, "/enrol?token=") != 20 {
		t.Errorf("the import printed %s", links)
	}
	ann.readsIn("#users-fresh", "20 new: show") // at once, since the page is live
	ann.clicks("#users-fresh")
	ann.readsIn("#in-", "All 21")
	ann.readsIn("#in-invited", "Invited 20")
	ann.reads("21 users")

	t.Log("Ann finds people by any word, and by a filter.")
	ann.types("#users-find", "mill")
	ann.lists("Zoe Miller")
	ann.isAt("/users?find=mill")
	ann.clicks(`[id="in-group/sales"]`)
	ann.reads("Nobody matches “mill”.")
	ann.isAt("/users?find=mill&in=group%2Fsales")
	ann.clicks("#users-all")
	ann.reads("Amy Smith")
	ann.isAt("/users")
	ann.waitsFor("an empty search", `document.querySelector("#users-find").value === ""`)
	ann.clicks("#in-administrators")
	ann.lists("Ann Admin")
	ann.opens("/users?find=smith&in=invited") // as a colleague does who was sent the address
	ann.waitsFor("19 of them", `document.querySelectorAll("#users tbody tr").length === 19 && document.querySelector("#users-find").value === "smith"`)
	ann.clicks("#users a")
	ann.readsIn("h1 bdi", "Amy Smith")
	ann.goes("back")
	ann.isAt("/users?find=smith&in=invited")
	ann.waitsFor("the same list", `document.querySelectorAll("#users tbody tr").length === 19`)
	ann.clicks(`.tabs a[href="/users"]`)
	ann.isAt("/users")
	ann.waitsFor("everybody", `document.querySelectorAll("#users tbody tr").length === 21 && document.querySelector("#users-find").value === ""`)
	ann.clicks("#sort-last")
	ann.lists("Ann Admin") // nobody else has ever signed in
	ann.isAt("/users?sort=last-sign-in")
	ann.clicks("#sort-name")
	ann.isAt("/users")

	t.Log("Hal becomes a helper of sales, and Ida an auditor.")
	for _, is := range []struct{ name, role string }{{"Hal Smith", "Helper"}, {"Ida Smith", "Auditor"}} {
		role := is.role
		ann.opensUser(is.name)
		ann.clicks("#edit-access")
		ann.chooses("#member-access-dialog-role", role)
		if role == "Helper" {
			ann.types("#member-access-dialog-helps", "sales")
		}
		ann.clicks("#member-access-dialog-save")
		ann.seesNo("#member-access-dialog")
		ann.readsIn("h1 .tag", role)
		ann.clicks("#edit-access")
		ann.showsChoice("#member-access-dialog-role", role)
		ann.clicks("#member-access-dialog-cancel")
	}
	ann.clicks("#edit-access")
	ann.chooses("#member-access-dialog-role", "User")
	ann.clicks("#member-access-dialog-save")
	ann.seesNo("#member-access-dialog")
	ann.waitsFor("no role", `!document.querySelector("h1").innerText.includes("Auditor")`)
	ann.clicks("#edit-access")
	ann.showsChoice("#member-access-dialog-role", "User")
	ann.chooses("#member-access-dialog-role", "Auditor")
	ann.clicks("#member-access-dialog-save")
	ann.readsIn("h1 .tag", "Auditor")

	ann.changesIda()

	t.Log("Hal and Ida join by links.")
	hal, _ := openAnothersBrowser(t, s)
	hal.opensLink(linkOf(s.command(t, "", "user", "invite", "hal")), "Welcome, Hal Smith")
	hal.enrols()
	hal.signsInWithPasskey()
	ida, _ := openAnothersBrowser(t, s)
	ida.opensLink(linkOf(s.command(t, "", "user", "invite", "ida")), "Welcome, Ida Jones")
	ida.enrols()
	ida.signsInWithPasskey()

	t.Log("Hal sees the people of sales, and helps one of them.")
	hal.opensUsers()
	hal.readsIn(`[id="in-group/sales"]`, "sales 19")
	hal.seesNo("#in-administrators")
	hal.waitsFor("no box for whom Hal can't help", `document.querySelectorAll("#users tbody tr").length === 19 && document.querySelectorAll("#users tbody [type=checkbox]").length === 17`)
	hal.clicks("#pick-all")
	hal.readsIn(".float strong", "17 selected")
	hal.seesNo("#bulk-groups")
	hal.sees("#bulk-disable")
	hal.opensUser("Amy Smith")
	hal.seesNo("#edit-facts")
	hal.seesNo("#member-delete")
	hal.clicks("#member-link")
	hal.clicks("#member-ask-ok")
	hal.readsIn("#link-title", "Invitation for Amy Smith")
	hal.newLink()
	hal.reads("A link works until")
	hal.clicks("#member-withdraw")
	hal.seesNo("#member-withdraw")

	t.Log("Ida reads, and changes nothing.")
	ida.opensUsers()
	ida.seesNo("#invite")
	ida.seesNo("#users [type=checkbox]")
	ida.sees("#users-export")
	ida.opensUser("Amy Smith")
	ida.reads("A link was withdrawn")
	ida.reads("By Hal Smith")
	ida.seesNo("#member-link")
	ida.seesNo("#member-switch")
	ida.clicks(`[aria-labelledby=member-activity] a.more`)
	ida.isAt("/audit?days=365&find=amy")
	ida.readsIn(".event .row-name", "A link was withdrawn")

	t.Log("Somebody loses a phone, and somebody leaves.")
	ann.opensUser("Hal Smith")
	ann.reads("The only way to sign in")
	ann.isGreyed(`[id^="passkey-"][id$="-do"]`)
	ann.clicks("#member-end-all")
	ann.reads("Nowhere.")
	hal.sees("#sign-in")
	ann.opensUser("Sue Smith")
	ann.clicks("#member-delete-do")
	ann.types("#member-delete-dialog-typed", "amy")
	ann.clicks("#member-delete-dialog-save")
	ann.readsIn("#member-delete-dialog .notice-bad", "This is not the user name of this user.")
	ann.types("#member-delete-dialog-typed", "sue")
	ann.clicks("#member-delete-dialog-save")
	ann.isAt("/users")
	ann.readsIn("#in-", "All 20")
	ann.opens("/activity")
	ann.reads("Account deleted")
	ann.reads("For somebody who was deleted since")

	ann.canDoNothingToHerself()
	ann.hasNoComplaints()
	ida.hasNoComplaints()
}

// changesIda changes what is known of Ida, whose page is open.
func (b *browser) changesIda() {
	b.t.Helper()
	b.t.Log("What is wrong stays in the dialog, with a sentence.")
	b.clicks("#edit-facts")
	b.types("#member-facts-dialog-name", "amy")
	b.clicks("#member-facts-dialog-save")
	b.readsIn("#member-facts-dialog .notice-bad", "Somebody has the user name amy already.")
	b.types("#member-facts-dialog-name", "ida")
	b.types("#member-facts-dialog-email", "AMY@example.com")
	b.clicks("#member-facts-dialog-save")
	b.readsIn("#member-facts-dialog .notice-bad", "Somebody has the e-mail address AMY@example.com already.")
	b.types("#member-facts-dialog-email", "ida@new.example")
	b.types("#member-facts-dialog-display-name", "Ida Jones")
	b.clicks("#member-facts-dialog-save")
	b.seesNo("#member-facts-dialog")
	b.readsIn("h1 bdi", "Ida Jones")
	b.reads("ida@new.example (not verified)")
	b.reads("E-mail address changed")
}

// canDoNothingToHerself looks at an administrator's own page.
func (b *browser) canDoNothingToHerself() {
	b.t.Helper()
	b.t.Log("Ann can do nothing of that to herself.")
	b.opensUser("Ann Admin")
	b.reads("This is your own account. Ask another administrator.")
	b.isGreyed("#member-switch-do")
	b.isGreyed("#member-delete-do")
}
