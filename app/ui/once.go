package ui

import (
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// Some things are shown once: the links of invitations, and recovery codes. They are lost when the page
// goes away, and when the answer that has them does.

// Once counts what a page shows now and can't show again. A program that leaves its page when the
// session ends waits for OnClosed while anything is open.
type Once struct {
	OnClosed func() // the user has closed the last of it

	open int
}

// IsOpen reports whether anything is shown that can't be shown again.
func (o *Once) IsOpen() bool { return o.open > 0 }

// shownOnce stands in a dialog that shows something once. It says that the session has ended, if it has.
type shownOnce struct {
	app.Compo

	Context Context
}

// OnMount counts it.
func (s *shownOnce) OnMount(app.Context) {
	if s.Context.Once != nil {
		s.Context.Once.open++
	}
}

// OnDismount tells the program when it was the last.
func (s *shownOnce) OnDismount() {
	once := s.Context.Once
	if once == nil {
		return
	}
	if once.open--; once.open == 0 {
		notify(once.OnClosed)
	}
}

// Render implements app.Composer.
func (s *shownOnce) Render() app.UI {
	return Slot(app.If(s.Context.Ended != "", func() app.UI {
		return app.Elem("p").Class("notice").Attr("role", "alert").Text(s.Context.Ended)
	}))
}

// linksOnce says that links in a file are shown once.
func (c Context) linksOnce() app.UI {
	return app.Elem("div").Class("stack").Body(app.Elem("p").Text(c.Text.Users.LinksLead), &shownOnce{Context: c})
}

// lostAnswer is an error after which nobody knows whether the server did what was asked.
type lostAnswer struct {
	error
	mend string // says so, and what to do then
}

func (l lostAnswer) Unwrap() error { return l.error }

// mayBeDone adds to an error what to do if only the answer was lost, which had something to be shown
// once.
func mayBeDone(err error, mend string) error {
	if !shared.IsUnreachable(err) {
		return err
	}
	return lostAnswer{err, mend}
}

// mendOf returns what to do if only the answer was lost, or "".
func mendOf(err error) string {
	lost, _ := errors.AsType[lostAnswer](err)
	return lost.mend
}
