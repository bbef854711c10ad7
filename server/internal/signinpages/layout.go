package signinpages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// content is the part of a page that differs from the others.
type content struct {
	title   string
	heading g.Node // nil for the title
	notice  g.Node // above the heading
	lead    g.Node
	body    g.Group
	brand   g.Node // nil for the installation's own
	script  string // the script for passkeys that the page loads, or ""
	rows    bool   // the page has rows, as the app has: it loads the style sheet of the app
	at      string // the address of the page; "" where the language can't be chosen
}

func (p *Pages) layout(text *message.Catalogue, own content) g.Node {
	heading, brand, style := own.heading, own.brand, "signinpages.css"
	if heading == nil {
		heading = g.Text(own.title)
	}
	if brand == nil {
		brand = h.P(h.Class("brand"), h.Img(h.Src(p.Asset("icon.svg")), h.Alt(""), h.Width("32"), h.Height("32")), g.Text(" "+p.Product))
	}
	if own.rows {
		style = "style.css"
	}
	return h.Doctype(h.HTML(h.Lang(text.Lang),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.TitleEl(g.Text(own.title+" · "+p.Product)),
			h.Link(h.Rel("icon"), h.Href(p.Asset("icon.svg"))),
			h.Link(h.Rel("stylesheet"), h.Href(p.Asset(style))),
			g.If(p.StyleSheet != "", h.Link(h.Rel("stylesheet"), h.Href(p.StyleSheet))),
			g.If(own.script != "", h.Script(h.Type("module"), h.Src(p.Asset(own.script)))),
		),
		h.Body(h.Class("sign-in-page"),
			h.Main(h.Class("card sign-in-card"),
				brand,
				own.notice,
				h.H1(heading),
				g.If(own.lead != nil, h.P(h.Class("lead"), own.lead)),
				own.body,
			),
			p.foot(text, own.at),
		),
	))
}

// foot says whom to ask, and lets people choose the language. That needs no script, and happens only
// when they press a button: a select would do it at the first arrow key.
func (p *Pages) foot(text *message.Catalogue, at string) g.Node {
	return h.Footer(h.Class("sign-in-foot contact"),
		g.If(!p.ContactSaid, h.P(g.Text(text.WhomToAsk(p.Product, p.Contact)))),
		g.If(at != "", h.Details(h.ID("language"),
			h.Summary(globeGlyph, h.Span(h.Class("spoken"), g.Text(text.Shell.Language+": ")), g.Text(text.Name)),
			h.Form(h.Method("post"), h.Action(shared.PageLanguage), h.Input(h.Type("hidden"), h.Name("at"), h.Value(at)),
				g.Map(message.Languages, func(other *message.Catalogue) g.Node {
					return g.If(other != text, h.Button(h.Name("tag"), h.Value(other.Lang), h.Lang(other.Lang), g.Text(other.Name)))
				}),
			),
		)),
	)
}
