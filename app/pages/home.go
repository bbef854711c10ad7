package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared/message"
)

// home is the start page: how the user signs in, and the offer of a passkey. The passkeys
// panel opens over it.
func (s *shell) home(map[string]string) goapp.UI {
	return goapp.Elem("div").Body(s.renderHome(), goapp.If(s.panel != panelClosed, s.renderPanel))
}

func (s *shell) renderHome() goapp.UI {
	home := s.text.Home
	return goapp.Elem("div").Class("page").Body(
		goapp.Elem("h1").Text(message.Fill(home.Hello, "name", s.account.User.DisplayName)),
		goapp.Elem("p").Class("lead").Text(message.Fill(home.Lead, "product", s.product())),
		ui.Slot(goapp.If(s.account.RecoveryLinkUntil != nil, s.renderRecoveryLink)),
		ui.Slot(goapp.If(s.saved != "", s.renderSaved)),
		ui.Slot(goapp.If(s.showsOffer(), s.renderOffer)),
		&ui.MethodsCard{
			Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account,
			OnChanged: func() { s.load(s.ctx) }, OnSignedOut: s.signedOut,
		},
		&ui.ProfileCard{
			Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account,
			OnChanged: func() { s.load(s.ctx) }, OnSignedOut: s.signedOut,
		},
	)
}

// renderRecoveryLink warns the user that a recovery link for their account exists.
func (s *shell) renderRecoveryLink() goapp.UI {
	until, exact := s.formats().Moment(*s.account.RecoveryLinkUntil)
	return goapp.Elem("p").ID("recovery-link").Class("notice notice-bad").Attr("role", "status").Title(exact).Body(
		goapp.Text(message.Fill(s.text.Home.RecoveryLink, "date", until)),
		goapp.If(s.account.Contact != "", func() goapp.UI {
			return goapp.Elem("span").Text(" " + message.Fill(s.text.Failure.AskContact, "contact", s.account.Contact))
		}),
	)
}

func (s *shell) renderSaved() goapp.UI {
	return goapp.Elem("p").ID("saved").Class("notice").Attr("role", "status").
		Text(message.Fill(s.text.Home.SavedSilently, "name", s.saved))
}
