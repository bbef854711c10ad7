package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ClientService does what the page of programs offers, for administrators. Auditors may list them.
type ClientService interface {
	Clients(ctx context.Context) (shared.ClientList, error)
	// AddClient registers a program, and returns it with its secret.
	AddClient(ctx context.Context, add shared.AddClient) (shared.RegisteredClient, error)
	// ChangeClient changes the settings of a program.
	ChangeClient(ctx context.Context, id string, change shared.ChangeClient) (shared.Client, error)
	// RotateClient gives a program a new secret.
	RotateClient(ctx context.Context, id string, rotate shared.RotateClient) (shared.RegisteredClient, error)
	RemoveClient(ctx context.Context, id string) error
	// ClientText returns the settings of a program itself, by a preset, without its secret.
	ClientText(ctx context.Context, id, preset string) (shared.ClientText, error)
}

// ClientsPage shows the programs that sign people in here, and what each of them must be told. Administrators add, change and
// remove them there, and give them new secrets.
type ClientsPage struct {
	app.Compo

	Context  Context        // required
	Service  ClientService  // required
	Confirms ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account  shared.Account // of whoever looks at it
	Changes  int            // grows whenever the list may have changed elsewhere

	OnSignedOut func() // the session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	list         shared.ClientList
	failure      error
	announcement string

	open    clientsDialog
	about   shared.Client           // of the dialog
	made    shared.RegisteredClient // what the program must be told
	from    string                  // the id of the element that opened the dialog, to which the focus returns
	working bool                    // the program of the dialog is being removed
}

// clientsDialog is the dialog that is open.
type clientsDialog int

const (
	noClientsDialog clientsDialog = iota
	dialogClientAdd
	dialogClientEdit
	dialogClientSetup
	dialogClientRotate
	dialogClientRemove
)

const (
	clientsTitleID = "clients-title"
	clientAddID    = "add-client"
)

// OnMount loads the list.
func (p *ClientsPage) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load()
}

// OnUpdate loads again when something changed elsewhere.
func (p *ClientsPage) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load()
	}
}

func (p *ClientsPage) load() {
	p.seen = p.Changes
	var list shared.ClientList
	p.attempt(func(ctx context.Context) (err error) {
		list, err = p.Service.Clients(ctx)
		return err
	}, func(err error) {
		switch {
		case err != nil && p.state == listReady && shared.IsUnreachable(err):
			// What is shown stays. The page says that the server is away.
		case err != nil:
			p.state, p.failure = listFailed, err
		default:
			if p.state == listFailed {
				p.failure = nil
			}
			p.state, p.list = listReady, list
			if p.open == noClientsDialog {
				refocus(p.self, p.from) // a program with a new name may be at another place
			}
		}
	})
}

// loadAfter loads the list if it is old: after a change, and after a refusal because of what somebody else has changed.
func (p *ClientsPage) loadAfter(err error) {
	if code := shared.CodeOf(err); err == nil || code == shared.CodeConflict || code == shared.CodeNotFound {
		p.load()
	}
}

// mayChange reports whether the reader may change anything. The server has the last word.
func (p *ClientsPage) mayChange() bool { return p.Account.User.Role == shared.RoleAdministrator }

// Render implements app.Composer.
func (p *ClientsPage) Render() app.UI {
	text := p.Context.Text.Clients
	return app.Elem("section").Class("page page-wide").Aria("labelledby", clientsTitleID).Body(
		app.Elem("div").Class("head").Body(
			app.Elem("h1").ID(clientsTitleID).TabIndex(-1).Text(text.Title),
			Slot(app.If(p.mayChange() && p.state == listReady, func() app.UI {
				return p.Context.button(clientAddID, "primary", "", p.Context.Offline != "", p.onAdd).Body(icon("plus"), app.Elem("span").Text(text.Add))
			})),
		),
		Slot(app.If(p.state == listReady, func() app.UI { return p.Context.notice(p.failure) })),
		p.renderList(),
		spoken(p.announcement),
		Slot(app.If(p.open != noClientsDialog, p.renderDialog)),
		p.renderConfirm(p.Context, p.Confirms, p.Account.Passkeys > 0, p.Account.HasPassword),
	)
}

