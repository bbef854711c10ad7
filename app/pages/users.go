package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// pageUsers is the address of the list of users. Behind it is that of each user's page.
const pageUsers = "/users"

// users is the page on which people with a role find users, invite people, and help them.
func (s *shell) users(map[string]string) goapp.UI {
	return &ui.UsersPanel{
		Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Changes: s.changes, OnSignedOut: s.signedOut,
		Page:    func(id string) string { return pageUsers + "/" + id },
		Filters: s.query, OnFilters: s.setQuery,
	}
}

// user is the page of one user.
func (s *shell) user(values map[string]string) goapp.UI {
	page := &ui.UserPage{
		Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Changes: s.changes, OnSignedOut: s.signedOut,
		ID: values["id"], Languages: s.languages.names(), Users: pageUsers, OnMissing: s.notFound, OnRemoved: func() { s.ctx.Navigate(pageUsers) },
	}
	if s.may(auditors) {
		page.Events = func(query string) string { return pageEvents + "?" + query }
	}
	return page
}
