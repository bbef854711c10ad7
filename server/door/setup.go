package door

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Setup is what the set-up page shows.
type Setup struct {
	Name, DisplayName string // what was typed before
	Refusal           string
}

// Setup writes the page that makes the first administrator.
func (d *Door) Setup(w http.ResponseWriter, status int, text *message.Catalogue, page Setup) error {
	return d.write(w, status, text, content{
		title: message.Fill(text.Door.SetupTitle, "product", d.Product),
		lead:  text.Door.SetupLead,
		body: g.Group{
			refused(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageSetup), h.Class("stack"),
				field(text.Door.SetupUserName, h.Name("name"), h.Value(page.Name), h.AutoComplete("username"), g.Attr("autocapitalize", "none"),
					g.Attr("spellcheck", "false"), h.MaxLength("64"), h.Required(), h.AutoFocus(), h.Aria("describedby", "name-hint")),
				hint("name-hint", text.Door.SetupUserHint),
				field(text.Door.DisplayName, h.Name("display-name"), h.Value(page.DisplayName), h.AutoComplete("name"),
					h.MaxLength("64"), h.Required(), h.Aria("describedby", "display-hint")),
				hint("display-hint", text.Door.DisplayHint),
				g.If(d.PasswordsOn, newPassword(text.Door.NewPassword, text.Door.NewPasswordHint)),
				h.Button(h.Class("button primary wide"), g.Text(text.Door.SetupSubmit)),
			),
		},
	})
}
