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
	return panelDialog(panelID, text.Panel.Title, p.Context, p.onEscape, p.onClose,
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

// panelDialog returns the dialog of a panel: its title, its X, and the content below.
func panelDialog(id, title string, c Context, onEscape func(), onClose app.EventHandler, content ...app.UI) app.UI {
	text, titleID := c.Text.Panel.Close, id+"-title"
	head := app.Elem("header").Class("panel-head").Body(
		app.Elem("h2").ID(titleID).TabIndex(-1).Attr("autofocus", true).Text(title),
		button(id+"-close", "icon", "", false, onClose).Aria("label", text).Title(text).Body(icon("close")),
	)
	return modal(app.Elem("dialog").ID(id).Class("panel").Aria("labelledby", titleID), id, onEscape).
		Body(append([]app.UI{head}, content...)...)
}

// panelFoot says where to get help.
func (c Context) panelFoot() app.UI {
	return Slot(app.If(c.Contact != "", func() app.UI {
		return app.Elem("p").Class("panel-foot contact").Text(message.Fill(c.Text.Panel.Contact, "contact", c.Contact))
	}))
}