func (p *ClientsPage) renderList() app.UI {
	text := p.Context.Text.Clients
	switch {
	case p.state == listLoading:
		return p.Context.waitingRows()
	case p.state == listFailed:
		return p.Context.failedRows(p.failure, false, "clients-retry", func(app.Context, app.Event) { p.load() })
	case len(p.list.Clients) == 0:
		return app.Elem("div").Class("empty").Body(icon("key"), app.Elem("h2").Text(text.None), app.Elem("p").Text(text.NoneLead))
	}
	return app.Elem("ul").ID("clients").Class("rows").Body(app.Range(p.list.Clients).Slice(func(i int) app.UI {
		return &clientRow{Context: p.Context, Client: p.list.Clients[i], MayChange: p.mayChange(), OnDo: p.onRow}
	}))
}

func (p *ClientsPage) renderDialog() app.UI {
	text := p.Context.Text.Clients
	title := func(format string) string { return message.Fill(format, "program", p.about.Settings.Name) }
	switch p.open {
	case dialogClientAdd:
		return &clientDialog{Context: p.Context, Title: text.Add, Do: text.Add, Presets: p.list.Presets, OnSave: p.add, OnCancel: p.closes}
	case dialogClientEdit:
		return &clientDialog{
			Context: p.Context, Title: title(text.EditTitle), Do: p.Context.Text.Member.Save, Settings: p.about.Settings, Edits: true,
			OnSave: p.change, OnCancel: p.closes,
		}
	case dialogClientSetup:
		return &clientSetup{Context: p.Context, Made: p.made, OnDone: func() {
			p.made = shared.RegisteredClient{}
			p.closes()
		}}
	case dialogClientRotate:
		return &clientRotation{Context: p.Context, Title: title(text.RotateTitle), OnRotate: p.rotate, OnCancel: p.closes}
	}
	return &askDialog{
		Context: p.Context, ID: "client-remove", Title: title(text.RemoveTitle), Lead: text.RemoveLead, Do: text.Remove, Harms: true, Working: p.working,
		OnOK: p.remove, OnCancel: p.closes,
	}
}

func (p *ClientsPage) onAdd(app.Context, app.Event) {
	p.opens(dialogClientAdd, shared.Client{}, clientAddID)
}

// onRow does what a button of a row asks for.
func (p *ClientsPage) onRow(dialog clientsDialog, about shared.Client, from string) {
	if dialog == dialogClientSetup {
		p.setsUp(about, from)
		return
	}
	p.opens(dialog, about, from)
}

func (p *ClientsPage) opens(dialog clientsDialog, about shared.Client, from string) {
	p.open, p.about, p.from, p.failure, p.announcement = dialog, about, from, nil, ""
}

// closes closes the dialog. The focus returns to where it was, unless that has gone with its program, or is disabled while the
// server is away.
func (p *ClientsPage) closes() {
	isListed := slices.ContainsFunc(p.list.Clients, func(c shared.Client) bool { return c.ID == p.about.ID })
	if p.Context.Offline != "" || !isListed && p.from != clientAddID {
		p.from = clientsTitleID
	}
	p.closesTo(p.from)
}

// closesTo closes the dialog. The focus goes to an element.
func (p *ClientsPage) closesTo(id string) {
	p.open = noClientsDialog
	refocuses(id)
	focus(p.self, id)
}

