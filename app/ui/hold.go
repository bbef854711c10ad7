package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared/message"
)

// holdRow is the id of the notice about a hold, where a refusal to end it is shown.
const holdRow = "hold"

// held says until when no sign-in method can be added, and offers to allow it again. Without allow it
// only says so.
func (c Context) held(until time.Time, off bool, refusal error, allow func()) app.UI {
	return Slot(app.If(!until.IsZero(), func() app.UI {
		date, exact := c.Moment(until)
		return app.Elem("div").ID(holdRow).Class("notice stack").Body(
			app.Elem("p").Title(exact).Text(message.Fill(c.Text.Home.Held, "date", date)),
			app.If(allow != nil, func() app.UI {
				return app.Elem("div").Class("buttons").Body(c.button(holdRow+"-allow", "small", c.Text.Home.Allow, off, func(app.Context, app.Event) { allow() }))
			}),
			c.notice(refusal),
		)
	}))
}
