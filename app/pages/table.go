package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// page is what the shell has to know of one.
type page struct {
	pattern  shared.PagePattern
	title    func(*message.Catalogue) string
	menu     *menuEntry // nil has none
	audience audience
	// tab is the pattern of the page of administration that this page is, or is below. "" has no
	// tabs above it.
	tab shared.PagePattern
	// isKept says that this browser has a copy of what the page shows, from which it is
	// shown while the server is away.
	isKept bool
	// content draws the page, with the values of its parameters by name. It is called for
	// signed-in users that the page is for, each time that anything changes. Nil is a page of
	// the other program, of which only the entry of the menu is here.
	content func(s *shell, values map[string]string) goapp.UI
}

// menuEntry is a page's line in the menu under the user's name.
type menuEntry struct {
	id    string // of the element, behind "menu-"
	icon  string // see ui.MenuItem
	label func(*message.Catalogue) string
}

// audience is whom a page is for. The server decides what they see on it.
type audience int

const (
	everybody audience = iota
	withRole           // administrators, helpers and auditors
	auditors           // and administrators
	administrators
)

// A page belongs to one of two programs: everybody's, app/wasm, has the pages of one's own
// account, and app/wasm/administration has all pages. So whoever has no role loads nothing of
// administration, and an administrator who is there goes on to any page without a new program.
//
// To add a page, write a row in one of the lists below, and its content in a file of its own.
// A page of administration has its own pattern as its tab, and no entry in the menu, which
// leads to the first of them.
//
// A row's pattern may have parameters: "/users/{id}" is the page of each user, and content
// gets the id. Going from one user to the next keeps the page's component, and only changes
// its fields, unless the component has a CompoID that differs (goapp.DismountEnforcer).
// Where it turns out that nothing has this id, the component calls shell.notFound back.

// account has the pages of one's own account, and the menu's entries in its order.
func account() []page {
	return []page{
		{
			pattern: shared.PageHome, isKept: true, content: (*shell).home,
			title: func(text *message.Catalogue) string { return text.Home.Title },
		},
		{
			pattern: shared.PagePasskeys, isKept: true, content: (*shell).home, // with the panel over it
			title: func(text *message.Catalogue) string { return text.Panel.Title },
			menu:  &menuEntry{"passkeys", "key", func(text *message.Catalogue) string { return text.Shell.Passkeys }},
		},
		{
			pattern: pageSessions, content: (*shell).sessions,
			title: func(text *message.Catalogue) string { return text.Sessions.Title },
			menu:  &menuEntry{"sessions", "browser", func(text *message.Catalogue) string { return text.Shell.Sessions }},
		},
		{
			pattern: shared.PageActivity, content: (*shell).activity,
			title: func(text *message.Catalogue) string { return text.Activity.Title },
			menu:  &menuEntry{"activity", "list", func(text *message.Catalogue) string { return text.Shell.Activity }},
		},
		{
			// Only the entry of the menu. The page is one of administration.
			pattern: pageUsers, audience: withRole,
			menu: &menuEntry{"users", "people", func(text *message.Catalogue) string { return text.Shell.Administration }},
		},
	}
}

// administration has the pages for users with a role, in the order of their tabs.
func administration() []page {
	return []page{
		{
			pattern: pageUsers, tab: pageUsers, audience: withRole, content: (*shell).users,
			title: func(text *message.Catalogue) string { return text.Users.Title },
		},
		{
			pattern: pageUsers + "/{id}", tab: pageUsers, audience: withRole, content: (*shell).user,
			title: func(text *message.Catalogue) string { return text.Users.Title },
		},
		{
			pattern: pageRollout, tab: pageRollout, audience: auditors, content: (*shell).rollout,
			title: func(text *message.Catalogue) string { return text.Rollout.Tab },
		},
		{
			pattern: pageClients, tab: pageClients, audience: auditors, content: (*shell).clients,
			title: func(text *message.Catalogue) string { return text.Clients.Title },
		},
		{
			pattern: pageEvents, tab: pageEvents, audience: auditors, content: (*shell).events,
			title: func(text *message.Catalogue) string { return text.Events.Title },
		},
		{
			pattern: shared.PageChecks, tab: shared.PageChecks, audience: administrators, content: (*shell).checks,
			title: func(text *message.Catalogue) string { return text.Shell.Checks },
		},
	}
}

// table has every page.
func table() []page { return append(account(), administration()...) }
