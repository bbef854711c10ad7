package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Message is a page's content where there is nothing else to show: what is the
// matter, and one thing to do.
type Message struct {
	Title    string           // what is the matter
	Lead     string           // and what it means
	Button   string           // what to do, on the button; "" where there is nothing
	OnButton app.EventHandler // does it; nil does nothing
}

// Render returns the message's markup.
func (m Message) Render() app.UI {
	return app.Section().Class("message").Body(
		app.H1().Text(m.Title),
		app.P().Class("lead").Text(m.Lead),
		app.If(m.Button != "", func() app.UI { return button("message-button", "primary", m.Button, false, m.onButton) }),
	)
}

func (m Message) onButton(ctx app.Context, e app.Event) {
	if m.OnButton != nil {
		m.OnButton(ctx, e)
	}
}
