package signinpages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared/message"
)

// content is the part of a page that differs from the others.
type content struct {
	title, lead string
	body        g.Group
	script      bool // the page loads the script for passkeys
}

func (p *Pages) layout(text *message.Catalogue, own content) g.Node {
	return h.Doctype(h.HTML(h.Lang(text.Lang),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.TitleEl(g.Text(own.title+" · "+p.Product)),
			h.Link(h.Rel("icon"), h.Href(p.Asset("icon.svg")), h.Type("image/svg+xml")),
			h.Link(h.Rel("stylesheet"), h.Href(p.Asset("signinpages.css"))),
			g.If(own.script, h.Script(h.Type("module"), h.Src(p.Asset("signinpages.js")))),
		),
		h.Body(h.Class("sign-in-page"),
			h.Main(h.Class("card sign-in-card"),
				h.P(h.Class("brand"), h.Img(h.Src(p.Asset("icon.svg")), h.Alt(""), h.Width("32"), h.Height("32")), g.Text(" "+p.Product)),
				h.H1(g.Text(own.title)),
				h.P(h.Class("lead"), g.Text(own.lead)),
				own.body,
				g.If(!p.ContactSaid, h.P(h.Class("contact"), g.Text(text.WhomToAsk(p.Product, p.Contact)))),
			),
		),
	))
}
