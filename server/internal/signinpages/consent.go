package signinpages

import (
	"net/http"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Consent is the content of the page on which a user lets a program in.
type Consent struct {
	Program string
	Host    string // of the program; "" for one without an address, such as an app
	User    string // the display name
	// Asks is what the program gets. If some of it is new, the program was let in before.
	Asks    []Asked
	Request string // the program's, sealed
	At      string // the address of the page, for the switch of the language; "" for none
	// EachTime means that the user is asked at each sign-in.
	EachTime bool
}

// Asked is one thing that a program gets, with the user's own value.
type Asked struct {
	Kind  AskedKind
	Value string
	New   bool // the program didn't get it when it was let in
}

// AskedKind says what a program gets.
type AskedKind int

// The kinds. What has no value is left out, but for [AskedGroups] and [AskedOffline].
const (
	AskedName AskedKind = iota
	AskedUserName
	AskedEmail
	AskedUnverified // an e-mail address that isn't verified
	AskedGroups     // with commas between; none has no value
	AskedLanguage
	AskedOffline // to stay signed in while the program isn't used
)

// consentPage draws the pages that lead to a program and back.
type consentPage struct {
	*Pages
	text    *message.Catalogue
	words   message.ProgramPages
	program string
	request string
}

// Consent writes that page. Its form and the buttons beside it send the request back.
func (p *Pages) Consent(w http.ResponseWriter, status int, text *message.Catalogue, page Consent) error {
	draws := consentPage{p, text, message.ProgramPagesIn(text), page.Program, page.Request}
	return p.write(w, status, text, content{
		title:   message.Fill(draws.words.ConsentTitle, "program", page.Program, "name", page.User),
		heading: filled(draws.words.ConsentTitle, "program", page.Program, "name", page.User),
		brand:   draws.brand(),
		lead:    g.If(page.Host != "", g.Text(page.Host)),
		at:      page.At,
		rows:    true,
		body: g.Group{
			h.Div(h.Class("rows"),
				draws.asks(page.Asks),
				h.Div(h.Class("row line"), h.P(h.Class("row-why"), g.Text(draws.words.NoSecrets))),
			),
			h.Form(h.Method("post"), h.Action(shared.PageConsent), h.Class("stack"), draws.sealed(),
				answer("button primary wide", answerAllow, draws.words.Continue),
				answer("button wide", answerCancel, draws.words.Cancel),
			),
			h.P(h.Class("aside quiet"), g.If(!page.EachTime, g.Group{filled(draws.words.NotAgain, "program", page.Program), g.Text(" ")}), draws.otherAccount(draws.words.Other)),
			draws.otherAccountForm(),
		},
	})
}

// The values of the field answer of [shared.PageConsent].
const (
	answerAllow  = "allow"
	answerCancel = "cancel"
)

func answer(class, value, label string) g.Node {
	return h.Button(h.Class(class), h.Name("answer"), h.Value(value), g.Text(label))
}

// brand shows that the page leads from here to the program, which has its initial: a logo would be the
// program's own claim.
func (p consentPage) brand() g.Node {
	return h.P(h.Class("brand"), h.Aria("hidden", "true"),
		h.Img(h.Src(p.Asset("icon.svg")), h.Alt(""), h.Width("40"), h.Height("40")), onwardGlyph, h.B(h.Class("mark"), g.Text(shared.Initial(p.program))))
}

// sealed is the program's request, which a form sends back.
func (p consentPage) sealed() g.Node {
	return h.Input(h.Type("hidden"), h.Name("request"), h.Value(p.request))
}

// otherAccount is a button within a sentence. Its form is apart, because a paragraph can't have one.
func (p consentPage) otherAccount(label string, values ...string) g.Node {
	return h.Button(h.Class("link"), h.FormAttr(otherAccountID), filled(label, values...))
}

func (p consentPage) otherAccountForm() g.Node {
	return h.Form(h.ID(otherAccountID), g.Attr("hidden"), h.Method("post"), h.Action(shared.PageOtherAccount), p.sealed())
}

const otherAccountID = "other-account"

// asks lists what the program gets. What is new comes first, under a heading of its own.
func (p consentPage) asks(asks []Asked) g.Node {
	isNew := func(asked Asked) bool { return asked.New }
	if !slices.ContainsFunc(asks, isNew) {
		return p.list(p.words.Gets, asks)
	}
	before := slices.DeleteFunc(slices.Clone(asks), isNew)
	more := slices.DeleteFunc(slices.Clone(asks), func(asked Asked) bool { return !asked.New })
	return g.Group{p.list(p.words.GetsMore, more), g.If(len(before) > 0, p.list(p.words.GetsAsBefore, before))}
}

func (p consentPage) list(title string, asks []Asked) g.Node {
	asks = slices.DeleteFunc(slices.Clone(asks), func(asked Asked) bool { return p.asked(asked) == nil })
	if len(asks) == 0 { // it asks for nothing that the user has
		return nil
	}
	return h.Div(h.Class("row line"), h.Div(h.Class("row-text"),
		h.H2(filled(title, "program", p.program)),
		h.Ul(h.Class("plain points"), g.Map(asks, p.asked)),
	))
}

func (p consentPage) asked(asked Asked) g.Node {
	words, glyph := p.words.Name, personGlyph
	switch asked.Kind {
	case AskedUserName:
		words, glyph = p.words.UserName, badgeGlyph
	case AskedEmail:
		words, glyph = p.words.Email, mailGlyph
	case AskedUnverified:
		words, glyph = p.words.Unverified, mailGlyph
	case AskedGroups:
		words, glyph = p.words.Groups, peopleGlyph
		if asked.Value == "" {
			words = p.words.NoGroups
		}
	case AskedLanguage:
		words, glyph = p.words.Language, globeGlyph
	case AskedOffline:
		words, glyph = p.words.Offline, clockGlyph
	}
	if asked.Value == "" && asked.Kind != AskedGroups && asked.Kind != AskedOffline {
		return nil
	}
	return h.Li(glyph, h.Span(filled(words, "value", asked.Value)))
}
