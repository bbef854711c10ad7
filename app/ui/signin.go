package ui

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
)

// SignInService begins sessions with passkeys.
type SignInService interface {
	// SignInWithPasskey asks the browser for any passkey of this site. An error is shown.
	SignInWithPasskey(ctx context.Context) error
	// SignInByAutofill waits, as long as ctx lasts, until the user picks a passkey in the
	// text box for their name. Of its errors only a *[shared.Error] is shown, and a
	// *[ceremony.Failure] that is Chosen.
	SignInByAutofill(ctx context.Context) error
}

// SignInPanel lets a user sign in with a passkey, and with a password where the program has
// passwords. Browsers also offer passkeys in the text box for the name.
//
// Put it into a page of its own, below a title. The keyboard focus is in the text box for the
// name from the start, unless something else on the page has it.
type SignInPanel struct {
	app.Compo

	// Context is required. While it is Blocked, no passkey is offered. Nobody is signed in yet,
	// so the server can't say whom to ask: give the Contact that server.Config has too.
	Context Context
	Service SignInService // required
	// Password begins a session with a password. With nil there are no text boxes for name
	// and password, and no autofill. A *[shared.Error] is shown as it is, and any other error
	// as a fault of ours.
	Password func(ctx context.Context, name, password string) error
	// OnSignedIn is called when a session has begun, by any method. The form stays as it is:
	// the program goes on to another page.
	OnSignedIn func()

	self     app.Context
	name     string
	password string
	state    signInState
	failure  error
	autofill autofill
	stop     context.CancelFunc // ends the ceremony that the user has begun; nil while there is none
}

type signInState int

const (
	signInWaiting signInState = iota
	signInByPassword
	signInByPasskey
)

// autofill is the ceremony that waits behind the text box for the name.
type autofill struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func (a autofill) end() {
	if a.cancel != nil {
		a.cancel()
	}
}

func (a autofill) wait() {
	if a.ended != nil {
		<-a.ended
	}
}

const signInNameID = "sign-in-name"

// OnMount has the browser offer passkeys in the text box for the name, which gets the focus.
func (p *SignInPanel) OnMount(ctx app.Context) {
	p.self = ctx
	refocuses(signInNameID) // the attribute autofocus works in the first page only
	refocus(ctx, signInNameID)
	p.arm()
}

// OnDismount ends all ceremonies.
func (p *SignInPanel) OnDismount() {
	p.autofill.end()
	p.cancel()
}

// Render implements app.Composer.
func (p *SignInPanel) Render() app.UI {
	text, busy := p.Context.Text.SignIn, p.state != signInWaiting
	kind := "wide"
	if p.Password == nil {
		kind = "primary wide"
	}
	return app.Elem("form").Class("sign-in stack").OnSubmit(p.onPassword).Body(
		p.Context.notice(p.failure),
		app.If(p.Password != nil, func() app.UI {
			return app.Elem("div").Class("stack").Body(
				field(text.Name,
					app.ElemSelfClosing("input").ID(signInNameID).Attr("type", "text").Attr("autocomplete", "username webauthn").
						Attr("autocapitalize", "none").Attr("spellcheck", "false").Attr("maxlength", "256").
						Attr("required", true).OnInput(p.onName),
				),
				field(text.Password,
					app.ElemSelfClosing("input").ID("sign-in-password").Attr("type", "password").Attr("autocomplete", "current-password").
						Attr("maxlength", "512").Attr("required", true).OnInput(p.onSecret),
				),
				submit("sign-in-submit", "primary wide", label(p.state == signInByPassword, text.Working, text.Submit), busy),
			)
		}),
		app.If(p.Context.Blocked == "", func() app.UI {
			return app.Elem("div").Class("stack").Body(
				app.If(p.Password != nil, func() app.UI { return app.Elem("p").Class("or").Body(app.Elem("span").Text(text.Or)) }),
				button("sign-in-passkey", kind, "", busy, p.onPasskey).
					Body(icon("key"), app.Text(label(p.state == signInByPasskey, text.Working, text.Passkey))),
				app.If(p.state == signInByPasskey, func() app.UI {
					return button("sign-in-cancel", "quiet wide", text.Cancel, false, p.onCancel)
				}),
			)
		}).ElseIf(p.Password == nil, func() app.UI {
			return app.Elem("p").Class("notice").Text(p.Context.Blocked)
		}),
	)
}

func (p *SignInPanel) onName(ctx app.Context, _ app.Event)   { p.name = valueOf(ctx) }
func (p *SignInPanel) onSecret(ctx app.Context, _ app.Event) { p.password = valueOf(ctx) }

func (p *SignInPanel) onPassword(_ app.Context, e app.Event) {
	e.PreventDefault()
	if p.Password == nil {
		return
	}
	begin, name, password := p.Password, p.name, p.password
	p.signIn(signInByPassword, func(ctx context.Context) error { return begin(ctx, name, password) })
}

func (p *SignInPanel) onPasskey(app.Context, app.Event) {
	p.signIn(signInByPasskey, p.Service.SignInWithPasskey)
}

// onCancel is for password managers that don't report that the user has closed them.
func (p *SignInPanel) onCancel(app.Context, app.Event) { p.cancel() }

func (p *SignInPanel) cancel() {
	if p.stop != nil {
		p.stop()
	}
}

// signIn begins a session in the way that the user has chosen. A browser runs one ceremony at
// a time, so autofill ends first. It is armed again if the sign-in fails.
func (p *SignInPanel) signIn(how signInState, begin func(context.Context) error) {
	if p.state != signInWaiting {
		return
	}
	p.state, p.failure = how, nil
	focusedBefore := focused()
	waiting := p.autofill
	asking, stop := context.WithCancel(p.Context.asking(p.self))
	p.stop = stop
	p.self.Async(func() {
		waiting.end()
		waiting.wait()
		err := begin(asking)
		p.self.Dispatch(func(app.Context) {
			stop()
			if err == nil {
				notify(p.OnSignedIn)
				return
			}
			p.state, p.failure = signInWaiting, err
			refocus(p.self, focusedBefore)
			p.arm()
		})
	})
}

// arm starts autofill: it waits until the user picks a passkey in the text box for the name.
func (p *SignInPanel) arm() {
	if p.Password == nil || p.Context.Blocked != "" {
		return
	}
	ctx, cancel := context.WithCancel(p.Context.asking(p.self))
	waiting := autofill{cancel, make(chan struct{})}
	p.autofill = waiting
	go func() { // not p.self.Async: go-app waits until such functions end
		err := p.Service.SignInByAutofill(ctx)
		close(waiting.ended)
		p.self.Dispatch(func(app.Context) {
			_, refused := errors.AsType[*shared.Error](err)
			failure, failed := errors.AsType[*ceremony.Failure](err)
			switch {
			case ctx.Err() != nil:
				// The user has begun something else.
			case err == nil:
				notify(p.OnSignedIn)
			case refused, failed && failure.Chosen:
				p.failure = err
				p.arm()
			}
		})
	}()
}
