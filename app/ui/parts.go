package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// What many components have in them. Each part that is made in one place also
// counts once in the app's size.

// button is one that does something. Its kind is a class of style.css, such as
// "primary", or several, or "".
func button(id, kind, text string, off bool, onClick app.EventHandler) app.HTMLButton {
	return app.Button().ID(id).Type("button").Class("button", kind).Disabled(off).OnClick(onClick).Text(text)
}

// submit is the button that sends a form.
func submit(id, kind, text string, off bool) app.HTMLButton {
	return app.Button().ID(id).Class("button", kind).Disabled(off).Text(text)
}

// dialog is a modal one with a title, which also names it. It is shown by showModal.
// Escape doesn't close it by itself.
func dialog(id, title string, onEscape func(), content ...app.UI) app.HTMLDialog {
	heading := app.H2().ID(id + "-title").Text(title)
	return modal(app.Dialog().ID(id).Class("dialog").Aria("labelledby", id+"-title"), id, onEscape).
		Body(append([]app.UI{heading}, content...)...)
}

// modal makes a dialog modal, and keeps it open for as long as it is rendered: onEscape
// decides what Escape does.
//
// Preventing the event "cancel" isn't enough. A page may do that once, and not again before
// the user has clicked or typed something (HTML, "close watchers"; Chromium does so). At the
// next Escape the browser closes the dialog, and with it each dialog below from which it was
// opened without a click. So it is shown again, with the keyboard focus where it was.
func modal(dialog app.HTMLDialog, id string, onEscape func()) app.HTMLDialog {
	focusedBefore := ""
	return dialog.
		On("cancel", func(_ app.Context, e app.Event) {
			e.PreventDefault()
			focusedBefore = focused()
			onEscape()
		}).
		On("close", func(ctx app.Context, _ app.Event) { showAgain(ctx, id, focusedBefore) })
}

// foot is where a dialog has its buttons.
func foot(buttons ...app.UI) app.UI { return app.Div().Class("dialog-foot").Body(buttons...) }

// field is a labelled box to type into.
func field(text string, box app.UI) app.UI {
	return app.Label().Class("field").Body(app.Text(text), box)
}

// Slot is a place for what is there at times, in front of what must stay as it is. go-app
// compares children by their number: without a place of its own whatever comes would have all
// that follow drawn anew, with what somebody had typed there and the dialogs that were open.
func Slot(atTimes app.UI) app.UI { return app.Div().Class("slot").Body(atTimes) }

// spoken is read out by screen readers when it changes, and not seen.
func spoken(text string) app.UI { return app.P().Class("spoken").Attr("role", "status").Text(text) }

// waiting says that something is on its way.
func waiting(text string) app.UI { return app.P().Class("quiet").Attr("role", "status").Text(text) }

// steady is what a button says while it works, and otherwise. It is as wide as the longer
// of both from the start, so that nothing beside the button moves when it is pressed.
func steady(working bool, then, otherwise string) app.UI {
	other := label(working, otherwise, then)
	return app.Span().Class("steady").DataSet("other", other).Body(app.Span().Text(label(working, then, otherwise)))
}

// label is a button's text while it works, and otherwise.
func label(working bool, then, otherwise string) string {
	if working {
		return then
	}
	return otherwise
}
