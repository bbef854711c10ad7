package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Device is the content of the page on which a user types the code that a device shows (RFC 8628, 3.3).
type Device struct {
	Code    string // what was typed before, or what the device's link has
	Refusal string
}

// Device writes that page. Its form sends the code to [shared.PageDevice], which takes it in the ways of
// [shared.DeviceCode].
func (p *Pages) Device(w http.ResponseWriter, status int, text *message.Catalogue, page Device) error {
	words := message.ProgramPagesIn(text)
	return p.write(w, status, text, content{
		title: words.DeviceTitle,
		lead:  g.Text(message.Fill(words.DeviceLead, "product", p.Product)),
		at:    shared.PageDevice,
		body: g.Group{
			refused(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageDevice), h.Class("stack"),
				field(words.DeviceCode, h.Name("code"), h.Class("code"), h.Value(page.Code), h.AutoComplete("off"), g.Attr("autocapitalize", "characters"),
					g.Attr("spellcheck", "false"), g.Attr("enterkeyhint", "go"), h.MaxLength("32"), h.Required(), h.AutoFocus(), h.Aria("describedby", "code-hint"),
					g.If(page.Refusal != "", h.Aria("invalid", "true"))),
				hint("code-hint", words.DeviceHint),
				h.Button(h.Class("button primary wide"), g.Text(words.Continue)),
			),
		},
	})
}

// DeviceAsk is the content of the page on which a user lets a program on a device in.
type DeviceAsk struct {
	Program string
	Host    string // of the program; "" for one without an address
	User    string // the display name
	Code    string // as the device shows it, from [shared.DeviceCode]
	Asks    []Asked
	Request string // sealed
}

// DeviceAsk writes that page. Whoever began it somewhere else would be signed in as the user, so the page warns
// of that (RFC 8628, 5.4). Cancel has the colour of no danger, and Allow isn't the first thing that is read.
func (p *Pages) DeviceAsk(w http.ResponseWriter, status int, text *message.Catalogue, page DeviceAsk) error {
	draws := consentPage{p, text, message.ProgramPagesIn(text), page.Program, page.Request}
	return p.write(w, status, text, content{
		title:   message.Fill(draws.words.ConsentTitle, "program", page.Program, "name", page.User),
		heading: filled(draws.words.ConsentTitle, "program", page.Program, "name", page.User),
		brand:   draws.brand(),
		lead:    g.If(page.Host != "", g.Text(page.Host)),
		rows:    true,
		body: g.Group{
			h.P(h.Class("device-code"), h.Span(h.Class("spoken"), g.Text(draws.words.DeviceCode+": ")), g.Text(page.Code)),
			h.P(h.Class("notice"), h.ID("device-warning"), shieldGlyph, h.Span(g.Text(draws.words.DeviceWarn))),
			h.Div(h.Class("rows"), draws.asks(page.Asks)),
			h.Form(h.Method("post"), h.Action(shared.PageDeviceAnswer), h.Class("stack"), draws.sealed(),
				answer("button primary wide", answerAllow, draws.words.DeviceAllow),
				answer("button wide", answerCancel, draws.words.Cancel),
			),
			h.P(h.Class("aside quiet"), draws.otherAccount(draws.words.Other)),
			draws.otherAccountForm(),
		},
	})
}

// DeviceDone writes the page after that of [Pages.DeviceAsk]: the user has let the program in, or not.
func (p *Pages) DeviceDone(w http.ResponseWriter, text *message.Catalogue, program string, allowed bool) error {
	words := message.ProgramPagesIn(text)
	title, lead := words.DeviceDone, words.DeviceDoneIn
	if !allowed {
		title, lead = words.DeviceNot, words.DeviceNotLead
	}
	draws := consentPage{Pages: p, text: text, words: words, program: program}
	return p.write(w, http.StatusOK, text, content{title: title, brand: draws.brand(), lead: filled(lead, "program", program), rows: true})
}