// setsUp shows what a program must be told once more, except its secret.
func (p *ClientsPage) setsUp(about shared.Client, from string) {
	opens := func(text shared.ClientText) {
		p.made = shared.RegisteredClient{Client: about, Issuer: p.list.Issuer, Text: text.Text}
		p.opens(dialogClientSetup, about, from)
	}
	preset, is := presetOf(about.Settings, p.list.Presets)
	if !is {
		opens(shared.ClientText{})
		return
	}
	var text shared.ClientText
	p.attempt(func(ctx context.Context) (err error) {
		text, err = p.Service.ClientText(ctx, about.ID, preset.ID)
		return err
	}, func(err error) {
		if err == nil {
			opens(text)
			return
		}
		p.failure = err
		p.loadAfter(err)
	})
}

// makes asks for a new secret in one of the ways of the service, and shows what the program must be told.
func (p *ClientsPage) makes(ask func(context.Context) (shared.RegisteredClient, error), done func(error)) {
	var made shared.RegisteredClient
	p.attempt(func(ctx context.Context) (err error) {
		made, err = ask(ctx)
		return err
	}, func(err error) {
		if done(mayBeDone(err, p.Context.Text.Clients.Lost)); err == nil {
			p.made, p.open = made, dialogClientSetup
		}
		p.loadAfter(err)
	})
}

func (p *ClientsPage) add(d *clientDialog, done func(error)) {
	wish := shared.AddClient{ID: d.id, Settings: d.settings()}
	if preset, is := d.chosen(); is {
		wish.Preset, wish.URL = preset.ID, d.url
	}
	p.makes(func(ctx context.Context) (shared.RegisteredClient, error) { return p.Service.AddClient(ctx, wish) }, done)
}

func (p *ClientsPage) change(d *clientDialog, done func(error)) {
	of, change := p.about.ID, shared.ChangeClient{Revision: p.about.Revision, Settings: d.settings()}
	p.attempt(func(ctx context.Context) error {
		_, err := p.Service.ChangeClient(ctx, of, change)
		return err
	}, func(err error) {
		if done(err); err == nil {
			p.announcement = p.Context.Text.Clients.Saved
			p.closes()
		}
		p.loadAfter(err)
	})
}

func (p *ClientsPage) rotate(overlapDays int, done func(error)) {
	of, wish := p.about.ID, shared.RotateClient{OverlapDays: overlapDays}
	if preset, is := presetOf(p.about.Settings, p.list.Presets); is {
		wish.Preset, wish.URL = preset.ID, strings.TrimRight(p.about.Settings.Home, "/")
	}
	p.makes(func(ctx context.Context) (shared.RegisteredClient, error) {
		return p.Service.RotateClient(ctx, of, wish)
	}, done)
}

func (p *ClientsPage) remove() {
	removed := p.about
	p.working = true
	p.attempt(func(ctx context.Context) error {
		err := p.Service.RemoveClient(ctx, removed.ID)
		if shared.CodeOf(err) == shared.CodeNotFound {
			return nil // somebody else has removed it, which is what was wanted
		}
		return err
	}, func(err error) {
		p.working, p.failure = false, err
		if err == nil {
			p.announcement = message.Fill(p.Context.Text.Clients.Removed, "program", removed.Settings.Name)
			p.list.Clients = slices.DeleteFunc(p.list.Clients, func(c shared.Client) bool { return c.ID == removed.ID })
			p.load()
		}
		p.closesTo(clientsTitleID)
	})
}

// presetOf returns the preset with which a program was registered, as far as its redirects show.
func presetOf(s shared.ClientSettings, presets []shared.ClientPreset) (shared.ClientPreset, bool) {
	at := slices.IndexFunc(presets, func(preset shared.ClientPreset) bool {
		wanted := filled(preset, s.Home).Redirects
		return (preset.Fixed || s.Home != "") && len(wanted) > 0 && slices.Contains(s.Redirects, wanted[0])
	})
	if at < 0 {
		return shared.ClientPreset{}, false
	}
	return presets[at], true
}

