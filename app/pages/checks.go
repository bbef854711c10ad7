package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// checks is the page that says what is wrong with the installation.
func (s *shell) checks(map[string]string) goapp.UI {
	return &ui.ChecksPage{Context: s.context(), Service: s.self, OnSignedOut: s.signedOut}
}
