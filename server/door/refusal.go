package door

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Refusal writes a page that says why something can't be done.
func (d *Door) Refusal(w http.ResponseWriter, status int, text *message.Catalogue, sentence string) {
	err := d.write(w, status, text, content{
		title: text.Door.RefusalTitle,
		lead:  sentence,
		body: g.Group{
			h.P(h.A(h.Class("button wide"), h.Href(shared.PageSignIn), g.Text(text.Door.BackToSignIn))),
		},
	})
	if err != nil {
		http.Error(w, sentence, status)
	}
}
