package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// home is the start page: how the user signs in, their profile, and what happened lately. The
// passkeys panel opens over it.
func (s *shell) home(map[string]string) goapp.UI {
	return goapp.Elem("div").Body(s.renderHome(), goapp.If(s.panel != panelClosed, s.renderPanel))
}

func (s *shell) renderHome() goapp.UI {
	home := s.text.Home
	return goapp.Elem("div").Class("page page-wide").Body(
		goapp.Elem("h1").Text(home.Title),
		goapp.Elem("p").Class("lead").Text(message.Fill(home.Lead, "product", s.product())),
		ui.Slot(goapp.If(s.account.RecoveryLinkUntil != nil, s.renderRecoveryLink)),
		ui.Slot(goapp.If(s.saved != "", s.renderSaved)),
		goapp.Elem("div").Class("columns").Body(
			goapp.Elem("div").Body(
				&ui.MethodsCard{
					Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Hint: s.hint(),
					OnAdd: s.addPasskey, OnChanged: s.loadAgain, OnSignedOut: s.signedOut,
				},
				&ui.ProfileCard{
					Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Languages: s.languages.names(),
					OnLanguage: s.chooseLanguage, OnChanged: s.loadAgain, OnSignedOut: s.signedOut,
				},
				goapp.If(s.account.Programs > 0, func() goapp.UI {
					return &ui.ProgramsPart{Context: s.context(), Service: s.self, Changes: s.changes, OnSignedOut: s.signedOut}
				}),
			),
			goapp.Elem("div").Body(
				&ui.SessionsPanel{Context: s.context(), Service: s.self, Changes: s.changes, All: pageSessions, OnSignedOut: s.signedOut},
				&ui.ActivityPanel{
					Context: s.context(), Service: s.self, Alarms: s.self, Confirms: s.self, Changes: s.changes, All: shared.PageActivity,
					Account:     s.account,
					OnSignedOut: s.signedOut, OnPasskeys: s.toPasskeys, OnMethods: s.closePanel,
				},
			),
		),
		s.renderContact(),
	)
}

func (s *shell) loadAgain() { s.load(s.ctx) }

// renderContact says where to get help. The page about passkeys needs the server.
func (s *shell) renderContact() goapp.UI {
	return goapp.Elem("p").Class("contact dots").Body(
		goapp.If(s.asOf.IsZero(), func() goapp.UI {
			return goapp.Elem("a").Attr("href", shared.PageAbout).Attr("target", "_blank").Text(s.text.Panel.About)
		}),
		goapp.If(s.account.Contact != "", func() goapp.UI {
			return goapp.Elem("span").Text(message.Fill(s.text.Panel.Contact, "contact", s.account.Contact))
		}),
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
