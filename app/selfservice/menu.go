package selfservice

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
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

	follower
	panel string // the fragment of the panel that is open, or opens when it is known who is signed in
	seen  int    // Changes, when the account was asked for
}

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
	if m.known && before != "" && m.panel == "" {
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
	m.follower = follower{self: ctx, service: m.Service, onOther: func() { m.panel = "" }, onSignedOut: m.signedOut}
	m.ask()
}

// OnUpdate asks again when the program says that somebody has signed in or out.
func (m *Menu) OnUpdate(goapp.Context) {
	if m.seen != m.Changes {
		m.ask()
	}
}

// OnDismount ends the stream of changes.
func (m *Menu) OnDismount() { m.stopListening() }

func (m *Menu) ask() {
	m.seen = m.Changes
	m.load()
}

func (m *Menu) signedOut() {
	m.forget()
	m.panel = ""
	if m.OnSignedOut != nil {
		m.OnSignedOut()
	}
}

// Render implements go-app's Composer.
func (m *Menu) Render() goapp.UI {
	return goapp.Elem("div").Class("menu-place").Body(
		goapp.If(m.known, m.renderName),
		goapp.If(m.known && m.panel == FragmentActivity, m.renderActivity).
			ElseIf(m.known && m.panel != "", m.renderPasskeys),
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
	return &ui.PasskeysPanel{
		Context: m.context(), Service: m.Service.passkeys(m.account), Confirms: m.Service, Changes: m.changes, Adding: m.panel == FragmentAdd,
		OnClose: m.close, OnChanged: m.changed, OnSignedOut: m.signedOut,
	}
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
