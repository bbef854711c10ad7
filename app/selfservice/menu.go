package selfservice

import (
	"context"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Menu is the signed-in user's name, for the top right of every page of a program that
// has pages of its own. A click opens the menu: Passkeys, with the panel behind it, and
// then the program's own lines. It learns by itself who is signed in and hears of what
// changes elsewhere.
//
// Until it knows who is signed in, and where nobody is, its place stays empty.
type Menu struct {
	goapp.Compo

	Service *Service
	Text    *message.Catalogue // nil is English
	Items   []ui.MenuItem      // below Passkeys; "passkeys" is the id of that
	// OnSignedOut is called when nobody is signed in, or no longer.
	OnSignedOut func()

	self    goapp.Context
	deaf    context.CancelFunc // ends listening
	account shared.Account
	state   menuState
	changes int // how many times something changed, for the panel to ask again
}

type menuState int

const (
	menuUnknown menuState = iota // who is signed in
	menuKnown
	menuPanel // open
)

// OnMount asks who is signed in, and listens for changes.
func (m *Menu) OnMount(ctx goapp.Context) {
	m.self = ctx
	m.load()
	listening, deaf := context.WithCancel(ctx)
	m.deaf = deaf
	go browser.Live(listening, shared.PathLive, shared.LiveChanged, func(browser.LiveState) {
		ctx.Dispatch(func(goapp.Context) { m.load() })
	})
}

// OnDismount stops listening.
func (m *Menu) OnDismount() { m.deaf() }

// load asks again. While the server is away, what is shown stays.
func (m *Menu) load() {
	m.self.Async(func() {
		account, err := m.Service.Account(m.self)
		m.self.Dispatch(func(goapp.Context) {
			switch {
			case shared.IsSignedOut(err):
				m.state = menuUnknown
				m.OnSignedOut()
			case err == nil:
				m.account = account
				m.changes++
				m.state = max(m.state, menuKnown)
			}
		})
	})
}

// Render implements go-app's Composer.
func (m *Menu) Render() goapp.UI {
	if m.state == menuUnknown {
		return goapp.Div().Class("menu-place")
	}
	text := m.text()
	passkeys := ui.MenuItem{ID: "passkeys", Label: text.Shell.Passkeys, Icon: "key", OnSelect: m.open}
	return goapp.Div().Body(
		&ui.UserMenu{
			Name: m.account.User.DisplayName, Label: text.Shell.Menu,
			Items: slices.Concat([]ui.MenuItem{passkeys}, m.Items),
		},
		goapp.If(m.state == menuPanel, m.renderPanel),
	)
}

func (m *Menu) renderPanel() goapp.UI {
	world := World(m.text(), m.account)
	if !m.account.PasskeysOn {
		return &ui.PasskeysOff{World: world, OnClose: m.close}
	}
	return &ui.PasskeysPanel{
		World: world, Service: m.Service, Confirms: m.Service, Changes: m.changes,
		OnClose: m.close, OnChanged: func(shared.PasskeyList) {}, OnSignedOut: m.OnSignedOut,
	}
}

func (m *Menu) open() { m.state = menuPanel }

func (m *Menu) close() {
	m.state = menuKnown
	ui.FocusUserMenu(m.self)
}

func (m *Menu) text() *message.Catalogue {
	if m.Text == nil {
		return &message.English
	}
	return m.Text
}
