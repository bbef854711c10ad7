package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Verify is the content of the page of a link that verifies an e-mail address.
type Verify struct {
	Address string
	Name    string // the user name of whose it is
	Refusal string
}

// Verify writes the page on which a user verifies an e-mail address. Its button does that:
// programs that look for viruses open the links of mails.
func (p *Pages) Verify(w http.ResponseWriter, status int, text *message.Catalogue, page Verify) error {
	words := message.MailPagesIn(text)
	return p.write(w, status, text, content{
		title: words.VerifyTitle,
		lead:  g.Text(message.Fill(words.VerifyLead, "address", page.Address, "user", page.Name, "product", p.Product)),
		body: g.Group{
			refused(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageVerify), h.Class("stack"),
				h.Button(h.Class("button primary wide"), g.Text(words.VerifySubmit))),
		},
	})
}

// Verified writes the page that follows that of [Pages.Verify].
func (p *Pages) Verified(w http.ResponseWriter, text *message.Catalogue) error {
	words := message.MailPagesIn(text)
	return p.write(w, http.StatusOK, text, content{
		title: words.VerifiedTitle,
		lead:  g.Text(message.Fill(words.VerifiedLead, "product", p.Product)),
		body:  g.Group{h.P(h.A(h.Class("button wide"), h.Href(shared.PageHome), g.Text(message.SignInPagesIn(text).BackToStart)))},
	})
}
