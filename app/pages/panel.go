package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// panelPage is the page in the frame that a program in another language opens over its own page, or has within it
// (web/static/elements.js). It has no frame of ours around it, no menu and no other page: who is signed in, and where
// people go from here, is the program's.
type panelPage struct {
	goapp.Compo

	service *selfservice.Service
	framing browser.Framing
	speech
	drawn *drawn        // what a server draws the page with; nil in a browser
	ctx   goapp.Context // the page's own
	open  string        // the fragment of the panel
	took  bool          // the page took over from the one that the server has drawn
	err   error         // why the server doesn't say who is signed in
}

func newPanelPage(d Deps, speech speech) *panelPage {
	p := &panelPage{framing: browser.Framed(), speech: speech}
	transport, password := d.Transport, selfservice.Password(nil)
	if sender, sends := transport.(browser.Transport); sends {
		introduced := &selfservice.Introduced{Transport: sender, Fresh: p.framing.Fresh, User: func() shared.User { return p.service.User() }}
		if transport = introduced; introduced.Fresh != "" {
			password = introduced.Confirm
		}
	}
	p.service = selfservice.With(transport, d.Authenticator, password)
	return p
}

// OnMount learns the language.
func (p *panelPage) OnMount(ctx goapp.Context) {
	p.ctx = ctx
	p.speak(ctx, p.languages.first(append([]string{p.framing.Language}, browser.Languages()...)...), func(ctx goapp.Context) {
		ctx.Page().SetTitle("%s", p.text.Panel.Title)
	})
}

// OnNav learns which panel it is.
func (p *panelPage) OnNav(ctx goapp.Context) { p.open = ctx.Page().URL().Fragment }

// Render implements go-app's Composer.
func (p *panelPage) Render() goapp.UI {
	return goapp.Elem("div").Class("app").Body(ui.Slot(goapp.If(p.spoken, func() goapp.UI {
		return &selfservice.Panel{
			Service: p.service, Text: p.text, Open: p.open, Dress: p.dress, IsDrawn: p.drawn != nil, OnLoaded: p.loaded,
			OnClose: browser.Back, OnChanged: changedInFrame, OnSignedOut: signedOutInFrame,
		}
	})))
}

// dress says how panels look here.
func (p *panelPage) dress(c *ui.Context) {
	c.Inline = p.framing.Inline
	if p.drawn != nil {
		c.Drawn, c.Formats, c.OnPhone = true, p.drawn.Formats, p.drawn.OnPhone
	}
}

func (p *panelPage) loaded(err error) {
	p.err = err
	if p.took || p.drawn != nil {
		return
	}
	p.took = true
	go func() {
		browser.TakeOver(p.ctx)
		browser.TellFrame(eventReady, nil)
	}()
}

// The events that the program around the frame gets.
const (
	eventReady     = "keypeg-ready"
	eventChange    = "keypeg-change"
	eventSignedOut = "keypeg-signed-out"
)

func changedInFrame(list shared.PasskeyList) {
	browser.TellFrame(eventChange, map[string]any{"passkeys": len(list.Passkeys)})
}

func signedOutInFrame() { browser.TellFrame(eventSignedOut, nil) }
