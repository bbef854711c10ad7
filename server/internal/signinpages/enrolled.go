package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Enrolled writes the page that follows [Door.Enrol]'s, after a passkey was made there, or
// a password set alone.
func (p *Pages) Enrolled(w http.ResponseWriter, text *message.Catalogue, password bool) error {
	lead := text.Door.EnrolledPasskey
	if password {
		lead = text.Door.EnrolledPassword
	}
	return p.write(w, http.StatusOK, text, content{
		title: text.Door.EnrolledTitle,
		lead:  lead,
		body: g.Group{
			h.P(h.A(h.Class("button primary wide"), h.Href(shared.PageSignIn), g.Text(text.Door.BackToSignIn))),
		},
	})
}
