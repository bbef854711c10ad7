package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared/message"
)

// holdRow is the id of the notice about a hold, where a refusal to end it is shown.
const holdRow = "hold"

// Held says until when the reader can add no sign-in method, and what helps. It is "" while they can.
func (c Context) Held(until time.Time, mayRelease bool) string {
	if until.IsZero() {
		return ""
	}
	date, _ := c.Moment(until)
	said := message.Fill(c.Text.Home.Held, "date", date)
	if !mayRelease {
		said += " " + c.Text.Home.HeldHelp + c.whom()
	}
	return said
}

// whom ends a text with whom to ask, if that is known.
func (c Context) whom() string {
	if c.Contact == "" {
		return ""
	}
	return " " + message.Fill(c.Text.Failure.AskContact, "contact", c.Contact)
}

// held says until when no sign-in method can be added, and offers to allow it again. Without allow it
// only says so, and what helps the user, unless mayRelease.
func (c Context) held(until time.Time, mayRelease, off bool, refusal error, allow func()) app.UI {
	return Slot(app.If(!until.IsZero(), func() app.UI {
		_, exact := c.Moment(until)
		return app.Elem("div").ID(holdRow).Class("notice stack").Body(
			app.Elem("p").Title(exact).Text(c.Held(until, mayRelease)),
			app.If(allow != nil, func() app.UI {
				return app.Elem("div").Class("buttons").Body(c.button(holdRow+"-allow", "small", c.Text.Home.Allow, off, func(app.Context, app.Event) { allow() }))
			}),
			c.notice(refusal),
		)
	}))
}
