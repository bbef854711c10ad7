package pages

import (
	"cmp"
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// How the shell looks: the frame with the menu, messages about the whole program, and the
// page.

// Render implements go-app's Composer.
func (s *shell) Render() goapp.UI {
	frame := ui.Frame{Product: s.product(), Icon: s.deps.Icon, Home: shared.PageHome, Bar: s.renderBar()}
	if s.spoken {
		frame.Skip = s.text.Shell.SkipToMain
	}
	switch {
	case !s.spoken:
		return frame.With(goapp.Elem("p").Class("quiet page-wait").Attr("role", "status"))
	case s.state == stateReady:
		menu := s.menu()
		frame.User = menu
		if s.drawn != nil {
			frame.User = s.drawn.menu(menu)
		}
		return frame.With(ui.Slot(s.renderTabs()), s.renderPage())
	case s.state == stateSignedOut:
		return frame.With(s.renderSignedOut())
	case s.state == stateOffline:
		return frame.With(s.renderOffline())
	default:
		return frame.With(
			goapp.Elem("h1").Class("spoken").Text(s.product()),
			goapp.Elem("p").Class("quiet page-wait").Attr("role", "status").Text(s.text.Shell.Loading),
		)
	}
}

func (s *shell) product() string { return cmp.Or(s.account.Product, s.deps.Product) }

// renderPage draws the page at the address, for users that it is for.
func (s *shell) renderPage() goapp.UI {
	p, values := s.current()
	if !s.mayOpen(p) {
		return goapp.Elem("p").Class("page quiet").Text(s.text.Refusal(shared.Errorf(shared.CodeNotAllowed, "Your role doesn't allow this. Ask an administrator.")))
	}
	return p.content(s, values)
}

// renderTabs draws the tabs above a page of administration. A single tab would lead nowhere.
func (s *shell) renderTabs() goapp.UI {
	here, _ := s.current()
	var tabs []ui.Tab
	for _, p := range s.pages {
		if p.tab != "" && p.tab == p.pattern && s.mayOpen(p) {
			tabs = append(tabs, ui.Tab{Label: p.title(s.text), Href: string(p.pattern), Current: p.tab == here.tab})
		}
	}
	if here.tab == "" || len(tabs) < 2 {
		return nil
	}
	return ui.Tabs(s.text.Shell.Administration, tabs)
}

// mayOpen reports whether a page is for this user.
func (s *shell) mayOpen(p page) bool { return s.may(p.audience) }

// may reports whether this user belongs to an audience.
func (s *shell) may(read audience) bool {
	switch role := s.account.User.Role; read {
	case withRole:
		return role != shared.RoleNone
	case auditors:
		return role == shared.RoleAdministrator || role == shared.RoleAuditor
	case administrators:
		return role == shared.RoleAdministrator
	}
	return true
}

func (s *shell) menu() *ui.UserMenu {
	var items []ui.MenuItem
	for _, p := range s.pages {
		if p.menu != nil && s.mayOpen(p) {
			items = append(items, ui.MenuItem{ID: p.menu.id, Label: p.menu.label(s.text), Icon: p.menu.icon, Href: string(p.pattern)})
		}
	}
	if s.installable || browser.InstallsByHand() {
		items = append(items, ui.MenuItem{ID: "install", Label: s.text.Shell.Install, Icon: "install", OnSelect: s.install})
	}
	signOut := s.text.Shell.SignOut
	if s.leaving {
		signOut = s.text.Shell.SigningOut
	}
	items = append(items,
		ui.MenuItem{ID: ui.MenuSignOut, Label: signOut, Icon: "out", OnSelect: func() { s.signOut(false) }},
		ui.MenuItem{ID: ui.MenuSignOutKeep, Label: s.text.Shell.SignOutKeep, Icon: "out", OnSelect: func() { s.signOut(true) }})
	for _, other := range s.languages.list {
		items = append(items, ui.MenuItem{
			ID: "language-" + other.Tag, Label: other.Name, Lang: other.Tag, Checked: other.Tag == s.text.Lang,
			OnSelect: func() { s.chooseLanguage(other.Tag) },
		})
	}
	return &ui.UserMenu{Name: s.account.User.DisplayName, Label: s.text.Shell.Menu, Items: items}
}

func (s *shell) renderBar() goapp.UI {
	if s.ended || !s.asOf.IsZero() {
		return goapp.Elem("p").ID("offline-bar").Class("bar").Attr("role", "status").Text(s.context().Offline)
	}
	if s.hinted {
		return goapp.Elem("div").ID("install-hint").Class("bar").Attr("role", "status").Body(
			goapp.Elem("span").Text(s.text.Shell.InstallApple),
			goapp.Elem("button").Attr("type", "button").Class("button small").OnClick(s.onUnderstood).Text(s.text.Shell.Understood),
		)
	}
	if s.delayed {
		return goapp.Elem("p").ID("delayed-bar").Class("bar").Attr("role", "status").Text(s.text.Refusal(shared.TroubleHeld.Refusal()))
	}
	if !s.updated {
		return nil
	}
	return goapp.Elem("div").Class("bar").Attr("role", "status").Body(
		goapp.Elem("span").Text(s.text.Shell.Update),
		goapp.Elem("button").Attr("type", "button").Class("button small").OnClick(s.onReload).Text(s.text.Shell.Reload),
	)
}

// renderOffline renders why there is nothing to show.
func (s *shell) renderOffline() goapp.UI {
	content := ui.Message{
		Title: s.text.Shell.Offline, Lead: s.text.Shell.OfflineLead,
		Button: s.text.Shell.TryAgain, OnButton: s.onRetry,
	}
	switch refusal, _ := errors.AsType[*shared.Error](s.failure); {
	case refusal == nil:
	case refusal.Code == shared.CodeAway:
		content.Title, content.Lead = s.text.Shell.Away, s.text.Refusal(refusal)
	case refusal.Code == shared.CodeInBetween:
		content.Title, content.Lead = s.text.Shell.InBetween, s.inBetween(refusal)
	}
	return content.Render()
}

// inBetween returns a sentence about what something between the browser and the server does,
// and whom to ask.
func (s *shell) inBetween(refusal *shared.Error) string {
	sentence := s.text.Refusal(refusal)
	if contact := cmp.Or(s.account.Contact, s.deps.Contact); contact != "" {
		sentence += " " + message.Fill(s.text.Failure.AskContact, "contact", contact)
	}
	return sentence
}

func (s *shell) context() ui.Context {
	c := selfservice.Context(s.text, s.account)
	c.ConfirmsAt, c.Recovery, c.About = s.confirmsAt(), shared.PageRecovery, shared.PageAbout
	if !s.asOf.IsZero() {
		c.Offline = s.text.Shell.Offline
		if p, _ := s.current(); p.isKept {
			moment, _ := s.formats().Moment(s.asOf)
			c.Offline = message.Fill(s.text.Shell.OfflineAsOf, "date", moment)
		}
		if refusal, _ := errors.AsType[*shared.Error](s.failure); refusal != nil && refusal.Code == shared.CodeInBetween {
			c.Offline = s.inBetween(refusal)
		}
	}
	c.Once, c.Drawn = &s.once, s.drawn != nil
	if c.Drawn {
		c.Formats, c.OnPhone = s.formats(), s.drawn.OnPhone
	}
	if s.ended {
		c.Ended = s.text.Shell.Ended
		c.Offline = c.Ended // nothing can be asked of the server
	}
	return c
}

// confirmsAt returns the providers at which the user can confirm.
func (s *shell) confirmsAt() (list []shared.Provider) {
	for _, i := range s.account.Identities {
		if i.ProviderID != "" {
			list = append(list, shared.Provider{ID: i.ProviderID, Name: i.Provider})
		}
	}
	return list
}

func (s *shell) formats() ui.Formats {
	if s.drawn != nil {
		return s.drawn.Formats
	}
	return browser.Regional(s.text.Lang)
}
