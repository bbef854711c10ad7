// Package ui holds the components that Keypeg's own app and other go-app
// programs are made of: the frame around a page, the menu under the user's name,
// the passkeys panel, the sign-in panel, and the dialogs.
//
// A program that builds them in starts with package selfservice, whose Menu puts menu and
// panel together, and whose Service is what they ask.
//
// A leaf ([UserMenu], the rows) has fields and callbacks. A panel ([PasskeysPanel]) does one
// job by itself: it asks a small interface ([PasskeyService]), and notifies its parent of
// the result. The parent sets the exported fields. The unexported ones are a component's own
// state, each a named type. Work leaves the UI goroutine by ctx.Async and comes back by
// ctx.Dispatch.
//
// A component's Context and Service are required. Other required fields say so. A callback
// that isn't set does nothing.
//
// A component shows an error of its service where the user asked for something: a
// *[shared.Error] by its Message, a [ceremony.Failure] as a sentence for its Reason
// ([ceremony.Aborted] has none), and any other error as a fault of ours, with whom to ask.
// It acts on two refusals itself. On one for which [shared.IsSignedOut] is true, it calls
// OnSignedOut. On [shared.CodeConfirmRequired] it asks the user to confirm, and then repeats
// the request.
//
// Elements are made by app.Elem, and inputs and images by app.ElemSelfClosing: each type that go-app
// has for a kind of element adds its methods for every attribute to the program. All of them made
// the app 35 kB larger for everybody, compressed.
//
// Looks come from web/static/style.css by class names; nothing sets a style,
// because the Content-Security-Policy allows none. Colours and corners are custom
// properties, which the manual lists.
package ui

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Formats writes dates and numbers in the reader's language and time zone.
type Formats interface {
	// Date writes a day, and the exact time for a tooltip.
	Date(time.Time) (day, exact string)
	// Moment writes a day with the time of day, and the exact time.
	Moment(time.Time) (moment, exact string)
	// Time writes a time of day.
	Time(time.Time) string
	// Number writes a number, with the reader's separators.
	Number(int) string
}

// Context is the context of the interface: what components need to know of the browser that
// they run in. It is the same for all components of a page. selfservice.Context makes one.
type Context struct {
	// Text is what people read. It is required.
	Text *message.Catalogue
	// Formats writes dates and numbers as the reader does. It is required.
	Formats
	// Host is the page's host name, which a person can give to IT.
	Host string
	// RPID is the relying party id that the server uses, or "".
	RPID string
	// Contact is whom to ask, in IT's words, or "".
	Contact string
	// About is the address of a page about passkeys, or "". It opens in a new tab, so that
	// what the user was doing stays.
	About string
	// Offline is a sentence that says that the server is away and since when, or "". While
	// it is set, buttons that need the server are disabled.
	Offline string
	// ConfirmsAt are the OpenID providers at which the user can confirm.
	ConfirmsAt []shared.Provider
	// SignInAgain goes to the program's sign-in, from which the user comes back with a
	// fresh session. The dialog that asks for a confirmation offers it, unless it is nil.
	SignInAgain func()
	// Recovery is the address of the page for users who have lost every other sign-in
	// method, or "".
	Recovery string
	// Blocked says why this page can't use passkeys, or why none can be added to the account, or "".
	Blocked string
	// Drawn says that a server draws the page with its user's data. Components load before they
	// are rendered then.
	Drawn bool
	// OnPhone says that the reader of a drawn page is on a phone. In a browser, the browser knows.
	OnPhone bool
	// Inline says that panels are a part of the page, and no dialogs over it.
	Inline bool
	// Once counts what can't be shown again. Nil counts nothing.
	Once *Once
	// Ended is a sentence that says that the session has ended, while the page only stays for what
	// can't be shown again; else "".
	Ended string

	now func() time.Time // nil is time.Now
}

// Count writes a number with its noun.
func (c Context) Count(text message.Counted, n int) string {
	return c.Text.Count(text, n, c.Number(n))
}

// asking returns the context of a component's request to its service, so that a refusal
// comes in the component's language.
func (c Context) asking(ctx context.Context) context.Context {
	return browser.Speaking(ctx, c.Text.Lang)
}

// sentence returns what went wrong, in words for the person at the screen. It is "" where
// the person ended the ceremony themselves.
func (c Context) sentence(err error) string {
	text := c.Text.Failure
	if failure, ok := errors.AsType[*ceremony.Failure](err); ok {
		switch failure.Reason {
		case ceremony.Aborted:
			return ""
		case ceremony.Denied:
			switch {
			case failure.Registering:
				return text.RegisterDenied
			case failure.Confirming:
				return text.ConfirmDenied
			}
			return text.SignInDenied
		case ceremony.Exists:
			return text.Exists
		case ceremony.WrongAddress:
			return message.Fill(text.WrongAddress, "host", c.Host, "rp", c.RPID)
		case ceremony.NotSupported:
			return text.NotSupported
		case ceremony.NoLock:
			return text.NoLock
		case ceremony.NotLoaded:
			return text.NotLoaded
		default:
			return message.Fill(text.Provider, "reference", failure.Exception)
		}
	}
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return strings.TrimSpace(c.Text.Refusal(refusal) + " " + mendOf(err))
	}
	return text.Unreadable
}

