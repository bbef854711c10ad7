package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Setup is the content of the set-up page.
type Setup struct {
	Name, DisplayName string // what was typed before
	Refusal           string
	Refused           string // the refused input: name, display-name or password
}

// Setup writes the page that makes the first administrator.
func (p *Pages) Setup(w http.ResponseWriter, status int, text *message.Catalogue, page Setup) error {
	// The focus starts on the first input, unless another one was refused.
	start := func(input string) g.Node {
		if page.Refused == "" {
			return g.If(input == "name", h.AutoFocus())
		}
		return g.If(input == page.Refused, g.Group{h.AutoFocus(), h.Aria("invalid", "true")})
	}
	return p.write(w, status, text, content{
		title: message.Fill(message.SignInPagesIn(text).SetupTitle, "product", p.Product),
		lead:  g.Text(message.SignInPagesIn(text).SetupLead),
		body: g.Group{
			refused(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageSetup), h.Class("stack"),
				field(message.SignInPagesIn(text).SetupUserName, h.Name("name"), h.Value(page.Name), h.AutoComplete("username"), g.Attr("autocapitalize", "none"),
					g.Attr("spellcheck", "false"), h.MaxLength("64"), h.Required(), start("name"), h.Aria("describedby", "name-hint")),
				hint("name-hint", message.SignInPagesIn(text).SetupUserHint),
				field(message.SignInPagesIn(text).DisplayName, h.Name("display-name"), h.Value(page.DisplayName), h.AutoComplete("name"),
					h.MaxLength("64"), h.Required(), start("display-name"), h.Aria("describedby", "display-hint")),
				hint("display-hint", message.SignInPagesIn(text).DisplayHint),
				g.If(p.PasswordsOn, newPassword(message.SignInPagesIn(text).NewPassword, message.SignInPagesIn(text).NewPasswordHint, start("password"))),
				h.Button(h.Class("button primary wide"), g.Text(message.SignInPagesIn(text).SetupSubmit)),
			),
		},
	})
}
