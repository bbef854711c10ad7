package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared/message"
)

// PasskeysOff takes the place of a [PasskeysPanel] while IT hasn't set passkeys up. It says
// whom to ask.
type PasskeysOff struct {
	app.Compo

	Context Context // required
	OnClose func()  // the parent removes the panel
}

// OnMount opens the panel.
func (p *PasskeysOff) OnMount(ctx app.Context) { showModal(ctx, panelID) }

// Render implements app.Composer.
func (p *PasskeysOff) Render() app.UI {
	text := p.Context.Text
	return panelDialog(text.Panel, p.onEscape, p.onClose,
		app.Elem("div").Class("panel-body").Body(
			app.Elem("div").Class("empty").Body(
				icon("key"),
				app.Elem("h3").Text(text.Home.PasskeysOff),
				app.If(p.Context.Contact != "", func() app.UI {
					return app.Elem("p").Text(message.Fill(text.Failure.AskContact, "contact", p.Context.Contact))
				}),
			),
		),
	)
}

func (p *PasskeysOff) onEscape() { notify(p.OnClose) }

func (p *PasskeysOff) onClose(app.Context, app.Event) { notify(p.OnClose) }

// panelDialog returns the panel's dialog: its title, its X, and the content below.
func panelDialog(text message.Panel, onEscape func(), onClose app.EventHandler, content ...app.UI) app.UI {
	head := app.Elem("header").Class("panel-head").Body(
		app.Elem("h2").ID("passkeys-title").TabIndex(-1).Attr("autofocus", true).Text(text.Title),
		button("passkeys-close", "icon", "", false, onClose).Aria("label", text.Close).Title(text.Close).Body(icon("close")),
	)
	return modal(app.Elem("dialog").ID(panelID).Class("panel").Aria("labelledby", "passkeys-title"), panelID, onEscape).
		Body(append([]app.UI{head}, content...)...)
}
