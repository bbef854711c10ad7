package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// users is where administrators invite people, and help them back in.
func (s *shell) users(map[string]string) goapp.UI {
	return &ui.UsersPanel{Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Changes: s.changes, OnSignedOut: s.signedOut}
}
