package signinpages

import (
	"cmp"
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// SignIn is the content of the sign-in page.
type SignIn struct {
	Known   Known              // the user who is greeted
	Name    string             // what was typed before
	Next    string             // the page of the app to go to
	At      string             // the address of the page, for the switch of the language
	Failed  shared.FailedTries // as the form sent it
	Refusal string             // why the last attempt failed, or ""
	Reason  string             // why the page is shown, or ""

	Providers []Provider
}

// Known is the user whom the browser belongs to, as far as it says. It is zero if it says nothing.
// The methods on the page are all that the organisation accepts, not those that the user has:
// whoever sits at the browser would learn those.
type Known struct{ Name, DisplayName string }

// Provider is a button that leads to an OpenID provider.
type Provider struct {
	Name    string
	Button  string // its text; "" for the usual one
	Address string // our address that redirects to the provider
}

// label is the text of the provider's button.
func (p Provider) label(text *message.Catalogue) string {
	return cmp.Or(p.Button, message.Fill(message.SignInPagesIn(text).SignInWith, "provider", p.Name))
}

// signInPage draws a sign-in page. One button is primary: the passkey, or what takes its place.
type signInPage struct {
	*Pages
	page  SignIn
	text  *message.Catalogue
	words message.SignInPage
	// notYou is the id of the form of the button *Not you?*. It is apart, because Enter presses the
	// first button of a form.
	notYou string
}

// SignIn writes the sign-in page.
func (p *Pages) SignIn(w http.ResponseWriter, status int, text *message.Catalogue, page SignIn) error {
	draws := signInPage{Pages: p, page: page, text: text, words: message.SignInPageIn(text), notYou: "not-you"}
	return p.write(w, status, text, draws.content())
}

func (p signInPage) content() content {
	own := content{
		title:  message.SignInPagesIn(p.text).SignInTitle, // also where the user is greeted: the browser's history keeps it
		lead:   g.Text(message.Fill(message.SignInPagesIn(p.text).SignInLead, "product", p.Product)),
		at:     p.page.At,
		script: p.scriptFile("signinpages", p.text),
		notice: g.If(p.page.Reason != "", h.P(h.Class("notice"), h.ID("reason"), h.Role("status"), infoGlyph, h.Span(g.Text(p.page.Reason)))),
		body: g.Group{
			refusal(p.page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageSignIn), h.Class("stack"), h.ID("sign-in"),
				h.Data("begin", shared.PathSignInBegin), h.Data("finish", shared.PathSignInFinish),
				p.scripted(), p.next(), p.failedTries(p.page.Failed),
				g.If(p.PasskeysOn, p.byPasskey()),
				g.If(p.PasswordsOn, p.byPassword()),
			),
			g.If(len(p.page.Providers) > 0, p.elsewhere()),
			h.P(h.Class("aside"), h.A(h.Href(shared.PageRecovery), g.Text(lost(p.text, p.PasskeysOn, p.PasswordsOn)))),
			p.linkToAbout(p.text),
		},
	}
	if p.greets() {
		own.heading = g.Text(message.Fill(p.words.Welcome, "name", p.page.Known.DisplayName))
		own.lead = g.Group{g.Text(p.page.Known.Name + " · "), h.Button(h.Class("link"), h.FormAttr(p.notYou), g.Text(p.words.NotYou))}
		own.body = append(own.body, h.Form(h.ID(p.notYou), g.Attr("hidden"), h.Method("post"), h.Action(shared.PageNotYou), p.next()))
	}
	return own
}

func (p signInPage) greets() bool { return p.page.Known.Name != "" }

func (p signInPage) next() g.Node {
	return h.Input(h.Type("hidden"), h.Name("next"), h.Value(p.page.Next))
}

// lost is the text of the link to the page for recovery codes.
func lost(text *message.Catalogue, passkeys, passwords bool) string {
	switch {
	case passwords:
		return message.SignInPagesIn(text).LostAccess
	case passkeys:
		return message.SignInPageIn(text).LostPasskey
	default:
		return message.SignInPagesIn(text).RecoveryTitle
	}
}

