//go:build !js

package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// A server can draw a page with its user's data before it sends it: see [Context.Drawn]. go-app mounts no
// component there, so what loads when it is mounted loads when it is rendered ahead.

// OnPreRender implements app.PreRenderer.
func (p *SessionsPanel) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *ProgramsPart) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *ActivityPanel) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *PasskeysPanel) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *UsersPanel) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *UserPage) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *EventsPage) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *ClientsPage) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// OnPreRender implements app.PreRenderer.
func (p *RolloutPage) OnPreRender(ctx app.Context) { p.Context.ahead(ctx, p.OnMount) }

// Drawn returns the menu as it works without the program: its pages are links, and signing out is a form
// that is sent to an address. The rest waits for the program.
func (m *UserMenu) Drawn(signOut string) app.UI {
	return app.Elem("details").Class("menu").Body(
		app.Elem("summary").ID(menuButtonID).Class("button menu-button").Body(app.Elem("span").Class("menu-name").Text(m.Name), icon("down")),
		app.Elem("ul").Class("menu-list").Aria("label", m.Label).Body(app.Range(m.Items).Slice(func(i int) app.UI {
			item := m.Items[i]
			id, content := "menu-"+item.ID, item.content()
			switch {
			case item.Href != "":
				return app.Elem("li").Body(app.Elem("a").ID(id).Class("menu-line").Attr("href", item.Href).Body(content...))
			case item.ID == MenuSignOut, item.ID == MenuSignOutKeep:
				action := signOut
				if item.ID == MenuSignOutKeep {
					action += "?" + shared.QueryKeepName
				}
				return app.Elem("li").Body(app.Elem("form").Attr("method", "post").Attr("action", action).Body(
					app.Elem("button").Class("menu-line").Body(content...),
				))
			}
			class := ""
			if item.Lang != "" {
				class = "menu-language"
			}
			return app.Elem("li").Class(class).Lang(item.Lang).Body(
				app.Elem("button").ID(id).Attr("type", "button").Class("menu-line").Aria("checked", strconv.FormatBool(item.Checked)).Body(content...),
			)
		})),
	)
}

func (c Context) ahead(ctx app.Context, mount func(app.Context)) {
	if c.Drawn {
		mount(ctx)
	}
}
