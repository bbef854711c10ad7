package selfservice

import (
	"context"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Menu is the signed-in user's name, for the top right of every page of a host program. A
// click opens the menu: Passkeys and Activity, which open panels, and then the program's own
// lines. Back closes a panel, and a reload keeps it open: each is a fragment of the page's
// address, [FragmentPasskeys], [FragmentAdd] or [FragmentActivity]. A link to one opens it too.
// The menu asks the server by itself who is signed in, and follows the stream of changes.
//
// While it doesn't know who is signed in, or nobody is, its place is empty. It stands at the
// end of its container: of a block, of a row of a flexbox, or of a cell of a grid.
type Menu struct {
	goapp.Compo

	// Service does the work. It is required, and the same for all pages; see [New].
	Service *Service
	// Text is what people read. Its language is also that of refusals. Nil is English.
	Text *message.Catalogue
	// Items are the program's own lines, below the lines Passkeys and Activity, which have the
	// IDs "passkeys" and "activity".
	Items []ui.MenuItem
	// NoActivity leaves out the line Activity, for a program that shows that itself.
	NoActivity bool
	// Changes grows when somebody has signed in or out and no new page was loaded. The menu
	// asks again then. By itself it asks nothing while nobody is signed in.
	Changes int

	// SignOut is called by the last line, "Sign out". It ends the program's own session. With
	// nil there is no such line.
	SignOut func()

	// OnSignedOut is called when the server answers that nobody is signed in, or that the
	// session has ended. The program then shows its sign-in page, or does nothing on a page
	// that is for everybody. It may be nil.
	OnSignedOut func()
	// SignInAgain goes to the program's own sign-in, after which the session counts as fresh.
	// The dialog that asks for a confirmation offers it, unless it is nil. A user without a
	// password and a passkey can confirm in no other way.
	SignInAgain func()

	// About is the address of a page about passkeys, to which the panel links. With "" it has
	// no link.
	About string

	self     goapp.Context
	stop     context.CancelFunc // ends the stream of changes; nil while there is none
	streamed bool               // the stream has sent something
	account  shared.Account
	state    menuState
	panel    string // the fragment of the panel that is open, or opens when it is known who is signed in
	seen     int    // Changes, when the account was asked for
	changes  int    // how many times something changed: the panel loads again when it grows
}

type menuState int

const (
	menuUnknown menuState = iota // it isn't known who is signed in, or nobody is
	menuKnown
)

// The fragments of the page's address while a panel of [Menu] is open.
const (
	FragmentPasskeys = "your-passkeys"
	FragmentAdd      = "add-passkey" // the passkeys, with the form to add one
	FragmentActivity = "your-activity"
)

// OnNav opens and closes the panels by the page's address.
func (m *Menu) OnNav(ctx goapp.Context) {
	before := m.panel
	m.panel = ""
	switch at := ctx.Page().URL().Fragment; at {
	case FragmentPasskeys, FragmentAdd, FragmentActivity:
		m.panel = at
	}
	if m.state == menuKnown && before != "" && m.panel == "" {
		ui.FocusUserMenu(ctx)
	}
}

// navigate gives the page's address a fragment, or takes it away.
func navigate(ctx goapp.Context, fragment string) {
	if !goapp.IsClient {
		return // outside of a browser there is no address
	}
	to := *ctx.Page().URL()
	to.Fragment, to.RawFragment = fragment, ""
	ctx.Navigate(to.String())
}

// OnMount asks who is signed in.
func (m *Menu) OnMount(ctx goapp.Context) {
	m.self = ctx
	m.load()
}

// OnUpdate asks again when the program says that somebody has signed in or out.
func (m *Menu) OnUpdate(goapp.Context) {
	if m.seen != m.Changes {
		m.load()
	}
}

// OnDismount ends the stream of changes.
func (m *Menu) OnDismount() { m.stopListening() }

// load asks who is signed in. While the server is away, what is shown stays.
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
				if m.state == menuKnown && m.account.User.ID != account.User.ID {
					m.panel = "" // what the user began in the panel was for another account
				}
				m.account, m.state = account, menuKnown
				m.Service.told.tell(account)
				m.changes++
			}
			m.listen()
		})
	})
}

func (m *Menu) signedOut() {
	m.stopListening()
	m.state, m.panel = menuUnknown, ""
	m.Service.told.tell(shared.Account{})
	if m.OnSignedOut != nil {
		m.OnSignedOut()
	}
}

// listen opens the stream of changes. It is called only for a signed-in user: the server would
// refuse all others again and again.
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

// onLive asks again after every change, and whenever the stream was connected or lost: a
// change may have been missed, or the stream may have ended because the session did. The
// first connection is an exception. The server was asked just before it, and only the list
// in an open panel may be older.
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
	return goapp.Elem("div").Class("menu-place").Body(
		goapp.If(m.state == menuKnown, m.renderName),
		goapp.If(m.state == menuKnown && m.panel == FragmentActivity, m.renderActivity).
			ElseIf(m.state == menuKnown && m.panel != "", m.renderPasskeys),
	)
}

func (m *Menu) renderName() goapp.UI {
	text := m.text().Shell
	items := []ui.MenuItem{{ID: "passkeys", Label: text.Passkeys, Icon: "key", OnSelect: func() { m.open(FragmentPasskeys) }}}
	if !m.NoActivity {
		items = append(items, ui.MenuItem{ID: "activity", Label: text.Activity, Icon: "list", OnSelect: func() { m.open(FragmentActivity) }})
	}
	items = append(items, m.Items...)
	if m.SignOut != nil {
		items = append(items, ui.MenuItem{ID: "sign-out", Label: text.SignOut, Icon: "out", OnSelect: m.SignOut})
	}
	return &ui.UserMenu{Name: m.account.User.DisplayName, Label: text.Menu, Items: items}
}

func (m *Menu) context() ui.Context {
	here := Context(m.text(), m.account)
	here.SignInAgain, here.About = m.SignInAgain, m.About
	return here
}

func (m *Menu) renderPasskeys() goapp.UI {
	if !m.account.PasskeysOn {
		return &ui.PasskeysOff{Context: m.context(), OnClose: m.close}
	}
	var service ui.PasskeyService = m.Service
	if m.account.PhoneLinks {
		service = phoneLinking{m.Service}
	}
	return &ui.PasskeysPanel{
		Context: m.context(), Service: service, Confirms: m.Service, Changes: m.changes, Adding: m.panel == FragmentAdd,
		OnClose: m.close, OnChanged: m.changed, OnSignedOut: m.signedOut,
	}
}

// changed tells the [Offer] what the user did in the panel: it doesn't wait for the stream.
func (m *Menu) changed(list shared.PasskeyList) {
	m.account.Passkeys = len(list.Passkeys)
	m.Service.told.tell(m.account)
}

func (m *Menu) renderActivity() goapp.UI {
	return &ui.ActivityDialog{
		Context: m.context(), Service: m.Service.client, Confirms: m.Service, Changes: m.changes, Account: m.account,
		OnClose: m.close, OnPasskeys: func() { m.open(FragmentPasskeys) }, OnSignedOut: m.signedOut,
	}
}

func (m *Menu) open(panel string) {
	m.panel = panel
	navigate(m.self, panel)
}

func (m *Menu) close() {
	m.panel = ""
	ui.FocusUserMenu(m.self)
	navigate(m.self, "")
}

func (m *Menu) text() *message.Catalogue { return textOr(m.Text) }

// textOr returns the text that a program has set, or the English one.
func textOr(set *message.Catalogue) *message.Catalogue {
	if set == nil {
		return &message.English
	}
	return set
}
