package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// nothingHere is the page of an address that has a page's form, and behind which is nothing:
// that of a user who was removed, say. Other addresses are answered by the server.
var nothingHere = page{
	title: func(text *message.Catalogue) string { return text.Shell.NotFound },
	content: func(s *shell, _ map[string]string) goapp.UI {
		return ui.Message{
			Title: s.text.Shell.NotFound, Lead: s.text.Refusal(shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")),
			Button: s.text.Shell.ToStart, OnButton: func(ctx goapp.Context, _ goapp.Event) { ctx.Navigate(shared.PageHome) },
		}.Render()
	},
}
