package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Recovery is the content of the page for recovery codes.
type Recovery struct {
	Name    string // what was typed before
	Refusal string
}

// Recovery writes the page for users who have lost all sign-in methods.
func (p *Pages) Recovery(w http.ResponseWriter, status int, text *message.Catalogue, page Recovery) error {
	return p.write(w, status, text, content{
		title: message.SignInPagesIn(text).RecoveryTitle,
		lead:  g.Text(message.SignInPagesIn(text).RecoveryLead),
		at:    shared.PageRecovery,
		body: g.Group{
			refused(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageRecovery), h.Class("stack"),
				field(text.SignIn.Name, h.Name("name"), h.Value(page.Name), h.AutoComplete("username"), g.Attr("autocapitalize", "none"),
					g.Attr("spellcheck", "false"), h.MaxLength("256"), h.Required(), g.If(page.Name == "", h.AutoFocus())),
				field(message.SignInPagesIn(text).RecoveryCode, h.Name("code"), h.Class("code"), h.AutoComplete("off"), g.Attr("autocapitalize", "characters"),
					g.Attr("spellcheck", "false"), h.MaxLength("32"), h.Required(), g.If(page.Name != "", h.AutoFocus())),
				h.Button(h.Class("button primary wide"), g.Text(text.SignIn.Submit)),
			),
			h.P(h.Class("aside"), h.A(h.Href(shared.PageSignIn), g.Text(message.SignInPagesIn(text).BackToSignIn))),
		},
	})
}
