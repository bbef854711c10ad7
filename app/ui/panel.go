package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// PasskeyService does what the panel offers, for the signed-in user. If it is also a
// [PhoneLinker] or a [SessionCounter], the panel offers more.
//
// Where Register, Rename or Remove fails with a *[shared.Error] of
// [shared.CodeConfirmRequired], the panel asks the user to confirm and repeats the call.
type PasskeyService interface {
	// Passkeys returns all passkeys of the user. If the first call fails, the panel shows
	// the error and a button to try again. If a later one fails, the list stays.
	Passkeys(ctx context.Context) (shared.PasskeyList, error)
	// Register adds a passkey under a name, and where the user wants to keep it. For "" the
	// server finds a name. An error is shown in the form.
	Register(ctx context.Context, name string, where shared.Hint) (shared.Passkey, error)
	// Try has the user prove that the passkey works, and returns it as it is then. An error is
	// shown where the button was.
	Try(ctx context.Context, id string) (shared.Passkey, error)
	// Rename returns the passkey with its new name. An error is shown in its row.
	Rename(ctx context.Context, id, name string) (shared.Passkey, error)
	// Remove returns the passkeys that are left. With endSessions, the user's other sessions
	// that began with this passkey end too. The panel offers that where a [SessionCounter]
	// counts some. Without a SessionCounter it does where the list has EndsSessions. An error
	// is shown in the dialog, except [shared.CodeNotFound]: the passkey is gone already.
	Remove(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error)
}

// PhoneLinker makes links with which another device makes a passkey.
type PhoneLinker interface {
	// MakePhoneLink returns a new link, which is shown as a QR code. An error is shown below
	// the button.
	MakePhoneLink(ctx context.Context) (shared.EnrolmentLink, error)
}

// SessionCounter counts the user's other sessions by the passkey that they began with, so
// that the panel can offer to end them with it.
type SessionCounter interface {
	// SessionsByPasskey returns the numbers by passkey id. It is called whenever the list
	// was loaded: the question before a removal must be complete when it opens, since a line
	// that came later would move its buttons. After an error the panel uses the numbers that
	// it had before, or offers nothing.
	SessionsByPasskey(ctx context.Context) (map[string]int, error)
}

// PasskeysPanel lists the user's passkeys, and lets them add, rename and remove them.
//
// It is a modal dialog: Escape and its X close it, and the page behind it is inert. Where
// the server requires a confirmation, the panel asks for it and then goes on.
type PasskeysPanel struct {
	app.Compo

	Context Context        // required
	Service PasskeyService // required
	// Confirms asks the user to confirm. With nil, the dialog says that there is nothing to
	// confirm with.
	Confirms ConfirmService
	// Adding opens the panel with the form to add a passkey.
	Adding bool
	// Changes grows whenever the list may have changed elsewhere.
	Changes int

	// OnClose is called by the X and by Escape. The parent removes the panel then.
	OnClose     func()
	OnChanged   func(shared.PasskeyList) // the list was loaded or changed
	OnSignedOut func()                   // the session has ended

	tasks
	state        listState
	list         shared.PasskeyList
	failure      error // of loading the list
	add          addForm
	row          openRow
	seen         int            // Changes, when the list was asked for
	edits        int            // how many times the user changed the list here
	lit          string         // the passkey that was just added
	announcement string         // read out by screen readers
	gone         string         // a sentence: the passkey in use here was removed elsewhere; or ""
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

// openRow is the row that the user works with. There is at most one.
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

// OnUpdate loads again when something changed elsewhere.
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
		// The list stays. The page says that the server is away.
	case err != nil:
		p.state, p.failure = listFailed, err
	default:
		p.phoneAdded(list)
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
			if err == nil { // the panel works without the numbers
				p.began = began
			}
		})
	})
}

