package signinpages

import (
	"net/http"
	"strconv"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// StepUp is the content of the page on which users confirm who they are, because a program asks for it.
type StepUp struct {
	Program  string
	User     string        // the display name
	Name     string        // the user name, for password managers
	SignedIn time.Duration // since when; 0 if that doesn't matter

	NeedsPasskey bool // nothing else is accepted
	HasPasskey   bool
	PasswordOn   bool              // the user has a password, and it is enough
	Providers    []ConfirmProvider // that can confirm it

	Next    string // our address to go on at after a passkey
	Request string // the program's, sealed
	Refusal string // why the last attempt failed, or ""
	At      string // the address of the page, for the switch of the language; "" for none
}

// ConfirmProvider is a button of a provider's that can confirm who a user is.
type ConfirmProvider struct{ ID, Name string }

// StepUp writes that page. The script runs the ceremony of the passkey button. What is typed goes to
// [shared.PageConfirmForm].
func (p *Pages) StepUp(w http.ResponseWriter, status int, text *message.Catalogue, page StepUp) error {
	draws := stepUpPage{consentPage{p, text, message.ProgramPagesIn(text), page.Program, page.Request}, page}
	return p.write(w, status, text, content{
		title:  draws.words.StepTitle,
		brand:  draws.brand(),
		lead:   draws.lead(),
		at:     page.At,
		rows:   true,
		script: draws.script(),
		body: g.Group{
			refusal(page.Refusal),
			draws.methods(),
			draws.needed(),
			h.Form(h.Method("post"), h.Action(shared.PageConsent), h.Class("stack"), draws.sealed(),
				h.Button(h.Class("button wide"), h.Name("answer"), h.Value(answerCancel), h.Span(filled(draws.words.Back, "program", page.Program)))),
			h.P(h.Class("aside"), draws.otherAccount(draws.words.NotName, "name", page.User)),
			draws.otherAccountForm(),
		},
	})
}

type stepUpPage struct {
	consentPage
	page StepUp
}

// script is the name of the script, which only the passkey button needs.
func (p stepUpPage) script() string {
	if !p.byPasskey() {
		return ""
	}
	return p.scriptFile("confirm", p.text)
}

func (p stepUpPage) byPasskey() bool   { return p.PasskeysOn && p.page.HasPasskey }
func (p stepUpPage) byPassword() bool  { return p.page.PasswordOn && !p.page.NeedsPasskey }
func (p stepUpPage) byProviders() bool { return len(p.page.Providers) > 0 && !p.page.NeedsPasskey }

// lead says who asks for it, and how long ago the user signed in. That is in whole units, rounded down.
func (p stepUpPage) lead() g.Node {
	words := p.words.Step
	count := func(text message.Counted, n time.Duration) string {
		return p.text.Count(text, int(n), strconv.Itoa(int(n)))
	}
	const day = 24 * time.Hour
	switch ago := p.page.SignedIn; {
	case ago >= day:
		words = count(p.words.StepDays, ago/day)
	case ago >= time.Hour:
		words = count(p.words.StepHours, ago/time.Hour)
	case ago >= time.Minute:
		words = count(p.words.StepMinutes, ago/time.Minute)
	}
	return filled(words, "name", p.page.User, "program", p.program)
}

// methods are the user's own, which the page may show: whoever reads it has the user's session. One button
// is primary.
func (p stepUpPage) methods() g.Node {
	if !p.byPasskey() && !p.byPassword() && !p.byProviders() {
		if p.page.NeedsPasskey {
			return nil // see needed
		}
		return h.Button(h.Class("button primary wide"), h.FormAttr(otherAccountID), g.Text(p.words.StepAgain))
	}
	return g.Group{
		g.If(p.byPasskey() || p.byPassword(),
			h.Form(h.Method("post"), h.Action(shared.PageConfirmForm), h.Class("stack"), h.ID("confirm"),
				h.Data("begin", shared.PathConfirmBegin), h.Data("finish", shared.PathConfirmFinish), h.Data("next", p.page.Next),
				h.Data("rp", p.RPID), p.sealed(),
				g.If(p.byPasskey(), p.passkey()),
				g.If(p.byPassword(), p.password()),
			)),
		g.If(p.byProviders(), p.providers()),
	}
}

func (p stepUpPage) passkey() g.Node {
	return g.Group{
		unlessScripted(p.text, h.Div(h.ID("passkey"), h.Class("stack waiting"),
			passkeyButton("button primary wide", message.SignInPageIn(p.text).UsePasskey),
			g.If(p.byPassword(), or(message.SignInPageIn(p.text).OrPassword)),
		)),
		g.If(!p.byPassword() && !p.byProviders(), incapable(message.SignInPagesIn(p.text).PasskeyOnly)),
	}
}

func (p stepUpPage) password() g.Node {
	class := "button wide instead"
	if !p.byPasskey() {
		class = "button wide primary"
	}
	return g.Group{
		hiddenName(p.page.Name),
		field(p.text.SignIn.Password, h.Name("password"), h.Type("password"), h.AutoComplete("current-password"),
			g.Attr("enterkeyhint", "go"), h.MaxLength("512"), h.Required(), g.If(!p.byPasskey() || p.page.Refusal != "", h.AutoFocus())),
		h.Button(h.Class(class), h.ID("use-password"), g.Text(p.words.Continue)),
	}
}

// providers are a form of their own: Enter in the field of the password must not press them.
func (p stepUpPage) providers() g.Node {
	class := "button wide"
	if !p.byPasskey() && !p.byPassword() && len(p.page.Providers) == 1 {
		class = "button wide primary"
	}
	return h.Form(h.Method("post"), h.Action(shared.PageConfirmForm), h.Class("stack"), h.ID("providers"), p.sealed(),
		g.If(p.byPasskey() || p.byPassword(), or(p.text.SignIn.Or)),
		g.Map(p.page.Providers, func(provider ConfirmProvider) g.Node {
			return h.Button(h.Class(class), h.Name("provider"), h.Value(provider.ID), h.Span(filled(p.words.StepProvider, "provider", provider.Name)))
		}),
	)
}

// needed says that only a passkey is accepted. Whoever has none can add one.
func (p stepUpPage) needed() g.Node {
	if !p.page.NeedsPasskey {
		return nil
	}
	words := p.words.StepPasskey
	if !p.byPasskey() {
		words = p.words.StepAdd
	}
	return g.Group{
		h.P(h.Class("notice"), h.ID("needed"), shieldGlyph, h.Span(filled(words, "program", p.program))),
		g.If(!p.byPasskey(), h.P(h.A(h.Class("button primary wide"), h.Href(shared.PagePasskeys), keyGlyph, g.Text(p.text.Panel.Add)))),
	}
}
