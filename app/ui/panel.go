package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// PasskeyService does what the panel offers, for the signed-in user. One that is a
// [PhoneLinker] or a [SessionCounter] too has the panel offer more.
//
// Where Register, Rename or Remove fails with a *[shared.Error] of
// [shared.CodeConfirmRequired], the panel has the user confirm and asks again.
type PasskeyService interface {
	// Passkeys returns all of the user's. A failure takes the place of the list, with a
	// button to try again; once there is a list, that stays instead.
	Passkeys(ctx context.Context) (shared.PasskeyList, error)
	// Register adds a passkey under a name, which may be "": then it gets one. A failure
	// is shown in the form.
	Register(ctx context.Context, name string) (shared.Passkey, error)
	// Rename returns the passkey as it is called then. A failure is shown in its row.
	Rename(ctx context.Context, id, name string) (shared.Passkey, error)
	// Remove returns the passkeys that are left. With endSessions, which is offered by a
	// [SessionCounter] that counts some, and without one where the list has EndsSessions,
	// the user's other sessions that began with it end too. A failure is shown in the dialog,
	// but for [shared.CodeNotFound]: then it was gone already.
	Remove(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error)
}

// PhoneLinker makes links with which another device makes a passkey.
type PhoneLinker interface {
	// MakePhoneLink returns a new one, which is shown as a code to scan. What it fails with
	// is shown below its button.
	MakePhoneLink(ctx context.Context) (shared.EnrolmentLink, error)
}

// SessionCounter counts the user's other sessions that began with a passkey, so that they
// can be ended with it.
type SessionCounter interface {
	// SessionsByPasskey counts them by the passkey's id. It is asked whenever the list was
	// loaded, so that the question before a removal is complete from the start. After a
	// failure the panel offers to end those that it knew of, or none.
	SessionsByPasskey(ctx context.Context) (map[string]int, error)
}

// PasskeysPanel lists the user's passkeys, and lets them add, rename and remove.
//
// It is a modal dialog: Escape and its X close it, and the page behind is inert.
// Where the server wants the user to prove again who they are, it asks in place
// and then goes on.
type PasskeysPanel struct {
	app.Compo

	Context Context        // required
	Service PasskeyService // required
	// Confirms has the user confirm. With nil, the dialog says that there is nothing to
	// confirm with.
	Confirms ConfirmService
	// Adding opens the panel with the form to add a passkey.
	Adding bool
	// Changes grows whenever the list may have changed elsewhere.
	Changes int

	// OnClose is for the X and for Escape: the parent takes the panel away.
	OnClose     func()
	OnChanged   func(shared.PasskeyList) // the list was loaded, or is another now
	OnSignedOut func()                   // the session has ended

	tasks
	state        listState
	list         shared.PasskeyList
	failure      error // of loading the list
	add          addForm
	row          openRow
	seen         int            // the Changes that the list is of
	edits        int            // how many times the user changed the list here
	lit          string         // the passkey that was just added
	announcement string         // read out by screen readers
	gone         string         // that what was being changed has gone, or ""
	began        map[string]int // sessions elsewhere, by the passkey that they began with

	phone        shared.EnrolmentLink // shown while it has a URL
	gettingPhone bool
	phoneFailure error
}

type listState int

const (
	listLoading listState = iota
	listReady
	listFailed
)

// openRow is the row that something is done with, at most one at a time.
type openRow struct {
	id      string
	mode    rowMode
	failure error
}

const (
	panelID     = "passkeys"
	panelAddID  = "passkey-add"
	panelNameID = "passkey-name"
)

// OnMount opens the panel and loads the list.
func (p *PasskeysPanel) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	showModal(ctx, panelID)
	if p.Adding {
		p.openAdd()
	}
	p.load(ctx)
}

// OnUpdate asks again when something changed elsewhere.
func (p *PasskeysPanel) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load(p.self)
	}
}

func (p *PasskeysPanel) load(ctx app.Context) {
	p.seen = p.Changes
	if p.state == listFailed {
		p.state = listLoading
	}
	edits, asking := p.edits, p.Context.asking(ctx)
	ctx.Async(func() {
		list, err := p.Service.Passkeys(asking)
		ctx.Dispatch(func(ctx app.Context) {
			if p.edits != edits {
				p.load(ctx) // this list may be older than what is shown
				return
			}
			p.loaded(list, err)
		})
	})
}

func (p *PasskeysPanel) loaded(list shared.PasskeyList, err error) {
	switch {
	case shared.IsSignedOut(err):
		notify(p.OnSignedOut)
	case err != nil && p.state == listReady:
		// What is shown stays; the page tells that the server is away.
	case err != nil:
		p.state, p.failure = listFailed, err
	default:
		p.phoned(list)
		p.state, p.failure = listReady, nil
		p.show(list)
		p.countSessions()
	}
}

