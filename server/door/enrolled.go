package door

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Enrolled writes the page that follows [Door.Enrol]'s.
func (d *Door) Enrolled(w http.ResponseWriter, text *message.Catalogue) error {
	return d.write(w, http.StatusOK, text, content{
		title: text.Door.EnrolledTitle,
		lead:  text.Door.EnrolledLead,
		body: g.Group{
			h.P(h.A(h.Class("button primary wide"), h.Href(shared.PageSignIn), g.Text(text.Door.BackToSignIn))),
		},
	})
}