// needsIT reports whether the user needs IT to solve this.
func needsIT(err error) bool {
	if failure, ok := errors.AsType[*ceremony.Failure](err); ok {
		return failure.Reason == ceremony.WrongAddress || failure.Reason == ceremony.Faulty || failure.Reason == ceremony.NotLoaded
	}
	switch shared.CodeOf(err) {
	case shared.CodeInternal, shared.CodePasskeysOff, shared.CodeInBetween, shared.CodeAccountDisabled, shared.CodeAuthenticatorRefused,
		shared.CodePasskeyCopied, shared.CodePasskeyChanged, "":
		return true
	}
	return false
}

// notice shows an error where it happened, and whom to ask if the user can't solve it. For
// nil it shows nothing, and keeps its place in the page; see [Slot].
func (c Context) notice(err error) app.UI {
	text := ""
	if err != nil {
		text = c.sentence(err)
	}
	return Slot(app.If(text != "", func() app.UI {
		class := "notice notice-bad"
		if failure, ok := errors.AsType[*ceremony.Failure](err); ok && failure.Reason == ceremony.Denied {
			class = "notice" // the user has closed the prompt, which is no fault
		}
		return app.Elem("p").Class(class).Attr("role", "alert").Body(
			app.Text(text),
			app.If(ceremony.MayBeKept(err), func() app.UI {
				return app.Elem("span").Text(" " + c.Text.Failure.MayBeKept)
			}),
			app.If(needsIT(err) && c.Contact != "", func() app.UI {
				return app.Elem("span").Text(" " + message.Fill(c.Text.Failure.AskContact, "contact", c.Contact))
			}),
		)
	}))
}

// notify calls a callback of the parent, which may be nil.
func notify(callback func()) {
	if callback != nil {
		callback()
	}
}

// focus moves the keyboard focus to an element, after the next update.
func focus(ctx app.Context, id string) {
	ctx.Defer(func(app.Context) { focusNow(id) })
}

func focusNow(id string) {
	if element := app.Window().GetElementByID(id); element.Truthy() {
		element.Call("focus")
	}
}

// focused returns the id of the element with the keyboard focus, for [refocus].
func focused() string {
	id := app.Window().Get("document").Get("activeElement").Get("id").String()
	refocuses(id)
	return id
}

// refocusing is the id of the element for which [refocus] was meant last.
var refocusing string

// refocuses notes that the focus was last on this element. A list that began to load before doesn't take
// it elsewhere.
func refocuses(id string) {
	if id != "" {
		refocusing = id
	}
}

// refocus returns the keyboard focus to the element that had it, if no element has it now:
// a browser takes the focus from a button that becomes disabled while it works. A later call
// of focus wins.
func refocus(ctx app.Context, id string) {
	ctx.Defer(func(app.Context) {
		document := app.Window().Get("document")
		if document.Get("activeElement").Equal(document.Get("body")) && id != "" && id == refocusing {
			focusNow(id)
		}
	})
}

// showModal opens a <dialog>. The page behind it is inert then. An element that is none, of a panel within
// the page, stays as it is.
func showModal(ctx app.Context, id string) {
	ctx.Defer(func(app.Context) {
		if dialog := app.Window().GetElementByID(id); dialog.Truthy() && dialog.Get("showModal").Truthy() && !dialog.Get("open").Bool() {
			dialog.Call("showModal")
		}
	})
}

// showAgain opens a <dialog> that the browser has closed, unless the next update removes it.
// Open dialogs inside it are opened again too, so that they are on top.
func showAgain(ctx app.Context, id, focusedBefore string) {
	ctx.Defer(func(app.Context) {
		dialog := app.Window().GetElementByID(id)
		if !dialog.Truthy() || dialog.Get("open").Bool() {
			return
		}
		dialog.Call("showModal")
		within := dialog.Call("querySelectorAll", "dialog[open]")
		for i := range within.Length() {
			within.Index(i).Call("close")
			within.Index(i).Call("showModal")
		}
		if element := app.Window().GetElementByID(focusedBefore); focusedBefore != "" && element.Truthy() {
			element.Call("focus")
		}
	})
}

func valueOf(ctx app.Context) string { return ctx.JSSrc().Get("value").String() }
