package ui

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// clientSetup shows what a program must be told. A new secret can't be shown again, so with one the dialog closes by its
// button only: a wrong key doesn't lose it.
type clientSetup struct {
	app.Compo

	Context Context
	Made    shared.RegisteredClient
	OnDone  func()

	copied string // the id of what was copied last
}

const clientSetupID = "client-setup"

// OnMount opens the dialog. The focus is on the sentence at its top, because it may be higher than the screen.
func (d *clientSetup) OnMount(ctx app.Context) {
	showModal(ctx, clientSetupID)
	focus(ctx, "client-setup-lead")
}

// Render implements app.Composer.
func (d *clientSetup) Render() app.UI {
	text, made := d.Context.Text.Clients, d.Made
	lead := text.SecretLead
	switch {
	case made.Secret != "":
	case hasSecret(made.Client.Settings):
		lead = text.LaterLead
	default:
		lead = text.NoSecretLead
	}
	return dialog(clientSetupID, message.Fill(text.SecretTitle, "program", made.Client.Settings.Name), d.onEscape,
		app.If(made.Secret != "", func() app.UI { return &shownOnce{Context: d.Context} }),
		app.Elem("p").ID("client-setup-lead").TabIndex(-1).Text(lead),
		d.shown("client-setup-issuer", text.Issuer, made.Issuer),
		d.shown("client-setup-id", text.ID, made.Client.ID),
		app.If(made.Secret != "", func() app.UI { return d.shown("client-setup-secret", text.Secret, made.Secret) }),
		app.If(made.Text != "", func() app.UI {
			rows := min(12, 1+strings.Count(made.Text, "\n"))
			return d.withCopy("client-setup-text", field(text.Text, app.Elem("textarea").ID("client-setup-text").Attr("readonly", true).Attr("rows", strconv.Itoa(rows)).Attr("spellcheck", "false").Text(made.Text)), made.Text)
		}),
		foot(button("client-setup-done", "primary", d.Context.Text.Link.Done, false, d.onDone)),
	).Class("dialog-wide").Aria("describedby", "client-setup-lead")
}

// shown is a text to copy.
func (d *clientSetup) shown(id, title, value string) app.UI {
	return d.withCopy(id, field(title, app.ElemSelfClosing("input").ID(id).Class("code-line").Attr("readonly", true).Attr("value", value)), value)
}

func (d *clientSetup) withCopy(id string, shown app.UI, value string) app.UI {
	text := d.Context.Text
	copies := func(ctx app.Context, _ app.Event) {
		ctx.Async(func() {
			if browser.Copy(ctx, value) {
				ctx.Dispatch(func(app.Context) { d.copied = id })
			}
		})
	}
	return app.Elem("div").Class("copied").Body(
		shown, button(id+"-copy", "", "", false, copies).Aria("describedby", id).Body(steady(d.copied == id, text.Link.Copied, text.Clients.Copy)),
	)
}

func (d *clientSetup) onEscape() {
	if d.Made.Secret == "" {
		d.OnDone()
	}
}

func (d *clientSetup) onDone(app.Context, app.Event) { d.OnDone() }

// clientRotation asks when the old secret of a program ends.
type clientRotation struct {
	app.Compo

	Context  Context
	Title    string
	OnCancel func()
	OnRotate func(overlapDays int, done func(error))

	days    *int // as chosen
	working bool
	failure error
}

const clientRotationID = "client-rotation"

// OnMount opens the dialog.
func (d *clientRotation) OnMount(ctx app.Context) {
	showModal(ctx, clientRotationID)
	focus(ctx, "client-overlap")
}

func (d *clientRotation) overlap() int {
	if d.days != nil {
		return *d.days
	}
	return shared.ClientOverlapDays
}

// Render implements app.Composer.
func (d *clientRotation) Render() app.UI {
	text, users := d.Context.Text.Clients, d.Context.Text.Users
	choices := []struct {
		days int
		text string
	}{{0, text.AtOnce}, {1, text.InDay}, {shared.ClientOverlapDays, text.InWeek}, {30, text.InMonth}}
	return dialog(clientRotationID, d.Title, d.onEscape,
		d.Context.notice(d.failure),
		app.Elem("p").ID("client-rotation-lead").Text(text.RotateLead),
		field(text.Overlap, app.Elem("select").ID("client-overlap").On("change", d.onDays).Body(app.Range(choices).Slice(func(i int) app.UI {
			return option(strconv.Itoa(choices[i].days), choices[i].text, choices[i].days == d.overlap())
		}))),
		foot(
			button("client-rotation-cancel", "quiet", users.Cancel, d.working, d.onCancel),
			button("client-rotation-ok", "primary", "", d.working, d.onRotate).Body(steady(d.working, users.Working, text.Rotate)),
		),
	).Aria("describedby", "client-rotation-lead")
}

func (d *clientRotation) onDays(ctx app.Context, _ app.Event) {
	if days, err := strconv.Atoi(choice(ctx)); err == nil {
		d.days = &days
	}
}

func (d *clientRotation) onRotate(app.Context, app.Event) {
	if d.working {
		return
	}
	d.working, d.failure = true, nil
	d.OnRotate(d.overlap(), func(err error) { d.working, d.failure = false, err })
}

func (d *clientRotation) onEscape() {
	if !d.working {
		d.OnCancel()
	}
}

func (d *clientRotation) onCancel(app.Context, app.Event) { d.OnCancel() }
