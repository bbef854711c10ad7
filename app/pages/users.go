package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// users is the page on which administrators invite people, disable users, and make recovery
// links.
func (s *shell) users(map[string]string) goapp.UI {
	return &ui.UsersPanel{Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Changes: s.changes, OnSignedOut: s.signedOut}
}
