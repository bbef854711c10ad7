package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared/message"
)

// codesDialog shows new recovery codes, this once. It closes by its button only:
// nobody loses them by a wrong key.
type codesDialog struct {
	app.Compo

	World   World
	Product string
	Name    string // of the user
	Codes   []string
	OnDone  func()
}

const codesID = "codes"

// OnMount opens the dialog.
func (d *codesDialog) OnMount(ctx app.Context) { showModal(ctx, codesID) }

func (d *codesDialog) Render() app.UI {
	text := d.World.Text.Codes
	return app.Dialog().ID(codesID).Class("dialog").Aria("labelledby", "codes-title").On("cancel", d.onEscape).Body(
		app.H2().ID("codes-title").Text(text.Title),
		app.P().Class("off-paper").Text(text.Lead),
		app.P().Class("on-paper").Text(d.heading()),
		app.Ul().Class("codes").Body(
			app.Range(d.Codes).Slice(func(i int) app.UI { return app.Li().Body(app.Code().Text(d.Codes[i])) }),
		),
		app.Div().Class("buttons off-paper").Body(
			app.Button().ID("codes-download").Type("button").Class("button").OnClick(d.onDownload).Text(text.Download),
			app.Button().ID("codes-print").Type("button").Class("button").OnClick(d.onPrint).Text(text.Print),
		),
		app.Div().Class("dialog-foot off-paper").Body(
			app.Button().ID("codes-done").Type("button").Class("button primary").OnClick(d.onDone).Text(text.Done),
		),
	)
}

func (d *codesDialog) heading() string {
	return message.Fill(d.World.Text.Codes.Heading, "product", d.Product, "name", d.Name)
}

func (d *codesDialog) onEscape(_ app.Context, e app.Event) { e.PreventDefault() }

func (d *codesDialog) onDownload(app.Context, app.Event) {
	name := message.Fill(d.World.Text.Codes.File, "product", d.Product) + ".txt"
	browser.Download(name, d.heading()+"\n\n"+strings.Join(d.Codes, "\n")+"\n")
}

func (d *codesDialog) onPrint(app.Context, app.Event) { browser.Print() }

func (d *codesDialog) onDone(app.Context, app.Event) { d.OnDone() }