// filled returns the settings of a preset for a program at an address.
func filled(preset shared.ClientPreset, address string) shared.ClientSettings {
	address = strings.TrimRight(strings.TrimSpace(address), "/")
	fill := func(text string) string { return strings.ReplaceAll(text, shared.ClientURL, address) }
	s := preset.Settings
	s.Home, s.BackChannel = fill(s.Home), fill(s.BackChannel)
	list := func(texts []string) (all []string) {
		for _, text := range texts {
			all = append(all, fill(text))
		}
		return all
	}
	s.Redirects, s.SignedOut = list(s.Redirects), list(s.SignedOut)
	return s
}

// clientRow is a program of the list.
type clientRow struct {
	app.Compo

	Context   Context
	Client    shared.Client
	MayChange bool
	OnDo      func(dialog clientsDialog, about shared.Client, from string)
}

// CompoID makes the row of another program another component: see [line.CompoID].
func (r *clientRow) CompoID() string { return "client-" + r.Client.ID }

// Render implements app.Composer.
func (r *clientRow) Render() app.UI {
	text, c := r.Context.Text.Clients, r.Client
	who := text.Everybody
	if len(c.Settings.Groups) > 0 {
		who = message.Fill(text.ForGroups, "groups", strings.Join(c.Settings.Groups, ", "))
	}
	known := facts(c.ID, c.Host, who)
	if !c.Changed.IsZero() {
		when, exact := r.Context.whenWithin(c.Changed)
		known = append(known, fact{message.Fill(text.Changed, "date", when), exact})
	}
	mayChange := r.MayChange && !c.Configured
	do := func(id, class, words, spoken string, on app.EventHandler) app.UI {
		return r.Context.button(id+c.ID, "small "+class, words, r.Context.Offline != "", on).Aria("label", message.Fill(spoken, "program", c.Settings.Name))
	}
	return app.Elem("li").ID("client-"+c.ID).Class("row", "line").Body(
		app.Elem("span").Class("mark").Aria("hidden", "true").Text(shared.Initial(c.Settings.Name)),
		app.Elem("div").Class("row-text").Body(
			app.Elem("h2").Class("row-name").Body(
				app.Elem("bdi").Text(c.Settings.Name),
				app.If(c.Configured, func() app.UI { return app.Elem("span").Class("tag", "tag-plain").Text(text.InFile) }),
			),
			factList(known),
		),
		app.Elem("div").Class("row-buttons").Body(
			do("setup-", "", text.SetUp, text.SecretTitle, r.onSetup),
			app.If(mayChange, func() app.UI { return do("edit-", "", text.Edit, text.EditTitle, r.onEdit) }),
			app.If(mayChange && hasSecret(c.Settings), func() app.UI { return do("rotate-", "", text.Rotate, text.RotateTitle, r.onRotate) }),
			app.If(mayChange, func() app.UI { return do("remove-", "danger", text.Remove, text.RemoveTitle, r.onRemove) }),
		),
	)
}

// The handlers are methods, because go-app tells handlers from each other by their code. A row can become that of another
// program, with other buttons, and a closure would go on with what it was made for.

func (r *clientRow) onSetup(app.Context, app.Event) {
	r.OnDo(dialogClientSetup, r.Client, "setup-"+r.Client.ID)
}

func (r *clientRow) onEdit(app.Context, app.Event) {
	r.OnDo(dialogClientEdit, r.Client, "edit-"+r.Client.ID)
}

func (r *clientRow) onRotate(app.Context, app.Event) {
	r.OnDo(dialogClientRotate, r.Client, "rotate-"+r.Client.ID)
}

func (r *clientRow) onRemove(app.Context, app.Event) {
	r.OnDo(dialogClientRemove, r.Client, "remove-"+r.Client.ID)
}

// hasSecret reports whether a program authenticates with a secret.
func hasSecret(s shared.ClientSettings) bool {
	return s.Authentication != shared.ClientKey && s.Authentication != shared.ClientNone
}
