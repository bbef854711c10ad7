package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// The passkeys panel opens over the start page and has an address of its own. So a reload
// opens it again, and the Back button closes it.

type panelState int

const (
	panelClosed panelState = iota
	panelOpen
	panelAdding // open with the form to add a passkey
)

func (s *shell) toPasskeys() { s.ctx.Navigate(shared.PagePasskeys) }

func (s *shell) closePanel() { s.ctx.Navigate(shared.PageHome) }

func (s *shell) renderPanel() goapp.UI {
	if !s.account.PasskeysOn {
		return &ui.PasskeysOff{Context: s.context(), OnClose: s.closePanel}
	}
	in := s.context()
	if in.Blocked == "" {
		in.Blocked = in.Held(s.account.HeldUntil, s.account.MayRelease)
	}
	return &ui.PasskeysPanel{
		Context: in, Service: s.self, Confirms: s.self, Changes: s.changes, Adding: s.panel == panelAdding,
		OnClose: s.closePanel, OnChanged: s.changed, OnSignedOut: s.signedOut,
	}
}

func (s *shell) changed(list shared.PasskeyList) {
	s.account.Passkeys, s.account.NewestPasskey = len(list.Passkeys), nil
	if n := len(list.Passkeys); n > 0 {
		s.account.NewestPasskey = &list.Passkeys[n-1]
	}
	for _, passkey := range list.Passkeys {
		if passkey.Created.After(s.account.SignedInAt) && s.recovered() {
			s.endRecovered()
		}
	}
}
