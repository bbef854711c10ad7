package toolcrib

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
)

// signInPage is where people sign in.
type signInPage struct{ goapp.Compo }

// OnNav names the page.
func (p *signInPage) OnNav(ctx goapp.Context) { ctx.Page().SetTitle("Sign in · Tool crib") }

// Render implements go-app's Composer.
func (p *signInPage) Render() goapp.UI {
	return frame(nil,
		goapp.Section().Class("crib-sign-in").Body(
			goapp.H1().Text("Sign in"),
			goapp.P().Class("crib-quiet").Text("Borrow a tool, or bring one back."),
			p.form(),
		),
	)
}

func (p *signInPage) signedIn() { browser.Leave(PageTools) }

// frame is around every page.
func frame(menu goapp.UI, content ...goapp.UI) goapp.UI {
	return goapp.Div().Class("crib").Body(
		goapp.Header().Class("crib-top").Body(
			goapp.A().Class("crib-brand").Href(PageTools).Text("Tool crib"),
			goapp.If(menu != nil, func() goapp.UI { return menu }),
		),
		goapp.Main().Class("crib-page").Body(content...),
	)
}
