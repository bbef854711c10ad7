package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// pageSessions is the address of the page.
const pageSessions = "/sessions"

// sessions is the page of the browsers in which the user is signed in.
func (s *shell) sessions(map[string]string) goapp.UI {
	return &ui.SessionsPanel{Context: s.context(), Service: s.self, Changes: s.changes, OnSignedOut: s.signedOut}
}
