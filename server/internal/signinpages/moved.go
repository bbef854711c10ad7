package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Moved is the content of the page that leads from a former address to the new one.
type Moved struct {
	Next            string // the page of the app to go to here
	Address, Origin string // the new one
	// Passkeys is the relying party id of the user's passkeys, if they are for former addresses alone.
	Passkeys string
}

// Moved writes that page.
func (p *Pages) Moved(w http.ResponseWriter, text *message.Catalogue, page Moved) error {
	words := message.SignInPageIn(text)
	lead, class := message.Fill(words.MovedLead, "address", page.Address), "button primary wide"
	if page.Passkeys != "" {
		lead += " " + message.Fill(words.MovedPasskey, "old", page.Passkeys, "address", page.Address)
		class = "button wide"
	}
	return p.write(w, http.StatusOK, text, content{
		title: message.Fill(words.MovedTitle, "product", p.Product),
		lead:  g.Text(lead),
		body: g.Group{
			h.Form(h.Method("post"), h.Action(shared.PageMoved), h.Class("stack"),
				h.Input(h.Type("hidden"), h.Name("next"), h.Value(page.Next)),
				g.If(page.Passkeys != "", h.Button(h.Class("button primary wide"), h.ID("make-passkey"), g.Text(words.MovedMake))),
				h.A(h.Class(class), h.ID("go"), h.Href(page.Origin+page.Next), g.Text(message.Fill(words.MovedGo, "address", page.Address))),
				h.Button(h.Class("button quiet wide"), h.Name("later"), h.Value("yes"), g.Text(words.MovedLater)),
			),
		},
	})
}
