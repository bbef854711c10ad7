package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// tabsTo moves the focus with Tab alone, as far as a person would.
func (b *browser) tabsTo(selector string) {
	b.t.Helper()
	b.sees(selector)
	for presses := range 40 {
		if value[bool](b, fmt.Sprintf(`document.activeElement?.matches(%s) === true`, quoted(selector))) {
			if presses == 0 {
				return // it had the focus; a ring is for those who move it by keys
			}
			b.waitsFor("a ring around "+selector, `getComputedStyle(document.activeElement).outlineStyle !== "none"`)
			return
		}
		b.presses(kb.Tab)
	}
	b.t.Fatalf("Tab doesn't lead to %s", selector)
}

// TestKeyboardAdministration goes through the pages for administrators without a mouse.
func TestKeyboardAdministration(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.tabsTo("#user-menu-button")
	ann.presses(enter)
	for range 3 {
		ann.presses(down)
	}
	ann.hasFocusOn("#menu-users")
	ann.presses(enter)
	ann.isAt("/users")

	t.Log("She invites somebody.")
	ann.tabsTo("#invite")
	ann.presses(enter)
	ann.hasFocusOn("#invite-name")
	ann.presses("amy")
	ann.tabsTo("#invite-display")
	ann.presses("Amy Smith" + enter)
	ann.hasFocusOn("#link-done")
	ann.presses(enter)
	ann.seesNo("#link")

	t.Log("She finds them, and does something for them in the list.")
	ann.opens("/users")
	ann.tabsTo("#users-find")
	ann.presses("amy")
	ann.lists("Amy Smith")
	ann.tabsTo("#users tbody [type=checkbox]")
	ann.presses(" ")
	ann.tabsTo("#bulk-groups")
	ann.presses(enter)
	ann.hasFocusOn("#bulk-names")
	ann.presses("sales" + enter)
	ann.seesNo("#bulk")
	ann.hasFocusOn("#pick-all")
	ann.readsIn("#users tbody tr td:nth-of-type(3)", "sales")

	t.Log("And on their page.")
	ann.tabsTo("#users tbody a")
	ann.presses(enter)
	ann.readsIn("h1 bdi", "Amy Smith")
	for _, opens := range []struct{ button, focus string }{
		{"#edit-facts", "#member-facts-dialog-display-name"}, {"#edit-access", "#member-access-dialog-groups"}, {"#member-link", "#member-ask-cancel"},
		{"#member-switch-do", "#member-ask-cancel"}, {"#member-delete-do", "#member-delete-dialog-typed"},
	} {
		ann.tabsTo(opens.button)
		ann.presses(enter)
		ann.hasFocusOn(opens.focus)
		ann.presses(escape)
		ann.hasFocusOn(opens.button)
	}
	ann.opens(value[string](ann, `location.pathname`))
	ann.tabsTo("[aria-labelledby=member-activity] a.more")
	ann.presses(enter)
	ann.isAt("/audit?days=365&find=amy")
	ann.tabsTo(".event summary")
	ann.presses(enter)
	ann.sees(".event[open] dl")

	ann.opens("/rollout")
	ann.tabsTo("#tile-passkey")
	ann.tabsTo("#rollout-export")
	ann.hasNoComplaints()
}

// TestKeyboardOnly goes through the whole story without a mouse.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.opens(s.setup)
	ann.isAt("/setup?opened")
	for _, field := range []struct{ selector, text string }{
		{"input[name=name]", "ann"}, {"input[name=display-name]", "Ann Admin"}, {"input[name=password]", annsPassword},
	} {
		ann.tabsTo(field.selector)
		ann.presses(field.text)
	}
	ann.presses(enter)
	ann.isAt("/")

	ann.sees("#offer")
	ann.tabsTo("#user-menu-button")
	ann.presses(enter)
	ann.hasFocusOn("#menu-passkeys")
	ann.presses(enter)
	ann.reads("No passkeys yet")
	ann.tabsTo("#passkey-add")
	ann.presses(enter)
	ann.hasFocusOn("#passkey-name")
	ann.presses("Laptop")
	ann.presses(enter)
	ann.readsIn(row(1, "bdi"), "Laptop")
	ann.hasFocusOn("#passkey-try")
	ann.presses(enter)
	ann.readsIn(".panel-add h3", "It works.")
	ann.hasFocusOn("#passkey-try-end")
	ann.presses(enter)
	ann.hasFocusOn("#passkey-add")
	ann.presses(enter)
	ann.hasFocusOn("#passkey-name")
	ann.tabsTo(".panel-add summary")
	ann.presses(enter)
	ann.tabsTo(".choice input")
	ann.presses(down)
	ann.tabsTo(".choice:nth-of-type(2) input:checked")
	ann.tabsTo("#passkey-add-cancel")
	ann.presses(enter)
	ann.hasFocusOn("#passkey-add")
	ann.tabsTo(row(1, "[id^=rename-]"))
	ann.presses(enter)
	ann.hasFocusOn(row(1, "input"))
	ann.presses("Desk")
	ann.presses(enter)
	ann.readsIn(row(1, "bdi"), "Desk")

	ann.tabsTo(row(1, "[id^=remove-]"))
	ann.presses(enter)
	ann.hasFocusOn("#remove-cancel")
	ann.presses(escape)
	ann.hasFocusOn(row(1, "[id^=remove-]"))
	ann.sees("dialog.panel")
	ann.tabsTo("#passkeys-close")
	ann.presses(enter)
	ann.isAt("/")
	ann.hasFocusOn("#user-menu-button")

	// Sessions, activity, another language, and out.
	ann.presses(down)
	ann.hasFocusOn("#menu-passkeys")
	ann.presses(down)
	ann.hasFocusOn("#menu-sessions")
	ann.presses(enter)
	ann.isAt("/sessions")
	ann.hasFocusOn("main")
	laptop.touches(false)
	ann.opens("/activity")
	ann.reads("Passkey “Laptop” added")
	ann.tabsTo(".skip")
	ann.presses(enter)
	ann.hasFocusOn("main")
	ann.opens("/")
	ann.tabsTo("#user-menu-button")
	ann.presses(up)
	ann.hasFocusOn("#menu-language-ja")
	for range 6 {
		ann.presses(up)
	}
	ann.hasFocusOn("#menu-sign-out")
	ann.presses(enter)
	ann.isAt("/sign-in")
	ann.tabsTo("#use-passkey")

	// In again, with nothing but keys.
	autofills := ann.cannotAutofill()
	defer autofills()
	ann.opens("/sign-in")
	laptop.touches(true) // now that autofill can't answer before she presses
	ann.tabsTo("#use-passkey")
	ann.presses(enter)
	ann.isAt("/")
	ann.hasNoComplaints()
}
