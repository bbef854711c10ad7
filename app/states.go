package app

import (
	"time"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// States returns the start page in every state, as [ui.States] does the
// components.
func States(d Deps, text *message.Catalogue) []ui.State {
	show := func(name string, change func(*page)) ui.State {
		p := &page{
			deps: d, path: shared.PageHome, state: pageReady, speech: speech{languages: newLanguages(d.Transport), text: text, spoken: true},
			account: shared.Account{
				User: shared.User{DisplayName: "Ann Admin"}, Product: "Keypeg", Contact: "IT desk, phone 1234",
				PasskeysOn: true, HasPassword: true, Passkeys: 2,
			},
		}
		change(p)
		return ui.State{Name: name, UI: p}
	}
	return []ui.State{
		show("home", func(*page) {}),
		show("home-long-names", func(p *page) {
			p.account.User.DisplayName = "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
			p.account.Product = "Single sign-on of the Example University of Applied Sciences"
		}),
		show("home-loading", func(p *page) { p.state = pageLoading }),
		show("home-offer", func(p *page) { p.offer, p.account.Passkeys = offerFirst, 0 }),
		show("home-offer-here", func(p *page) { p.offer = offerHere }),
		show("home-offer-recovered", func(p *page) { p.account.SignedInWith = shared.MethodRecoveryCode }),
		show("home-saved", func(p *page) { p.saved = "Google Password Manager" }),
		show("home-providers", func(p *page) {
			p.account.Providers = []shared.Provider{{ID: "example", Name: "Example"}, {ID: "other", Name: "Other Inc."}}
			p.account.Identities = []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com"}}
		}),
		show("home-passkeys-off", func(p *page) { p.account.PasskeysOn = false }),
		show("home-recovery-link", func(p *page) {
			until := time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)
			p.account.RecoveryLinkUntil = &until
		}),
		show("home-install-hint", func(p *page) { p.hinted = true }),
		show("home-update", func(p *page) { p.updated = true }),
		show("home-as-of", func(p *page) { p.asOf = time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC) }),
		show("home-offline", func(p *page) { p.state = pageOffline }),
		show("home-away", func(p *page) { p.state, p.failure = pageOffline, shared.Away() }),
		show("home-in-between", func(p *page) { p.state, p.failure = pageOffline, shared.TroubleRefused.Refusal() }),
	}
}
