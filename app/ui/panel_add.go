package ui

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// addForm is the part of the panel that adds a passkey.
type addForm struct {
	state   addState
	name    string
	where   shared.Hint
	failure error
	stop    context.CancelFunc // ends the browser's ceremony; nil while there is none
	added   string             // the id of the new passkey, from addDone on
}

type addState int

const (
	addClosed addState = iota
	addOpen
	addWorking
	addDone // the new passkey can be tried
	addTrying
	addTried
)

// renderSide renders the column beside the list; on a phone it is above the list. The column
// is always there, so that the list doesn't move when the form opens.
func (p *PasskeysPanel) renderSide() app.UI {
	return app.If(p.Context.Blocked != "" && p.add.state < addWorking, func() app.UI {
		return app.Elem("p").Class("notice").Text(p.Context.Blocked)
	}).ElseIf(p.add.state >= addDone, p.renderAdded).ElseIf(p.add.state != addClosed, p.renderAdd).ElseIf(p.state == listReady, func() app.UI {
		return app.Elem("div").Class("panel-adds").Body(
			p.Context.button(panelAddID, "primary", "", p.Context.Offline != "", p.onAdd).Body(icon("plus"), app.Text(p.Context.Text.Panel.Add)),
			p.renderPhoneButton(),
			p.Context.notice(p.phoneFailure),
		)
	})
}

func (p *PasskeysPanel) renderAdd() app.UI {
	text, busy := p.Context.Text.Panel, p.add.state == addWorking
	return app.Elem("form").Class("panel-add stack").Aria("label", text.Add).OnSubmit(p.onRegister).Body(
		app.Elem("h3").Text(text.Add),
		field(text.DeviceName,
			app.ElemSelfClosing("input").ID(panelNameID).Attr("type", "text").Attr("autocomplete", "off").Attr("placeholder", text.NameLike).
				Attr("maxlength", shared.MaxNameLength).Attr("readonly", busy).OnInput(p.onName),
		),
		app.Elem("details").Class("fold").Body(
			summary("", text.Where),
			app.Elem("div").Attr("role", "radiogroup").Aria("label", text.Where).Body(
				p.renderWhere("", text.WhereAsk, ""),
				p.renderWhere(shared.HintThisDevice, text.WhereHere, "laptop"),
				p.renderWhere(shared.HintPhone, text.WherePhone, "phone"),
				p.renderWhere(shared.HintSecurityKey, text.SecurityKey, "usb"),
			),
		),
		p.Context.notice(p.add.failure),
		app.Elem("div").Class("panel-adds").Body(
			submit("passkey-register", "primary", "", busy || p.Context.Offline != "").Body(steady(busy, text.Registering, text.Register, icon("key"))),
			button("passkey-add-cancel", "quiet", text.Cancel, false, p.onAddCancel),
		),
	)
}

// renderWhere renders a choice of where to keep the passkey.
func (p *PasskeysPanel) renderWhere(where shared.Hint, text, glyph string) app.UI {
	return app.Elem("label").Class("choice").Body(
		app.ElemSelfClosing("input").Attr("type", "radio").Attr("name", "where").Attr("value", string(where)).
			Attr("checked", p.add.where == where).Attr("disabled", p.add.state == addWorking).OnChange(p.onWhere),
		app.If(glyph != "", func() app.UI { return icon(glyph) }),
		app.Elem("span").Text(text),
	)
}

// onWhere reads the attribute: go-app leaves out an empty one, for which a radio button has a value of
// its own.
func (p *PasskeysPanel) onWhere(ctx app.Context, _ app.Event) {
	where := ctx.JSSrc().Call("getAttribute", "value")
	p.add.where = ""
	if where.Truthy() {
		p.add.where = shared.Hint(where.String())
	}
}

func (p *PasskeysPanel) onAdd(app.Context, app.Event) { p.openAdd() }

func (p *PasskeysPanel) openAdd() {
	if p.add.state != addOpen && p.add.state != addWorking {
		p.stopRegistering()
		p.add, p.lit = addForm{state: addOpen}, ""
	}
	focus(p.self, panelNameID)
}

func (p *PasskeysPanel) onAddCancel(app.Context, app.Event) {
	p.stopRegistering()
	added := p.add.added
	p.add = addForm{}
	focus(p.self, panelAddID)
	if added != "" && p.row.id == added && p.row.mode == rowRename {
		p.keepName(added)
	}
}

