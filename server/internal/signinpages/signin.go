package signinpages

import (
	"cmp"
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// SignIn is the content of the sign-in page.
type SignIn struct {
	Name    string             // what was typed before
	Next    string             // the page of the app to go to
	Failed  shared.FailedTries // as the form sent it
	Refusal string             // why the last attempt failed, or ""
	Reason  string             // why the page is shown, or ""

	Providers []Provider
}

// Provider is a button that leads to an OpenID provider.
type Provider struct {
	Name    string
	Button  string // its text; "" for the usual one
	Address string // our address that redirects to the provider
}

// label is the text of the provider's button.
func (p Provider) label(text *message.Catalogue) string {
	return cmp.Or(p.Button, message.Fill(text.SignInPages.SignInWith, "provider", p.Name))
}

// SignIn writes the sign-in page.
func (p *Pages) SignIn(w http.ResponseWriter, status int, text *message.Catalogue, page SignIn) error {
	return p.write(w, status, text, content{
		title:  text.SignInPages.SignInTitle,
		lead:   message.Fill(text.SignInPages.SignInLead, "product", p.Product),
		script: true,
		body: g.Group{
			g.If(page.Reason != "", h.P(h.Class("notice"), h.ID("reason"), h.Role("status"), g.Text(page.Reason))),
			refusal(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageSignIn), h.Class("stack"), h.ID("sign-in"),
				h.Data("begin", shared.PathSignInBegin), h.Data("finish", shared.PathSignInFinish),
				h.Data("text-denied", text.Failure.SignInDenied), p.scripted(text),
				h.Input(h.Type("hidden"), h.Name("next"), h.Value(page.Next)), p.failedTries(page.Failed),
				g.If(p.PasswordsOn, p.signInByPassword(text, page.Name)),
				g.If(p.PasskeysOn, p.signInByPasskey(text)),
			),
			g.If(len(page.Providers) > 0, p.signInElsewhere(text, page.Providers)),
			h.P(h.Class("aside"), h.A(h.Href(shared.PageRecovery), g.Text(text.SignInPages.LostAccess))),
			p.linkToAbout(text),
		},
	})
}

func (p *Pages) signInByPassword(text *message.Catalogue, name string) g.Group {
	autocomplete := "username"
	if p.PasskeysOn {
		autocomplete = "username webauthn"
	}
	return g.Group{
		field(text.SignIn.Name, h.Name("name"), h.Value(name), h.AutoComplete(autocomplete), g.Attr("autocapitalize", "none"),
			g.Attr("spellcheck", "false"), h.MaxLength("256"), h.Required(), g.If(name == "", h.AutoFocus())),
		field(text.SignIn.Password, h.Name("password"), h.Type("password"), h.AutoComplete("current-password"),
			h.MaxLength("512"), h.Required(), g.If(name != "", h.AutoFocus())),
		h.Button(h.Class("button primary wide"), g.Text(text.SignIn.Submit)),
	}
}

func (p *Pages) signInByPasskey(text *message.Catalogue) g.Group {
	class := "button wide"
	if !p.PasswordsOn {
		class = "button wide primary"
	}
	return g.Group{
		unlessScripted(text, h.Div(h.ID("passkey"), h.Class("stack waiting"),
			g.If(p.PasswordsOn, or(text)),
			passkeyButton(class, text.SignIn.Passkey),
		)),
		g.If(!p.PasswordsOn, incapable(text.SignInPages.PasskeyOnly)),
	}
}

func (p *Pages) signInElsewhere(text *message.Catalogue, providers []Provider) g.Node {
	return h.Div(h.Class("stack"), h.ID("providers"),
		g.If(!p.PasskeysOn, or(text)),
		g.Map(providers, func(provider Provider) g.Node {
			return h.A(h.Class("button wide"), h.Href(provider.Address), g.Text(provider.label(text)))
		}),
	)
}

func or(text *message.Catalogue) g.Node {
	return h.P(h.Class("or"), h.Span(g.Text(text.SignIn.Or)))
}
