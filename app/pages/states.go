package pages

import (
	"fmt"
	"time"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// States returns the start page in every state, as [ui.States] returns the components.
func States(d Deps, text *message.Catalogue) []ui.State {
	show := func(name string, change func(*shell)) ui.State {
		s := &shell{
			deps: d, path: shared.PageHome, state: stateReady, pages: table(), speech: speech{languages: newLanguages(d.Transport), text: text, spoken: true},
			account: shared.Account{
				User: shared.User{DisplayName: "Ann Admin"}, Product: "Keypeg", Contact: "IT desk, phone 1234",
				PasskeysOn: true, HasPassword: true, PasswordSet: time.Date(2026, 2, 14, 9, 0, 0, 0, time.UTC), PasswordsOn: true, Passkeys: 2,
				NewestPasskey: &shared.Passkey{Name: "Phone", Kind: shared.KindManager, Provider: "iCloud Keychain", Created: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)},
				RecoveryCodes: 8, RecoveryCodesMade: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC),
			},
		}
		change(s)
		return ui.State{Name: name, UI: s}
	}
	return []ui.State{
		show("home", func(*shell) {}),
		show("home-long-names", func(s *shell) {
			s.account.User.DisplayName = "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
			s.account.Product = "Single sign-on of the Example University of Applied Sciences"
		}),
		show("home-loading", func(s *shell) { s.state = stateLoading }),
		show("home-offer", func(s *shell) { s.account.Passkeys, s.account.NewestPasskey = 0, nil }),
		show("home-none", func(s *shell) { s.offers.rests, s.account.Passkeys, s.account.NewestPasskey = true, 0, nil }),
		show("home-offer-here", func(s *shell) { s.offers.here = true }),
		show("home-offer-second", func(s *shell) {
			s.account.Passkeys, s.account.NewestPasskey.Kind, s.account.NewestPasskey.Provider = 1, shared.KindComputer, "Windows Hello"
		}),
		show("home-offer-recovered", func(s *shell) { s.account.SignedInWith = shared.MethodRecoveryCode }),
		show("home-saved", func(s *shell) { s.saved = "Google Password Manager" }),
		show("home-providers", func(s *shell) {
			s.account.Providers = []shared.Provider{{ID: "example", Name: "Example"}, {ID: "other", Name: "Other Inc."}}
			s.account.Identities = []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com"}}
		}),
		show("home-much", func(s *shell) {
			s.account.User.Name, s.account.User.DisplayName = "carol.oestergaard-hernandez@subsidiary.contoso.example", "東京都千代田区情報システム管理課・山田太郎左衛門之介"
			s.account.Email, s.account.MailOn = "carol.oestergaard-hernandez@subsidiary.contoso.example", true
			s.account.Passkeys, s.account.NewestPasskey.Name = 20, "A-passkey-with-a-long-name-without-a-space-in-it-0123456789-0123"
			for i := range 8 {
				id := fmt.Sprint("provider", i)
				s.account.Providers = append(s.account.Providers, shared.Provider{ID: id, Name: "The single sign-on of department " + id})
				if i%2 == 0 {
					s.account.Identities = append(s.account.Identities, shared.Identity{ID: id, ProviderID: id, Provider: "The single sign-on of department " + id, Name: s.account.Email})
				}
			}
		}),
		show("home-passkeys-off", func(s *shell) { s.account.PasskeysOn = false }),
		show("home-recovery-link", func(s *shell) {
			until := time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)
			s.account.RecoveryLinkUntil = &until
		}),
		show("home-held", func(s *shell) { s.account.HeldUntil = time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC) }),
		show("home-install-hint", func(s *shell) { s.hinted = true }),
		show("home-update", func(s *shell) { s.updated = true }),
		show("home-as-of", func(s *shell) { s.asOf = time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC) }),
		show("home-offline", func(s *shell) { s.state = stateOffline }),
		show("home-away", func(s *shell) { s.state, s.failure = stateOffline, shared.Away() }),
		show("home-not-found", func(s *shell) { s.path = "/nothing" }),
		show("home-in-between", func(s *shell) { s.state, s.failure = stateOffline, shared.TroubleRefused.Refusal() }),
	}
}
