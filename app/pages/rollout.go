package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// pageRollout is the address of the page of the rollout.
const pageRollout = "/rollout"

// rollout is the page that says how far the organisation has come with passkeys.
func (s *shell) rollout(map[string]string) goapp.UI {
	return &ui.RolloutPage{
		Context: s.context(), Service: s.self, Changes: s.changes, OnSignedOut: s.signedOut,
		Users:  func(query string) string { return pageUsers + "?" + query },
		Events: func(query string) string { return pageEvents + "?" + query },
	}
}
