package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// removeDialog asks whether to remove a passkey.
type removeDialog struct {
	app.Compo

	Context Context
	Passkey shared.Passkey
	Last    string // how the user signs in without it, if it is the last one
	Working bool
	Failure error
	// Sessions is the sentence that offers to end the sessions elsewhere that began with the
	// passkey, or "".
	Sessions string

	OnCancel func()
	OnOK     func(endSessions bool)
}

const (
	removeID      = "remove"
	endSessionsID = "remove-sessions"
)

// OnMount opens the dialog. The focus is on Cancel, so that Enter removes nothing.
func (d *removeDialog) OnMount(ctx app.Context) {
	showModal(ctx, removeID)
	focus(ctx, "remove-cancel")
}

func (d *removeDialog) Render() app.UI {
	text := d.Context.Text.Panel
	return dialog(removeID, message.Fill(text.RemoveTitle, "name", d.Passkey.Name), d.onEscape,
		app.Elem("p").ID("remove-lead").Text(text.RemoveLead),
		app.If(d.Last != "", func() app.UI { return app.Elem("p").Text(d.Last) }),
		app.If(d.Sessions != "", func() app.UI {
			return app.Elem("label").Class("check").Body(
				app.ElemSelfClosing("input").ID(endSessionsID).Attr("type", "checkbox").Attr("disabled", d.Working),
				app.Elem("span").Text(d.Sessions),
			)
		}),
		d.Context.notice(d.Failure),
		foot(
			button("remove-cancel", "", text.Cancel, d.Working, d.onCancel),
			d.Context.button("remove-ok", "danger", "", d.Working || d.Context.Offline != "", d.onOK).Body(steady(d.Working, text.Removing, text.OK)),
		),
	).Aria("describedby", "remove-lead")
}

func (d *removeDialog) onEscape() {
	if !d.Working {
		d.OnCancel()
	}
}

func (d *removeDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
func (d *removeDialog) onOK(app.Context, app.Event) {
	box := app.Window().GetElementByID(endSessionsID)
	d.OnOK(box.Truthy() && box.Get("checked").Bool())
}

// The panel's part.

func (p *PasskeysPanel) renderRemove() app.UI {
	return &removeDialog{
		Context: p.Context, Passkey: p.find(p.row.id), Last: p.left(),
		Working: p.row.mode == rowRemoving, Failure: p.row.failure, Sessions: p.sessions(),
		OnCancel: p.cancelRemove, OnOK: p.remove,
	}
}

// sessions returns the sentence that offers to end the sessions that began with the passkey,
// or "" where there are none.
func (p *PasskeysPanel) sessions() string {
	text := p.Context.Text.Panel
	_, counts := p.Service.(SessionCounter)
	switch n := p.began[p.row.id]; {
	case n > 0:
		return p.Context.Count(text.RemoveSessions, n)
	case !counts && p.list.EndsSessions:
		return text.RemoveSomeSessions
	default:
		return ""
	}
}

// left returns the sentence that says how the user signs in without their last passkey.
func (p *PasskeysPanel) left() string {
	text := p.Context.Text.Panel
	switch {
	case len(p.list.Passkeys) > 1:
		return ""
	case p.list.HasPassword:
		return text.RemoveLast
	case len(p.Context.ConfirmsAt) > 0:
		return message.Fill(text.RemoveLastAt, "provider", p.Context.ConfirmsAt[0].Name)
	default:
		return "" // a sign-in method of a host program, which only the host has a name for
	}
}

func (p *PasskeysPanel) askRemove(id string) { p.row = openRow{id: id, mode: rowRemove} }

func (p *PasskeysPanel) cancelRemove() {
	id := p.row.id
	p.row = openRow{}
	focus(p.self, "remove-"+id)
}

func (p *PasskeysPanel) remove(endSessions bool) {
	going := p.find(p.row.id)
	at := slices.IndexFunc(p.list.Passkeys, func(k shared.Passkey) bool { return k.ID == going.ID })
	p.row.mode, p.row.failure = rowRemoving, nil

	var left shared.PasskeyList
	p.attempt(func(ctx context.Context) (err error) {
		left, err = p.Service.Remove(ctx, going.ID, endSessions)
		if shared.CodeOf(err) == shared.CodeNotFound {
			left, err = p.Service.Passkeys(ctx) // it is gone already, which is what the user wanted
		}
		return err
	}, func(err error) {
		if err != nil {
			p.row.mode, p.row.failure = rowRemove, err
			focus(p.self, "remove-cancel")
			return
		}
		p.row = openRow{}
		p.edited(left)
		p.announce(message.Fill(p.Context.Text.Panel.DoneRemoved, "name", going.Name))
		p.focusNear(at)
	})
}

// focusNear moves the keyboard focus to where the removed row was.
func (p *PasskeysPanel) focusNear(at int) {
	if len(p.list.Passkeys) == 0 {
		focus(p.self, panelAddID)
		return
	}
	focus(p.self, "rename-"+p.list.Passkeys[min(at, len(p.list.Passkeys)-1)].ID)
}
