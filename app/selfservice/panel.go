package selfservice

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Panel is one of the panels that a [Menu] opens, without the menu: the page in the frame of a program in another
// language has nothing else. It asks the server by itself who is signed in, and follows the stream of changes.
type Panel struct {
	goapp.Compo

	// Service does the work. It is required.
	Service *Service
	// Text is what people read. Nil is English.
	Text *message.Catalogue
	// Open is the panel, by its fragment. It is [FragmentPasskeys] by default. From the activity the user may go on to
	// the passkeys.
	Open string
	// Dress changes the context of the panels, where a page knows more than the browser. It may be nil.
	Dress func(*ui.Context)
	// IsDrawn says that a server draws the page.
	IsDrawn bool

	OnLoaded    func(error)              // the server has said who is signed in, or why it doesn't
	OnClose     func()                   // by the X or by Escape: the parent removes the panel, or the page ends
	OnChanged   func(shared.PasskeyList) // the list was loaded or changed
	OnSignedOut func()                   // nobody is signed in, or the session has ended

	follower
	open    string // the panel that is open
	failure error  // why it isn't known who is signed in
}

// OnMount asks who is signed in.
func (p *Panel) OnMount(ctx goapp.Context) {
	p.open = p.Open
	p.follower = follower{self: ctx, service: p.Service, onLoaded: p.loaded, onOther: func() { p.open = p.Open }, onSignedOut: p.signedOut}
	p.load()
}

// OnDismount ends the stream of changes.
func (p *Panel) OnDismount() { p.stopListening() }

func (p *Panel) loaded(err error) {
	p.failure = err
	if p.OnLoaded != nil {
		p.OnLoaded(err)
	}
}

func (p *Panel) signedOut() {
	p.forget()
	if p.OnSignedOut != nil {
		p.OnSignedOut()
	}
}

// Render implements goapp.Composer.
func (p *Panel) Render() goapp.UI {
	return ui.Slot(goapp.If(!p.known && p.failure != nil && !shared.IsSignedOut(p.failure), func() goapp.UI {
		return &ui.PanelAway{Context: p.context(), Failure: p.failure, OnRetry: p.load, OnClose: p.OnClose}
	}).ElseIf(p.known && !p.account.PasskeysOn && p.open != FragmentActivity, func() goapp.UI {
		return &ui.PasskeysOff{Context: p.context(), OnClose: p.OnClose}
	}).ElseIf(p.known && p.open == FragmentActivity, func() goapp.UI {
		return &ui.ActivityDialog{
			Context: p.context(), Service: p.Service.client, Confirms: p.Service, Changes: p.changes, Account: p.account,
			OnClose: p.OnClose, OnPasskeys: func() { p.open = FragmentPasskeys }, OnSignedOut: p.signedOut,
		}
	}).ElseIf(p.known, func() goapp.UI {
		return &ui.PasskeysPanel{
			Context: p.context(), Service: p.Service.passkeys(p.account), Confirms: p.Service, Changes: p.changes, Adding: p.open == FragmentAdd,
			OnClose: p.OnClose, OnChanged: p.listed, OnSignedOut: p.signedOut,
		}
	}))
}

func (p *Panel) context() ui.Context {
	here := Context(textOr(p.Text), p.account)
	if p.Dress != nil {
		p.Dress(&here)
	}
	return here
}

func (p *Panel) listed(list shared.PasskeyList) {
	p.changed(list)
	if p.OnChanged != nil {
		p.OnChanged(list)
	}
}
