package ui

import (
	"cmp"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// The parts that many components have. Code that stands in one place counts once in the
// app's size.

// button returns a button with a click handler. Its kind is a class of style.css such as
// "primary", several classes, or "". It is disabled while off.
func button(id, kind, text string, off bool, onClick app.EventHandler) app.HTMLElem {
	return app.Elem("button").ID(id).Attr("type", "button").Class("button", kind).Attr("disabled", off).OnClick(onClick).Text(text)
}

// button returns a button that needs the server. While that is away, its tooltip says so.
func (c Context) button(id, kind, text string, off bool, onClick app.EventHandler) app.HTMLElem {
	b := button(id, kind, text, off, onClick)
	if off && c.Offline != "" {
		b = b.Title(c.Offline)
	}
	return b
}

// submit returns the button that sends a form.
func submit(id, kind, text string, off bool) app.HTMLElem {
	return app.Elem("button").ID(id).Class("button", kind).Attr("disabled", off).Text(text)
}

// dialog returns a modal dialog. Its title is also its accessible name. [showModal] opens
// it. Escape calls onEscape, and doesn't close it.
func dialog(id, title string, onEscape func(), content ...app.UI) app.HTMLElem {
	heading := app.Elem("h2").ID(id + "-title").Text(title)
	return modal(app.Elem("dialog").ID(id).Class("dialog").Aria("labelledby", id+"-title"), id, onEscape).
		Body(append([]app.UI{heading}, content...)...)
}

// modal keeps a dialog open for as long as it is rendered. onEscape decides what Escape
// does.
//
// It isn't enough to prevent the event "cancel". A page may do that once, and then not again
// before the user has clicked or typed something (HTML, "close watchers"; Chromium does so).
// At the next Escape the browser closes the dialog, and also the dialog below it if that
// one opened this one without a click. So the dialog is shown again, with the keyboard focus
// where it was.
func modal(dialog app.HTMLElem, id string, onEscape func()) app.HTMLElem {
	focusedBefore := ""
	return dialog.
		On("cancel", func(_ app.Context, e app.Event) {
			e.PreventDefault()
			focusedBefore = focused()
			onEscape()
		}).
		On("close", func(ctx app.Context, _ app.Event) { showAgain(ctx, id, focusedBefore) })
}

// foot returns the line of a dialog's buttons.
func foot(buttons ...app.UI) app.UI { return app.Elem("div").Class("dialog-foot").Body(buttons...) }

// option is a choice of a <select>, which [choice] reads.
func option(value, text string, chosen bool) app.HTMLElem {
	return app.Elem("option").Attr("value", cmp.Or(value, noChoice)).Attr("selected", chosen).Text(text)
}

// noChoice stands for the value "": go-app leaves out an empty attribute, and an option without a value
// has its text as one.
const noChoice = "none"

// choice returns the value of the option that was chosen in the <select> of an event.
func choice(ctx app.Context) string {
	if value := valueOf(ctx); value != noChoice {
		return value
	}
	return ""
}

// part is a section of a page with a heading, and maybe something beside it.
func part(id, title string, beside app.UI, content ...app.UI) app.UI {
	heading := app.Elem("div").Class("head").Body(app.Elem("h2").ID(id).TabIndex(-1).Text(title), Slot(beside))
	return app.Elem("section").Class("part").Aria("labelledby", id).Body(append([]app.UI{heading}, content...)...)
}

// field returns a text box with its label.
func field(text string, box app.UI) app.UI {
	return app.Elem("label").Class("field").Body(app.Text(text), box)
}

// Slot keeps the place of an element that comes and goes. go-app compares children by their
// position. Without a place of its own, such an element would have go-app make all elements
// after it anew: typed text would be lost, and open dialogs would close.
func Slot(element app.UI) app.UI { return app.Elem("div").Class("slot").Body(element) }

// spoken returns a text that nobody sees. Screen readers read it out when it changes.
func spoken(text string) app.UI {
	return app.Elem("p").Class("spoken").Attr("role", "status").Text(text)
}

// waitingRows stand where rows will be, so that little moves when they come. After some seconds they
// say that it takes long.
func (c Context) waitingRows() app.UI {
	return c.noRows(c.Text.Shell.Loading, app.Elem("span").Class("slow").Text(" "+c.Text.Shell.Slow))
}

// noRows say why there are no rows.
func (c Context) noRows(why string, more ...app.UI) app.UI {
	return app.Elem("div").Class("rows").Body(
		app.Elem("p").Class("row quiet").Attr("role", "status").Body(append([]app.UI{app.Elem("span").Text(why)}, more...)...),
	)
}

// failedRows stand where rows would be if they could be loaded.
func (c Context) failedRows(failure error, isPart bool, retryID string, onRetry app.EventHandler) app.UI {
	if isPart && c.Offline != "" && shared.IsUnreachable(failure) {
		return c.noRows(c.Text.Shell.NotOffline) // the page says why
	}
	return app.Elem("div").Class("stack").Body(
		c.notice(failure),
		app.Elem("div").Class("buttons").Body(button(retryID, "", c.Text.Shell.TryAgain, false, onRetry)),
	)
}

// waiting returns a sentence that says that something is loading, or that there is nothing.
func waiting(text string) app.UI {
	return app.Elem("p").Class("quiet").Attr("role", "status").Text(text)
}

// steady is what a button says while it works, and otherwise. It is as wide as the longer
// of both from the start, so that nothing beside the button moves when it is pressed. At rest, icons
// stand before its text.
func steady(working bool, then, otherwise string, icons ...app.UI) app.UI {
	other := label(working, otherwise, then)
	if working {
		icons = nil
	}
	return app.Elem("span").Class("steady").DataSet("other", other).Body(app.Elem("span").Body(append(icons, app.Text(label(working, then, otherwise)))...))
}

// label returns a button's text: then while it works, and otherwise at rest.
func label(working bool, then, otherwise string) string {
	if working {
		return then
	}
	return otherwise
}
