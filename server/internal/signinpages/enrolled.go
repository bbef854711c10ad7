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
	address, label := shared.PageSignIn, message.SignInPagesIn(text).BackToSignIn
	if p.Hosted {
		address, label = "/", p.Product
	}
	lead := message.SignInPagesIn(text).EnrolledPasskey
	if password {
		lead = message.SignInPagesIn(text).EnrolledPassword
	}
	return p.write(w, http.StatusOK, text, content{
		title: message.SignInPagesIn(text).EnrolledTitle,
		lead:  g.Text(lead),
		body: g.Group{
			h.P(h.A(h.Class("button primary wide"), h.Href(address), g.Text(label))),
		},
	})
}
