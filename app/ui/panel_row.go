package ui

import (
	"cmp"
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// rowMode says what the user does with a row.
type rowMode int

const (
	rowQuiet rowMode = iota
	rowRename
	rowRenaming
	rowRemove
	rowRemoving
)

// passkeyRow is one passkey of the list.
type passkeyRow struct {
	app.Compo

	Context Context
	Passkey shared.Passkey
	Lit     bool
	Level   string // of the heading: "h3", or "h4" below a group's
	Mode    rowMode
	Failure error

	OnRename     func(id string)
	OnName       func(id, name string)
	OnRemove     func(id string)
	OnCancel     func(id string)
	OnAddAnother func()
}

// CompoID makes the row of another passkey another component: see [line.CompoID].
func (r *passkeyRow) CompoID() string { return r.Passkey.ID }

// Render implements app.Composer.
func (r *passkeyRow) Render() app.UI {
	class := "row line"
	if r.Lit {
		class += " lit"
	}
	_, glyph := r.Context.homeOf(r.Passkey.Kind, r.Passkey.Synced, r.Passkey.Provider)
	return app.Elem("li").ID("passkey-"+r.Passkey.ID).Class(class).Body(
		app.Elem("span").Class("mark").Body(icon(glyph)),
		app.Elem("div").Class("row-text").Body(
			app.If(r.Mode == rowRename || r.Mode == rowRenaming, r.renderRename).Else(r.renderName),
			r.renderFacts(),
			// A refused removal is shown in its dialog.
			app.If(r.Failure != nil && r.Mode == rowRename, func() app.UI { return app.Elem("div").Body(r.Context.notice(r.Failure)) }),
			app.If(r.Passkey.OnlyMethod, r.renderOnlyMethod),
		),
		app.If(r.Mode != rowRename && r.Mode != rowRenaming, r.renderButtons),
	)
}

func (r *passkeyRow) renderName() app.UI {
	return app.Elem(r.Level).Class("row-name").Body(
		app.Elem("bdi").Text(r.Passkey.Name),
		app.If(r.Passkey.Current, func() app.UI {
			return app.Elem("span").Class("tag").Text(r.Context.Text.Panel.Current)
		}),
	)
}

func (r *passkeyRow) renderFacts() app.UI {
	text, p := r.Context.Text.Panel, r.Passkey
	list := r.Context.passkeyFacts(p.Kind, p.Synced, p.Provider, p.Created, p.LastUsed)
	if p.Unverified {
		list = append(list, facts(text.Unverified)...)
	}
	if p.OtherAddress {
		list = append(list, facts(text.OtherAddress)...)
	}
	if p.FormerRPID != "" {
		list = append(list, facts(message.Fill(text.FormerAddress, "address", p.FormerRPID))...)
	}
	return factList(list)
}

// passkeyFacts says where a passkey is kept, when it was added, and when it was last used.
func (c Context) passkeyFacts(kind shared.PasskeyKind, synced bool, provider string, created time.Time, lastUsed *time.Time) []fact {
	text := c.Text.Panel
	home, _ := c.homeOf(kind, synced, provider)
	added, exact := c.Date(created)
	list := append(facts(home), fact{message.Fill(text.Added, "date", added), exact})
	if lastUsed == nil {
		return append(list, facts(text.NeverUsed)...)
	}
	used, exact := c.Date(*lastUsed)
	return append(list, fact{message.Fill(text.LastUsed, "date", used), exact})
}

// homeOf returns where a passkey is kept and what keeps it, and the icon for that. The words must be
// true on any screen: "on one computer", and not "on this device".
func (c Context) homeOf(kind shared.PasskeyKind, synced bool, provider string) (words, glyph string) {
	text := c.Text.Panel
	switch kindOf(kind, synced) {
	case shared.KindManager:
		switch {
		case provider == "":
			return text.InManager, "cloud"
		case !synced:
			words = text.InProvider
		case provider == shared.ProviderApple:
			words = text.InApple
		case provider == shared.ProviderGoogle:
			words = text.InGoogle
		default:
			words = text.InSynced
		}
		return message.Fill(words, "provider", provider), "cloud"
	case shared.KindSecurityKey:
		words, glyph = text.SecurityKey, "usb"
	case shared.KindComputer:
		words, glyph = text.OnComputer, "laptop"
	case shared.KindPhone:
		words, glyph = text.OnPhone, "phone"
	default:
		words, glyph = text.OnDevice, "device"
	}
	if provider != "" {
		words = message.Fill(text.HomeOf, "home", words, "provider", provider)
	}
	return words, glyph
}

// Alone says why somebody with this passkey alone should have a second one, or "" if there is no such
// reason.
func Alone(home message.Home, only *shared.Passkey) string {
	if only == nil || only.Synced {
		return ""
	}
	switch only.Kind {
	case shared.KindComputer:
		return home.SecondComputer
	case shared.KindSecurityKey:
		return home.SecondKey
	case shared.KindPhone, shared.KindDevice:
		return home.SecondDevice
	}
	return ""
}

// kindOf returns what the server says. If it says nothing, a synced passkey is in a password
// manager.
func kindOf(kind shared.PasskeyKind, synced bool) shared.PasskeyKind {
	if kind == "" && synced {
		return shared.KindManager
	}
	return kind
}

func (r *passkeyRow) renderOnlyMethod() app.UI {
	text := r.Context.Text.Panel
	return app.Elem("p").ID("only-"+r.Passkey.ID).Class("row-why").Body(
		app.Text(text.OnlyMethod+" "),
		app.Elem("button").ID("another-"+r.Passkey.ID).Attr("type", "button").Class("link").Attr("disabled", r.Context.Blocked != "").OnClick(r.onAddAnother).Text(text.AddAnother),
	)
}

func (r *passkeyRow) renderButtons() app.UI {
	text, p := r.Context.Text.Panel, r.Passkey
	remove := r.Context.button("remove-"+p.ID, "small", text.Remove, p.OnlyMethod || r.Context.Offline != "", r.onRemove).Aria("label", message.Fill(text.RemoveRow, "name", p.Name))
	if p.OnlyMethod {
		remove = remove.Aria("describedby", "only-"+p.ID)
	}
	return app.Elem("div").Class("row-buttons").Body(
		r.Context.button("rename-"+p.ID, "icon", "", r.Context.Offline != "", r.onRename).Aria("label", message.Fill(text.RenameRow, "name", p.Name)).
			Title(cmp.Or(r.Context.Offline, text.Rename)).Body(icon("pencil")),
		remove,
	)
}

func (r *passkeyRow) renderRename() app.UI {
	text, busy := r.Context.Text.Panel, r.Mode == rowRenaming
	return app.Elem("form").Class("rename").OnSubmit(r.onSubmit).OnKeyDown(r.onKey).Body(
		app.ElemSelfClosing("input").ID("name-"+r.Passkey.ID).Attr("type", "text").Class("input").Attr("value", r.Passkey.Name).
			Aria("label", text.NewName).Attr("autocomplete", "off").Attr("maxlength", shared.MaxNameLength).
			Attr("required", true).Attr("readonly", busy),
		submit("save-"+r.Passkey.ID, "small primary", "", busy).Body(steady(busy, text.Saving, text.Save)),
		button("keep-"+r.Passkey.ID, "small quiet", text.Cancel, busy, r.onCancel),
	)
}

func (r *passkeyRow) onRename(app.Context, app.Event) { r.OnRename(r.Passkey.ID) }

func (r *passkeyRow) onSubmit(_ app.Context, e app.Event) {
	e.PreventDefault()
	if r.Mode == rowRename {
		r.OnName(r.Passkey.ID, nameIn(r.Passkey.ID))
	}
}

// nameIn returns what is typed in the text box for the new name of a passkey.
func nameIn(id string) string { return app.Window().GetElementByID("name-" + id).Get("value").String() }

// onKey lets Escape end the renaming without closing the panel.
func (r *passkeyRow) onKey(_ app.Context, e app.Event) {
	if e.Get("key").String() == "Escape" {
		e.PreventDefault()
		r.OnCancel(r.Passkey.ID)
	}
}

func (r *passkeyRow) onRemove(app.Context, app.Event)     { r.OnRemove(r.Passkey.ID) }
func (r *passkeyRow) onCancel(app.Context, app.Event)     { r.OnCancel(r.Passkey.ID) }
func (r *passkeyRow) onAddAnother(app.Context, app.Event) { r.OnAddAnother() }

// The panel's part.

func (p *PasskeysPanel) beginRename(id string) {
	p.row, p.lit = openRow{id: id, mode: rowRename}, ""
	focus(p.self, "name-"+id)
	p.self.Defer(func(app.Context) {
		if input := app.Window().GetElementByID("name-" + id); input.Truthy() {
			input.Call("select")
		}
	})
}

func (p *PasskeysPanel) closeRow(id string) {
	p.row = openRow{}
	focus(p.self, "rename-"+id)
}

func (p *PasskeysPanel) rename(id, name string) {
	if name == p.find(id).Name {
		p.closeRow(id)
		return
	}

	p.row = openRow{id: id, mode: rowRenaming}
	var renamed shared.Passkey
	p.attempt(func(ctx context.Context) (err error) {
		renamed, err = p.Service.Rename(ctx, id, name)
		return err
	}, func(err error) {
		if err != nil {
			if p.find(id).ID == "" {
				return // it was removed meanwhile, which p.gone says
			}
			p.row = openRow{id: id, mode: rowRename, failure: err}
			focus(p.self, "name-"+id)
			return
		}
		p.replace(renamed)
		p.announce(message.Fill(p.Context.Text.Panel.DoneRenamed, "name", renamed.Name))
		p.closeRow(id)
	})
}

func (p *PasskeysPanel) replace(changed shared.Passkey) {
	rows := make([]shared.Passkey, len(p.list.Passkeys))
	for i, row := range p.list.Passkeys {
		if row.ID == changed.ID {
			row = changed
		}
		rows[i] = row
	}
	list := p.list
	list.Passkeys = rows
	p.edited(list)
}
