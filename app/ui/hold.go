package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// holdRow is the id of the notice about a hold, where a refusal to end it is shown.
const holdRow = "hold"

// Held says until when the reader can add no sign-in method, and what helps. It is "" while they can.
func (c Context) Held(a shared.Account) string {
	if a.HeldUntil.IsZero() {
		return ""
	}
	date, _ := c.Moment(a.HeldUntil)
	return message.Fill(c.Text.Home.Held, "date", date) + c.heldHelp(a, c.Text.Home.HeldHelp)
}

// heldHelp ends a sentence about a hold with what helps, in a browser in which the reader can't end it.
func (c Context) heldHelp(a shared.Account, help string) string {
	if a.MayRelease {
		return ""
	}
	if c.Contact != "" {
		help += " " + message.Fill(c.Text.Failure.AskContact, "contact", c.Contact)
	}
	return " " + help
}

// held says until when no sign-in method can be added, and offers to allow it again. Without allow it
// only says so, and what helps.
func (c Context) held(until time.Time, help string, off bool, refusal error, allow func()) app.UI {
	return Slot(app.If(!until.IsZero(), func() app.UI {
		date, exact := c.Moment(until)
		return app.Elem("div").ID(holdRow).Class("notice stack").Body(
			app.Elem("p").Title(exact).Text(message.Fill(c.Text.Home.Held, "date", date)+help),
			app.If(allow != nil, func() app.UI {
				return app.Elem("div").Class("buttons").Body(c.button(holdRow+"-allow", "small", c.Text.Home.Allow, off, func(app.Context, app.Event) { allow() }))
			}),
			c.notice(refusal),
		)
	}))
}
