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
	// SignInWithPasskey asks the browser for any passkey of this site. What it fails with
	// is shown.
	SignInWithPasskey(ctx context.Context) error
	// SignInByAutofill waits, as long as ctx lasts, until the user picks a passkey in the
	// box for their name. Shown is an error that is a *[shared.Error], or a
	// *[ceremony.Failure] that is Chosen.
	SignInByAutofill(ctx context.Context) error
}

// SignInPanel lets somebody sign in: with a passkey, which browsers also offer in the box
// for the name, and with a password where the program has passwords.
//
// It stands in a page of its own, below a title.
type SignInPanel struct {
	app.Compo

	Context Context       // required; where it is Blocked, no passkey is offered
	Service SignInService // required
	// Password begins a session with a password. Nil leaves name and password away, and
	// with them autofill. What it refuses with is shown if it is a *[shared.Error]; anything
	// else is told as a fault of ours.
	Password func(ctx context.Context, name, password string) error
	// OnSignedIn is called once a session has begun, in any way. The form stays as it is,
	// for the program to go on to another page.
	OnSignedIn func()

	self     app.Context
	name     string
	password string
	state    signInState
	failure  error
	autofill autofill
	stop     context.CancelFunc // ends what the user has begun; nil while there is nothing
}

type signInState int

const (
	signInWaiting signInState = iota
	signInByPassword
	signInByPasskey
)

// autofill is the ceremony that waits behind the box for the name.
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

// OnMount has the browser offer passkeys.
func (p *SignInPanel) OnMount(ctx app.Context) {
	p.self = ctx
	p.arm()
}

// OnDismount ends what waits.
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
	return app.Form().Class("sign-in stack").OnSubmit(p.onPassword).Body(
		p.Context.notice(p.failure),
		app.If(p.Password != nil, func() app.UI {
			return app.Div().Class("stack").Body(
				field(text.Name,
					app.Input().ID(signInNameID).Type("text").Attr("autocomplete", "username webauthn").
						Attr("autocapitalize", "none").Attr("spellcheck", "false").Attr("maxlength", "256").
						Required(true).OnInput(p.onName),
				),
				field(text.Password,
					app.Input().ID("sign-in-password").Type("password").Attr("autocomplete", "current-password").
						Attr("maxlength", "512").Required(true).OnInput(p.onSecret),
				),
				submit("sign-in-submit", "primary wide", label(p.state == signInByPassword, text.Working, text.Submit), busy),
			)
		}),
		app.If(p.Context.Blocked == "", func() app.UI {
			return app.Div().Class("stack").Body(
				app.If(p.Password != nil, func() app.UI { return app.P().Class("or").Body(app.Span().Text(text.Or)) }),
				button("sign-in-passkey", kind, "", busy, p.onPasskey).
					Body(icon("key"), app.Text(label(p.state == signInByPasskey, text.Working, text.Passkey))),
				app.If(p.state == signInByPasskey, func() app.UI {
					return button("sign-in-cancel", "quiet wide", text.Cancel, false, p.onCancel)
				}),
			)
		}).ElseIf(p.Password == nil, func() app.UI {
			return app.P().Class("notice").Text(p.Context.Blocked)
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

// onCancel is for password managers that don't say that their user has left.
func (p *SignInPanel) onCancel(app.Context, app.Event) { p.cancel() }

func (p *SignInPanel) cancel() {
	if p.stop != nil {
		p.stop()
	}
}

// signIn is what the user has chosen. A browser runs one ceremony at a time: autofill ends
// for it, and waits again when it has failed.
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

// arm waits for a passkey that the user picks in the box for the name.
func (p *SignInPanel) arm() {
	if p.Password == nil || p.Context.Blocked != "" {
		return
	}
	ctx, cancel := context.WithCancel(p.Context.asking(p.self))
	waiting := autofill{cancel, make(chan struct{})}
	p.autofill = waiting
	go func() { // and not p.self.Async, whose ends go-app waits for
		err := p.Service.SignInByAutofill(ctx)
		close(waiting.ended)
		p.self.Dispatch(func(app.Context) {
			_, refused := errors.AsType[*shared.Error](err)
			failure, failed := errors.AsType[*ceremony.Failure](err)
			switch {
			case ctx.Err() != nil:
				// The user does something else.
			case err == nil:
				notify(p.OnSignedIn)
			case refused, failed && failure.Chosen:
				p.failure = err
				p.arm()
			}
		})
	}()
}
