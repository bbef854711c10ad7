package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared/message"
)

// Leaving is the content of the page that asks whether to sign out, because a program wants it.
type Leaving struct {
	Program string // "" if it isn't known
	Action  string // where the form goes
	Request string // the program's, sealed
}

// Leaving writes that page.
func (p *Pages) Leaving(w http.ResponseWriter, text *message.Catalogue, page Leaving) error {
	words := message.ProgramSessionsIn(text)
	lead := g.Node(g.Text(words.Leads))
	if page.Program != "" {
		lead = filled(words.Lead, "program", page.Program)
	}
	return p.write(w, http.StatusOK, text, content{
		title: words.Title,
		lead:  lead,
		body: g.Group{
			h.Form(h.Method("post"), h.Action(page.Action), h.Class("stack"),
				h.Input(h.Type("hidden"), h.Name("request"), h.Value(page.Request)),
				answer("button primary wide", answerAllow, words.Leave),
				answer("button wide", answerCancel, words.Stay),
			),
		},
	})
}
