package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// NotMe writes the page of a notice's link *This wasn't me*, for the user with a name. Its button
// holds the account.
func (p *Pages) NotMe(w http.ResponseWriter, text *message.Catalogue, name string) error {
	words := message.MailPagesIn(text)
	return p.write(w, http.StatusOK, text, content{
		title: words.NotMeTitle,
		lead:  g.Text(message.Fill(words.NotMeLead, "user", name, "product", p.Product)),
		body: g.Group{
			h.Form(h.Method("post"), h.Action(shared.PageNotMe), h.Class("stack"),
				h.Button(h.Class("button primary wide"), g.Text(words.NotMeSubmit))),
			p.signInInstead(text, words),
		},
	})
}

// signInInstead leads to the page of the activity, which does more for somebody who can sign in.
func (p *Pages) signInInstead(text *message.Catalogue, words message.MailPages) g.Node {
	lead := message.Fill(words.NotMeSignIn, "activity", text.Shell.Activity, "notMe", text.Activity.NotMe)
	return g.Group{
		h.P(g.Text(lead)),
		h.P(h.A(h.Class("button wide"), h.Href(shared.PageActivity), g.Text(words.OpenActivity))),
	}
}

// Held writes the page that follows that of [Pages.NotMe].
func (p *Pages) Held(w http.ResponseWriter, text *message.Catalogue) error {
	words := message.MailPagesIn(text)
	return p.write(w, http.StatusOK, text, content{
		title: words.HeldTitle,
		lead:  g.Text(words.HeldLead),
		body:  g.Group{p.signInInstead(text, words)},
	})
}
