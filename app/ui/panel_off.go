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

// PanelAway takes the place of a panel while the server can't be reached, or doesn't answer as it should.
type PanelAway struct {
	app.Compo

	Context Context // required
	Failure error   // why
	OnRetry func()
	OnClose func() // the parent removes the panel
}

// OnMount opens the panel.
func (p *PanelAway) OnMount(ctx app.Context) { showModal(ctx, panelID) }

// Render implements app.Composer.
func (p *PanelAway) Render() app.UI {
	return panelDialog(panelID, p.Context.Text.Panel.Title, p.Context, p.onEscape, p.onClose,
		app.Elem("div").Class("panel-body").Body(app.Elem("div").Class("stack").Body(
			p.Context.notice(p.Failure),
			app.Elem("div").Class("buttons").Body(button("panel-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry)),
		)),
		p.Context.panelFoot(),
	)
}

func (p *PanelAway) onEscape() { notify(p.OnClose) }

func (p *PanelAway) onClose(app.Context, app.Event) { notify(p.OnClose) }

func (p *PanelAway) onRetry(app.Context, app.Event) { notify(p.OnRetry) }

// panelDialog returns the dialog of a panel: its title, its X, and the content below. Within a page it is a section
// without the X.
func panelDialog(id, title string, c Context, onEscape func(), onClose app.EventHandler, content ...app.UI) app.UI {
	text, titleID := c.Text.Panel.Close, id+"-title"
	head := app.Elem("header").Class("panel-head").Body(
		app.Elem("h2").ID(titleID).TabIndex(-1).Attr("autofocus", !c.Inline).Text(title),
		app.If(!c.Inline, func() app.UI {
			return button(id+"-close", "icon", "", false, onClose).Aria("label", text).Title(text).Body(icon("close"))
		}),
	)
	content = append([]app.UI{head}, content...)
	if c.Inline {
		return app.Elem("section").ID(id).Class("panel panel-inline").Aria("labelledby", titleID).Body(content...)
	}
	return modal(app.Elem("dialog").ID(id).Class("panel").Aria("labelledby", titleID), id, onEscape).Body(content...)
}

// panelFoot says where to get help.
func (c Context) panelFoot() app.UI {
	return Slot(app.If(c.Contact != "", func() app.UI {
		return app.Elem("p").Class("panel-foot contact").Text(message.Fill(c.Text.Panel.Contact, "contact", c.Contact))
	}))
}