func (p signInPage) byPasskey() g.Group {
	label, separator := p.text.SignIn.Passkey, p.words.OrPassword
	if p.greets() {
		label, separator = p.words.UsePasskey, p.words.OtherWays
	}
	return g.Group{
		unlessScripted(p.text, h.Div(h.ID("passkey"), h.Class("stack waiting"),
			passkeyButton("button primary wide", label),
			p.relatedLinks(),
			g.If(p.PasswordsOn || p.greets() && len(p.page.Providers) > 0, or(separator)),
		)),
		g.If(!p.PasswordsOn, incapable(message.SignInPagesIn(p.text).PasskeyOnly)),
	}
}

// relatedLinks lead to the addresses of the organisation. The script shows those for whose passkeys the button
// doesn't ask, and asks for them here if the browser can.
func (p signInPage) relatedLinks() g.Node {
	if p.Related == nil {
		return nil
	}
	return g.Map(p.Related(), func(related Related) g.Node {
		return h.A(h.Class("aside"), g.Attr("hidden"), h.Data("rp-id", related.RPID), h.Href(related.Origin+httpapi.WithNext(shared.PageSignIn, p.page.Next)),
			g.Text(message.Fill(p.words.OtherPasskey, "address", related.RPID)))
	})
}

// byPassword are the fields of the password. Where the user is greeted, they are folded up, unless
// they are the only method of the form or were filled in wrongly. The user name is in a field that
// only password managers read.
func (p signInPage) byPassword() g.Node {
	if !p.greets() {
		return g.Group{p.nameField(), p.passwordField(p.page.Name != ""), p.submit()}
	}
	fields := g.Group{hiddenName(p.page.Known.Name), p.passwordField(!p.PasskeysOn || p.page.Refusal != ""), p.submit()}
	if !p.PasskeysOn {
		return fields
	}
	return h.Details(h.ID("by-password"), g.If(p.page.Name != "", g.Attr("open")),
		h.Summary(h.Class("button wide"), passwordGlyph, g.Text(p.words.UsePassword)),
		h.Div(h.Class("stack"), fields),
	)
}

func (p signInPage) nameField() g.Node {
	return field(p.text.SignIn.Name, h.Name("name"), h.Value(p.page.Name), h.AutoComplete("username"+p.autofilled()), g.Attr("autocapitalize", "none"),
		g.Attr("spellcheck", "false"), g.Attr("enterkeyhint", "next"), h.MaxLength("256"), h.Required(), g.If(p.page.Name == "", h.AutoFocus()))
}

func (p signInPage) passwordField(focused bool) g.Node {
	autofilled := ""
	if p.greets() { // no other field can offer passkeys
		autofilled = p.autofilled()
	}
	return field(p.text.SignIn.Password, h.Name("password"), h.Type("password"), h.AutoComplete("current-password"+autofilled),
		g.Attr("enterkeyhint", "go"), h.MaxLength("512"), h.Required(), g.If(focused, h.AutoFocus()))
}

// autofilled is the part of a field's autocomplete that makes the browser offer passkeys there.
func (p signInPage) autofilled() string {
	if p.PasskeysOn {
		return " webauthn"
	}
	return ""
}

// submit is the primary button where no passkey can be used. Whether that is so, the script or the
// style sheet may find out.
func (p signInPage) submit() g.Node {
	class := "button wide instead"
	if !p.PasskeysOn {
		class = "button wide primary"
	}
	return h.Button(h.Class(class), h.ID("use-password"), g.Text(p.text.SignIn.Submit))
}

func (p signInPage) elsewhere() g.Node {
	several := len(p.page.Providers) > 1 && !p.greets()
	separator := p.text.SignIn.Or
	if several {
		separator = p.words.OrProvider
	}
	class := "stack"
	if several {
		class = "tiles"
	}
	first := !p.PasskeysOn && !p.PasswordsOn
	button := "button wide"
	if first && len(p.page.Providers) == 1 {
		button = "button wide primary"
	}
	return h.Div(h.Class("stack"), h.ID("providers"),
		g.If(!first && (!p.greets() || !p.PasskeysOn), or(separator)),
		h.Div(h.Class(class), g.Map(p.page.Providers, func(provider Provider) g.Node {
			label := message.Fill(p.words.Continue, "provider", provider.Name)
			if several && !first {
				label = provider.Name
			}
			return h.A(h.Class(button), h.Href(provider.Address), g.Text(cmp.Or(provider.Button, label)))
		})),
	)
}

func or(sentence string) g.Node {
	return h.P(h.Class("or"), h.Span(g.Text(sentence)))
}
