package app

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// lostPage stands where the app has no page. Opened without a network, any
// address of the server ends here, the sign-in page too; with one, the server
// answers such addresses itself.
type lostPage struct {
	goapp.Compo

	deps Deps
}

// OnNav sets the title.
func (p *lostPage) OnNav(ctx goapp.Context) {
	ctx.Page().SetTitle("%s · %s", text.Shell.Offline, p.deps.Product)
}

// Render implements go-app's Composer.
func (p *lostPage) Render() goapp.UI {
	return ui.Frame{Text: text, Product: p.deps.Product, Icon: p.deps.Icon, Home: shared.PageHome}.With(
		ui.Message{
			Title: text.Shell.Offline, Lead: text.Shell.OfflineLead,
			Button: text.Shell.TryAgain, OnButton: func(goapp.Context, goapp.Event) { browser.Reload() },
		}.Render(),
	)
}