// keepName ends the naming of a new passkey as its user leaves it: a name that they have typed counts.
func (p *PasskeysPanel) keepName(id string) {
	name, err := shared.CleanPasskeyName(nameIn(id))
	if err != nil || name == "" || name == p.find(id).Name {
		p.row = openRow{}
		return
	}
	p.rename(id, name)
}

// OnDismount ends a registration: a user who closes the panel doesn't want it.
func (p *PasskeysPanel) OnDismount() { p.stopRegistering() }

func (p *PasskeysPanel) stopRegistering() {
	if p.add.stop != nil {
		p.add.stop()
	}
}

func (p *PasskeysPanel) onName(ctx app.Context, _ app.Event) { p.add.name = valueOf(ctx) }

func (p *PasskeysPanel) onRegister(_ app.Context, e app.Event) {
	e.PreventDefault()
	if p.add.state != addOpen {
		return
	}
	// The server checks the name too, but only after the passkey was made.
	name, err := shared.CleanPasskeyName(p.add.name)
	if err != nil {
		p.add.failure = err
		focus(p.self, panelNameID)
		return
	}

	p.add.state = addWorking
	var added shared.Passkey
	list, where := p.list, p.add.where
	p.attemptUnlessStopped(func(ctx context.Context) (err error) {
		if added, err = p.Service.Register(ctx, name, where); err != nil {
			return err
		}
		// The other rows may change too: one of them isn't the only sign-in method any more.
		if fresh, err := p.Service.Passkeys(ctx); err == nil {
			list = fresh
		} else {
			list.Passkeys = append(list.Passkeys, added)
		}
		return nil
	}, func(err error) {
		if err != nil {
			p.add.state, p.add.failure = addOpen, p.existing(err)
			focus(p.self, "passkey-register")
			return
		}
		p.add = addForm{state: addDone, added: added.ID}
		p.edited(list)
		p.announce(message.Fill(p.Context.Text.Panel.DoneAdded, "name", added.Name))
		if name == "" { // the server found a name, which the user may want to change
			p.beginRename(added.ID)
		} else {
			focus(p.self, panelTryID)
		}
		p.light(added.ID)
	})
}

// attemptUnlessStopped is attempt for a ceremony of the browser, which stopRegistering ends. If it has ended
// by that, done isn't called: the form was closed, and may be open again for another passkey.
func (p *PasskeysPanel) attemptUnlessStopped(work func(context.Context) error, done func(error)) {
	stopped, stop := context.WithCancel(context.Background())
	p.add.failure, p.add.stop = nil, stop
	p.attempt(func(ctx context.Context) error {
		ctx, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(stopped, end)()
		return work(ctx)
	}, func(err error) {
		if err == nil || stopped.Err() == nil {
			stop()
			done(err)
		}
	})
}

// existing returns the error with the name of the passkey that the device has already, and highlights
// it, if it can be known. Browsers say that the device has one of the user's passkeys, and not which. So
// only one may be in question: of all, or of those that can be where the user wanted the new one.
func (p *PasskeysPanel) existing(err error) error {
	failure, ok := errors.AsType[*ceremony.Failure](err)
	seen := ok && failure.Reason == ceremony.Exists // else the server may have seen it, which knows the name
	if !seen && shared.CodeOf(err) != shared.CodePasskeyExists {
		return err
	}
	var in []shared.Passkey
	for _, passkey := range p.list.Passkeys {
		if !passkey.OtherAddress && mayBeAt(passkey.Kind, p.add.where) {
			in = append(in, passkey)
		}
	}
	if len(in) != 1 {
		return err
	}
	p.light(in[0].ID)
	if seen {
		err = shared.Errorf(shared.CodePasskeyExists, "This device has one already: “%s”.", in[0].Name)
	}
	return err
}

// mayBeAt reports whether a passkey can be where a browser was told to begin.
func mayBeAt(kind shared.PasskeyKind, where shared.Hint) bool {
	isKey := kind == shared.KindSecurityKey
	switch where {
	case shared.HintSecurityKey:
		return isKey || kind == shared.KindDevice
	case shared.HintPhone:
		return !isKey && kind != shared.KindComputer
	case shared.HintThisDevice:
		return !isKey
	}
	return true
}

// light highlights a row, and scrolls to it.
func (p *PasskeysPanel) light(id string) {
	p.lit = id
	p.self.Defer(func(app.Context) {
		if row := app.Window().GetElementByID("passkey-" + id); row.Truthy() {
			row.Call("scrollIntoView", map[string]any{"block": "nearest"})
		}
	})
}