func (p *PasskeysPanel) countSessions() {
	counter, counts := p.Service.(SessionCounter)
	if !counts || p.Context.Offline != "" {
		return
	}
	p.self.Async(func() {
		began, err := counter.SessionsByPasskey(p.self)
		p.self.Dispatch(func(app.Context) {
			if err == nil { // else the rest works
				p.began = began
			}
		})
	})
}

// show takes a list. What was being done with a passkey that has gone ends, and the keyboard
// stays near where it was.
func (p *PasskeysPanel) show(list shared.PasskeyList) {
	before, open, had := p.list.Passkeys, p.row, focused()
	p.list, p.gone = list, ""
	for at, passkey := range before {
		if p.find(passkey.ID).ID != "" {
			continue
		}
		switch {
		case passkey.ID == open.id:
			p.row = openRow{}
			if open.mode == rowRemoving {
				break // by the user themselves, which is told with the answer
			}
			p.gone = message.Fill(p.Context.Text.Panel.GoneElsewhere, "name", passkey.Name)
			p.focusNear(at)
		case had == "rename-"+passkey.ID, had == "remove-"+passkey.ID, had == "another-"+passkey.ID:
			p.focusNear(at)
		}
	}
	if p.OnChanged != nil {
		p.OnChanged(list)
	}
}

// edited takes the list as the user has changed it here.
func (p *PasskeysPanel) edited(list shared.PasskeyList) {
	p.edits++
	p.show(list)
}

// Render implements app.Composer.
func (p *PasskeysPanel) Render() app.UI {
	text := p.Context.Text.Panel
	return panelDialog(text, p.onEscape, p.onClose,
		Slot(app.If(p.Context.Offline != "", func() app.UI {
			return app.P().Class("bar").Attr("role", "status").Text(p.Context.Offline)
		})),
		app.Div().Class("panel-body panel-columns").Body(
			app.Div().Class("panel-side").Body(p.renderSide()),
			app.Div().Class("panel-list").Body(
				Slot(app.If(p.gone != "", func() app.UI { return app.P().ID("passkey-gone").Class("notice").Attr("role", "status").Text(p.gone) })),
				p.renderList(),
			),
		),
		app.If(p.Context.Contact != "", func() app.UI {
			return app.P().Class("panel-foot contact").Text(message.Fill(text.Contact, "contact", p.Context.Contact))
		}),
		spoken(p.announcement),
		Slot(app.If(p.phone.URL != "", p.renderPhone)),
		Slot(app.If(p.row.mode == rowRemove || p.row.mode == rowRemoving, p.renderRemove)),
		p.renderConfirm(p.Context, p.Confirms, len(p.list.Passkeys) > 0, p.list.HasPassword),
	)
}

func (p *PasskeysPanel) renderList() app.UI {
	text := p.Context.Text.Panel
	switch {
	case p.state == listLoading:
		return waiting(text.Loading)
	case p.state == listFailed:
		return app.Div().Body(
			p.Context.notice(p.failure),
			button("passkeys-retry", "", text.RetryList, false, p.onRetry),
		)
	case len(p.list.Passkeys) == 0:
		return app.Div().Class("empty").Body(
			icon("key"),
			app.H3().Text(text.EmptyTitle),
			app.P().Text(text.Empty),
		)
	}

	return app.Ul().Class("rows").Body(
		app.Range(p.list.Passkeys).Slice(func(i int) app.UI {
			passkey := p.list.Passkeys[i]
			row := &passkeyRow{
				Context: p.Context, Passkey: passkey, Lit: passkey.ID == p.lit,
				OnRename: p.beginRename, OnName: p.rename, OnRemove: p.askRemove, OnCancel: p.closeRow, OnAddAnother: p.openAdd,
			}
			if p.row.id == passkey.ID {
				row.Mode, row.Failure = p.row.mode, p.row.failure
			}
			return row
		}),
	)
}

// announce has screen readers read a sentence to those who can't see the list change.
func (p *PasskeysPanel) announce(sentence string) { p.announcement = sentence }

func (p *PasskeysPanel) find(id string) shared.Passkey {
	i := slices.IndexFunc(p.list.Passkeys, func(k shared.Passkey) bool { return k.ID == id })
	if i < 0 {
		return shared.Passkey{}
	}
	return p.list.Passkeys[i]
}

func (p *PasskeysPanel) onRetry(ctx app.Context, _ app.Event) { p.load(p.self) }

func (p *PasskeysPanel) onClose(app.Context, app.Event) { notify(p.OnClose) }

// onEscape closes the panel, but not while a dialog on top of it is open: that
// one heard the key too.
func (p *PasskeysPanel) onEscape() {
	if p.paused == nil && p.phone.URL == "" && p.row.mode != rowRemove && p.row.mode != rowRemoving {
		notify(p.OnClose)
	}
}
