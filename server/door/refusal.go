package door

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Refusal is what the page of a refusal shows.
type Refusal struct {
	Sentence string
	SignedIn bool   // whoever reads it
	Origin   string // of the page that it leads to; "" is that of the refusal
	Nowhere  bool   // there is no page that it could lead to
}

// Refusal writes a page that says why something can't be done, with a way on.
func (d *Door) Refusal(w http.ResponseWriter, status int, text *message.Catalogue, page Refusal) {
	address, label := shared.PageSignIn, text.Door.BackToSignIn
	if page.SignedIn {
		address, label = shared.PageHome, text.Door.BackToStart
	}
	err := d.write(w, status, text, content{
		title: text.Door.RefusalTitle,
		lead:  page.Sentence,
		body:  g.Group{g.If(!page.Nowhere, h.P(h.A(h.Class("button wide"), h.Href(page.Origin+address), g.Text(label))))},
	})
	if err != nil {
		http.Error(w, page.Sentence, status)
	}
}
