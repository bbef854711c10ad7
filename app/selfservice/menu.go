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
// Until it knows who is signed in, and where nobody is, its place stays empty. It stands at
// the end of whatever it is put into: a block, a row of a flexbox, a cell of a grid.
type Menu struct {
	goapp.Compo

	// Service does the work. It is required, and the same for all pages; see [New].
	Service *Service
	// Text is what people read, and the language in which they get refusals; nil is
	// English.
	Text *message.Catalogue
	// Items are the program's own lines, below Passkeys, whose ID is "passkeys".
	Items []ui.MenuItem
	// Changes grows when somebody has signed in or out without a page being loaded: the
	// menu asks again. While nobody is signed in it asks for nothing by itself.
	Changes int

	// SignOut is called by the last line, "Sign out". It ends the program's own session.
	// Nil leaves the line away.
	SignOut func()

	// OnSignedOut is called when it turns out that nobody is signed in, or no longer: the
	// program shows its sign-in page, or nothing happens on a page for everybody. Nil does
	// nothing.
	OnSignedOut func()
	// SignInAgain leads to the program's own sign-in, which makes the session count as
	// fresh. The dialog that asks for a confirmation offers it; who has neither a password
	// nor a passkey has nothing else. Nil leaves it away.
	SignInAgain func()

	self     goapp.Context
	stop     context.CancelFunc // ends listening; nil while it doesn't listen
	streamed bool               // the stream has sent something
	account  shared.Account
	state    menuState
	wanted   bool // the panel, by the page's address
	seen     int  // the Changes that the account is of
	changes  int  // how many times something changed, for the panel to ask again
}

type menuState int

const (
	menuUnknown menuState = iota // who is signed in
	menuKnown
	menuPanel // open
)

// panelFragment ends the page's address while the panel is open, so that the browser's Back
// closes it rather than leave the page, and a reload opens it again.
const panelFragment = "your-passkeys"

// OnNav opens and closes the panel by the page's address.
func (m *Menu) OnNav(ctx goapp.Context) {
	m.wanted = ctx.Page().URL().Fragment == panelFragment
	switch {
	case m.wanted && m.state == menuKnown:
		m.state = menuPanel
	case !m.wanted && m.state == menuPanel:
		m.state = menuKnown
		ui.FocusUserMenu(ctx)
	}
}

// navigate gives the page's address a fragment, or takes it away.
func (m *Menu) navigate(fragment string) {
	if !goapp.IsClient {
		return // there is no address
	}
	to := *m.self.Page().URL()
	to.Fragment, to.RawFragment = fragment, ""
	m.self.Navigate(to.String())
}

// OnMount asks who is signed in.
func (m *Menu) OnMount(ctx goapp.Context) {
	m.self = ctx
	m.load()
}

// OnUpdate asks again when the program says that it may be somebody else.
func (m *Menu) OnUpdate(goapp.Context) {
	if m.seen != m.Changes {
		m.load()
	}
}

// OnDismount stops listening.
func (m *Menu) OnDismount() { m.stopListening() }

// load asks again. While the server is away, what is shown stays.
func (m *Menu) load() {
	m.seen = m.Changes
	m.self.Async(func() {
		account, err := m.Service.Account(m.self)
		m.self.Dispatch(func(goapp.Context) {
			switch {
			case shared.IsSignedOut(err):
				m.signedOut()
				return
			case err == nil:
				if m.state == menuPanel && m.account.User.ID != account.User.ID {
					m.state, m.wanted = menuKnown, false // what was begun in the panel was for another user
				}
				m.account = account
				m.changes++
				m.state = max(m.state, menuKnown)
				if m.wanted {
					m.state = menuPanel
				}
			}
			m.listen()
		})
	})
}

func (m *Menu) signedOut() {
	m.stopListening()
	m.state, m.wanted = menuUnknown, false
	if m.OnSignedOut != nil {
		m.OnSignedOut()
	}
}

// listen hears of changes from now on. Who isn't signed in has none to hear of, and would
// be refused over and over.
func (m *Menu) listen() {
	if m.stop != nil {
		return
	}
	listening, stop := context.WithCancel(m.self)
	m.stop, m.streamed = stop, false
	go browser.Live(listening, shared.PathLive, shared.LiveChanged, func(state browser.LiveState) {
		m.self.Dispatch(func(goapp.Context) {
			if listening.Err() == nil {
				m.onLive(state)
			}
		})
	})
}

func (m *Menu) stopListening() {
	if m.stop != nil {
		m.stop()
		m.stop = nil
	}
}

// onLive asks again after every change, and whenever the stream came or went: something may
// have been missed, or the session may be why it ended. That it came at first is no reason:
// the server was asked just before, and only the list in an open panel might be older.
func (m *Menu) onLive(state browser.LiveState) {
	first := !m.streamed
	m.streamed = true
	if first && state == browser.LiveConnected && m.state != menuUnknown {
		m.changes++
		return
	}
	m.load()
}

// Render implements go-app's Composer.
func (m *Menu) Render() goapp.UI {
	return goapp.Div().Class("menu-place").Body(
		goapp.If(m.state != menuUnknown, m.renderName),
		goapp.If(m.state == menuPanel, m.renderPanel),
	)
}

func (m *Menu) renderName() goapp.UI {
	text := m.text()
	items := slices.Concat([]ui.MenuItem{{ID: "passkeys", Label: text.Shell.Passkeys, Icon: "key", OnSelect: m.open}}, m.Items)
	if m.SignOut != nil {
		items = append(items, ui.MenuItem{ID: "sign-out", Label: text.Shell.SignOut, Icon: "out", OnSelect: m.SignOut})
	}
	return &ui.UserMenu{Name: m.account.User.DisplayName, Label: text.Shell.Menu, Items: items}
}

func (m *Menu) renderPanel() goapp.UI {
	here := Context(m.text(), m.account)
	here.SignInAgain = m.SignInAgain
	if !m.account.PasskeysOn {
		return &ui.PasskeysOff{Context: here, OnClose: m.close}
	}
	return &ui.PasskeysPanel{
		Context: here, Service: m.Service, Confirms: m.Service, Changes: m.changes,
		OnClose: m.close, OnSignedOut: m.signedOut,
	}
}

func (m *Menu) open() {
	m.state = menuPanel
	m.navigate(panelFragment)
}

func (m *Menu) close() {
	m.state, m.wanted = menuKnown, false
	ui.FocusUserMenu(m.self)
	m.navigate("")
}

func (m *Menu) text() *message.Catalogue {
	if m.Text == nil {
		return &message.English
	}
	return m.Text
}
