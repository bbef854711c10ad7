package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// activity is the page of what happened to the user's account.
func (s *shell) activity(map[string]string) goapp.UI {
	return &ui.ActivityPanel{
		Context: s.context(), Service: s.self, Alarms: s.self, Confirms: s.self, Changes: s.changes,
		Account:     s.account,
		OnSignedOut: s.signedOut, OnPasskeys: s.toPasskeys, OnMethods: s.closePanel,
	}
}
