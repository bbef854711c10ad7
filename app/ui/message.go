package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Message is the content of a page that has nothing else to show: what happened, and one
// thing to do.
type Message struct {
	Title    string           // what happened
	Lead     string           // what that means
	Button   string           // the text of the button; "" for no button
	OnButton app.EventHandler // nil does nothing
}

// Render returns the message's markup.
func (m Message) Render() app.UI {
	return app.Elem("section").Class("message").Body(
		app.Elem("h1").Text(m.Title),
		app.Elem("p").Class("lead").Text(m.Lead),
		app.If(m.Button != "", func() app.UI { return button("message-button", "primary", m.Button, false, m.onButton) }),
	)
}

func (m Message) onButton(ctx app.Context, e app.Event) {
	if m.OnButton != nil {
		m.OnButton(ctx, e)
	}
}
