package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Enrolled writes the page that follows that of [Pages.Enrol], after a passkey was made or
// a password was set.
func (p *Pages) Enrolled(w http.ResponseWriter, text *message.Catalogue, password bool) error {
	lead := text.SignInPages.EnrolledPasskey
	if password {
		lead = text.SignInPages.EnrolledPassword
	}
	return p.write(w, http.StatusOK, text, content{
		title: text.SignInPages.EnrolledTitle,
		lead:  g.Text(lead),
		body: g.Group{
			h.P(h.A(h.Class("button primary wide"), h.Href(shared.PageSignIn), g.Text(text.SignInPages.BackToSignIn))),
		},
	})
}
