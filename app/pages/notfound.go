package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// nothingHere is the page at an address that matches a pattern and has nothing to show, such
// as the address of a user who was removed. The server answers all other addresses.
var nothingHere = page{
	title: func(text *message.Catalogue) string { return text.Shell.NotFound },
	content: func(s *shell, _ map[string]string) goapp.UI {
		return ui.Message{
			Title: s.text.Shell.NotFound, Lead: s.text.Refusal(shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")),
			Button: s.text.Shell.ToStart, OnButton: func(ctx goapp.Context, _ goapp.Event) { ctx.Navigate(shared.PageHome) },
		}.Render()
	},
}
