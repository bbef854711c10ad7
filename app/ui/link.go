package ui

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// linkDialog shows a new enrolment link, to scan or to copy. The link can't be shown again,
// so the dialog closes by its button only: a wrong key doesn't lose it.
type linkDialog struct {
	app.Compo

	Context     Context
	Title, Lead string
	Link        shared.EnrolmentLink
	OnDone      func()

	copied bool
}

const linkID = "link"

// OnMount opens the dialog. The autofocus of Done gives it the focus. If the address had the
// focus first, it would select its text, and so take the focus back from Done.
func (d *linkDialog) OnMount(ctx app.Context) { showModal(ctx, linkID) }

func (d *linkDialog) Render() app.UI {
	text := d.Context.Text.Link
	return dialog(linkID, d.Title, d.onEscape,
		&shownOnce{Context: d.Context},
		app.Elem("p").ID("link-lead").Text(d.Lead),
		app.If(isThisComputer(d.Context.Host), func() app.UI { return app.Elem("p").ID("link-local").Class("notice").Text(text.ThisComputer) }),
		app.Elem("div").Class("qr").Attr("role", "img").Aria("label", text.Code).Body(drawnQR(d.Link.QR)),
		field(text.Address,
			app.ElemSelfClosing("input").ID("link-url").Class("code-line").Attr("readonly", true).Attr("value", d.Link.URL).OnFocus(d.onFocus),
		),
		foot(
			button("link-copy", "", "", false, d.onCopy).Body(steady(d.copied, text.Copied, text.Copy)),
			button("link-done", "primary", text.Done, false, d.onDone).Attr("autofocus", true),
		),
	).Aria("describedby", "link-lead")
}

// isThisComputer reports whether a host name means the computer that shows the page.
func isThisComputer(host string) bool {
	return shared.IsLocalhost(host) || host == "127.0.0.1" || host == "[::1]"
}

// drawnQR draws a QR code with its quiet zone of four light modules. The path becomes raw
// markup. So a path with a character that paths of QR codes don't need is not drawn.
func drawnQR(code shared.QR) app.UI {
	if strings.Trim(code.Path, "Mhvz -0123456789") != "" {
		return app.Text("")
	}
	size := strconv.Itoa(code.Size + 8)
	return app.Raw(`<svg viewBox="-4 -4 ` + size + ` ` + size + `" aria-hidden="true"><path d="` + code.Path + `"/></svg>`)
}

func (d *linkDialog) onEscape() {}

func (d *linkDialog) onFocus(ctx app.Context, _ app.Event) { ctx.JSSrc().Call("select") }

func (d *linkDialog) onCopy(ctx app.Context, _ app.Event) {
	ctx.Async(func() {
		if browser.Copy(ctx, d.Link.URL) {
			ctx.Dispatch(func(app.Context) { d.copied = true })
		}
	})
}

func (d *linkDialog) onDone(app.Context, app.Event) { d.OnDone() }
