package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared/message"
)

// codesDialog shows new recovery codes. They can't be shown again, so the dialog closes by
// its button only: a wrong key doesn't lose them.
type codesDialog struct {
	app.Compo

	Context Context
	Product string
	Name    string // of the user
	Codes   []string
	OnDone  func()
}

const codesID = "codes"

// OnMount opens the dialog. The focus is on the first sentence, the first element that can have
// it. On Download it would scroll title and sentence out of a low screen.
func (d *codesDialog) OnMount(ctx app.Context) { showModal(ctx, codesID) }

func (d *codesDialog) Render() app.UI {
	text := d.Context.Text.Codes
	return dialog(codesID, text.Title, d.onEscape,
		&shownOnce{Context: d.Context},
		app.Elem("p").ID("codes-lead").Class("off-paper").TabIndex(-1).Text(text.Lead),
		app.Elem("p").Class("on-paper").Text(d.heading()),
		app.Elem("ul").Class("codes").Body(
			app.Range(d.Codes).Slice(func(i int) app.UI { return app.Elem("li").Body(app.Elem("code").Text(d.Codes[i])) }),
		),
		app.Elem("div").Class("buttons off-paper").Body(
			button("codes-download", "", text.Download, false, d.onDownload),
			button("codes-print", "", text.Print, false, d.onPrint),
		),
		app.Elem("div").Class("dialog-foot off-paper").Body(
			button("codes-done", "primary", text.Done, false, d.onDone),
		),
	)
}

func (d *codesDialog) heading() string {
	return message.Fill(d.Context.Text.Codes.Heading, "product", d.Product, "name", d.Name)
}

func (d *codesDialog) onEscape() {}

func (d *codesDialog) onDownload(app.Context, app.Event) {
	name := message.Fill(d.Context.Text.Codes.File, "product", d.Product) + ".txt"
	browser.Download(name, d.heading()+"\n\n"+strings.Join(d.Codes, "\n")+"\n")
}

func (d *codesDialog) onPrint(app.Context, app.Event) { browser.Print() }

func (d *codesDialog) onDone(app.Context, app.Event) { d.OnDone() }