// show takes a new list. Where the user was working with a passkey that isn't in it any more,
// that work ends, and the keyboard focus goes to a row nearby.
func (p *PasskeysPanel) show(list shared.PasskeyList) {
	before, open, had := p.list.Passkeys, p.row, focused()
	p.list = list
	for at, passkey := range before {
		if p.find(passkey.ID).ID != "" {
			continue
		}
		if passkey.ID == p.add.added {
			p.stopRegistering()
			p.add = addForm{}
		}
		switch {
		case passkey.ID == open.id:
			p.row = openRow{}
			if open.mode == rowRemoving {
				break // the user removes it here; the answer says so
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

// edited takes a list that the user has changed here.
func (p *PasskeysPanel) edited(list shared.PasskeyList) {
	p.edits++
	p.gone = ""
	p.show(list)
}

// Render implements app.Composer.
func (p *PasskeysPanel) Render() app.UI {
	return panelDialog(panelID, p.Context.Text.Panel.Title, p.Context, p.onEscape, p.onClose,
		Slot(app.If(p.Context.Offline != "", func() app.UI {
			return app.Elem("p").Class("bar").Attr("role", "status").Text(p.Context.Offline)
		})),
		app.Elem("div").Class("panel-body panel-columns").Body(
			app.Elem("div").Class("panel-side").Body(p.renderSide()),
			app.Elem("div").Class("panel-list").Body(
				Slot(app.If(p.gone != "", func() app.UI {
					return app.Elem("p").ID("passkey-gone").Class("notice").Attr("role", "status").Text(p.gone)
				})),
				p.renderList(),
			),
		),
		p.Context.panelFoot(),
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
		return app.Elem("div").Class("slot").Body(
			p.Context.notice(p.failure),
			button("passkeys-retry", "", text.RetryList, false, p.onRetry),
		)
	case len(p.list.Passkeys) == 0:
		return app.Elem("div").Class("empty").Body(
			icon("key"),
			app.Elem("h3").Text(text.EmptyTitle),
			p.renderWhat(),
		)
	}

	var managers, single, usable []shared.Passkey
	for _, passkey := range p.list.Passkeys {
		if !passkey.OtherAddress {
			usable = append(usable, passkey)
		}
		if kindOf(passkey.Kind, passkey.Synced) == shared.KindManager {
			managers = append(managers, passkey)
		} else {
			single = append(single, passkey)
		}
	}
	alone := ""
	if len(usable) == 1 {
		alone = Alone(p.Context.Text.Home, &usable[0])
	}
	both := len(managers) > 0 && len(single) > 0
	return app.Elem("div").Class("slot").Body(
		Slot(app.If(alone != "", func() app.UI {
			return app.Elem("p").ID("passkey-alone").Class("notice").Body(icon("warning"), app.Elem("span").Text(alone))
		})),
		p.renderGroup(text.InManager, text.ManagersLead, both, managers),
		p.renderGroup(text.Single, text.SingleLead, both, single),
		app.Elem("details").Class("fold").Body(
			summary("info", text.What),
			p.renderWhat(),
		),
	)
}

// renderGroup renders the passkeys of one sort. A group without any keeps its place, so that a
// passkey that is added elsewhere disturbs nobody at work on a row of the other group.
func (p *PasskeysPanel) renderGroup(title, lead string, titled bool, passkeys []shared.Passkey) app.UI {
	level := label(titled, "h4", "h3")
	return app.Elem("div").Class("panel-group").Body(
		Slot(app.If(titled, func() app.UI {
			return app.Elem("div").Body(app.Elem("h3").Text(title), app.Elem("p").Class("quiet").Text(lead))
		})),
		app.If(len(passkeys) > 0, func() app.UI {
			return app.Elem("ul").Class("rows").Aria("label", title).Body(app.Range(passkeys).Slice(func(i int) app.UI {
				passkey := passkeys[i]
				row := &passkeyRow{
					Context: p.Context, Passkey: passkey, Lit: passkey.ID == p.lit, Level: level,
					OnRename: p.beginRename, OnName: p.rename, OnRemove: p.askRemove, OnCancel: p.closeRow, OnAddAnother: p.openAdd,
				}
				if p.row.id == passkey.ID {
					row.Mode, row.Failure = p.row.mode, p.row.failure
				}
				return row
			}))
		}),
	)
}

// summary is what is always seen of a fold.
func summary(glyph, text string) app.UI {
	return app.Elem("summary").Body(
		app.If(glyph != "", func() app.UI { return icon(glyph) }),
		app.Elem("span").Text(text),
		app.Elem("span").Class("turn").Body(icon("down")),
	)
}

// renderWhat says what a passkey is. The page that says more needs the server.
func (p *PasskeysPanel) renderWhat() app.UI {
	text, about := p.Context.Text.Panel, p.Context.About
	return app.Elem("p").Body(
		app.Text(text.Empty+" "),
		app.If(about != "" && p.Context.Offline == "", func() app.UI {
			return app.Elem("a").Attr("href", about).Attr("target", "_blank").Text(text.About)
		}),
	)
}

// announce has screen readers read a sentence to people who can't see the list change.
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

// onEscape closes the panel, but not while a dialog on top of it is open, which gets the
// same key.
func (p *PasskeysPanel) onEscape() {
	if p.paused == nil && p.phone.URL == "" && p.row.mode != rowRemove && p.row.mode != rowRemoving {
		notify(p.OnClose)
	}
}
