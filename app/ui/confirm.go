package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ConfirmService proves again who the user is. For one that is also a [ProviderConfirmer],
// the dialog offers the providers in [Context].ConfirmsAt.
//
// When a method returns no error, the server counts the session as fresh from then on. The
// dialog shows an error, and the user may try again.
type ConfirmService interface {
	// ConfirmWithPasskey asks the browser for one of the user's passkeys. It is called
	// only where [Confirm] HasPasskey.
	ConfirmWithPasskey(ctx context.Context) error
	// ConfirmWithPassword is called only where [Confirm] HasPassword. For a wrong password
	// it returns a *[shared.Error] with [shared.CodeSignInRefused]. One with
	// [shared.CodeUnauthenticated] would say that the session has ended.
	ConfirmWithPassword(ctx context.Context, password string) error
}

// ProviderConfirmer proves at OpenID providers who the user is.
type ProviderConfirmer interface {
	// ConfirmAtProvider goes to an OpenID provider, which sends the browser back. It
	// returns only if that can't be done.
	ConfirmAtProvider(ctx context.Context, providerID string) error
}

// Confirm is the dialog that asks for such a proof. The user goes on afterwards where they
// were. The panels of this package open it by themselves.
//
// The dialog opens when it is mounted. Its parent removes it on any callback.
type Confirm struct {
	app.Compo

	Context Context // required
	// Service does the work. Where it is nil, or the user has nothing that it could ask for,
	// the dialog says so, and offers SignInAgain, Recovery and Contact of the Context.
	Service     ConfirmService
	HasPasskey  bool // offer to confirm with a passkey
	HasPassword bool // offer to confirm with the password

	OnConfirmed func() // the proof was given
	OnCancel    func() // the user doesn't want to, by the button or Escape
	OnSignedOut func() // the session has ended meanwhile

	self     app.Context // the component's own: that of an event ends with its element
	password string
	state    confirmState
	failure  error
}

type confirmState int

const (
	confirmAsking confirmState = iota
	confirmByPasskey
	confirmByPassword
	confirmAtProvider
)

const confirmID = "confirm"

// OnMount opens the dialog.
func (c *Confirm) OnMount(ctx app.Context) {
	c.self = ctx
	showModal(ctx, confirmID)
}

// Render implements app.Composer.
func (c *Confirm) Render() app.UI {
	text := c.Context.Text.Confirm
	busy := c.state != confirmAsking
	if !c.canConfirm() {
		return c.renderNothing()
	}
	return dialog(confirmID, text.Title, c.onEscape,
		app.Elem("p").Text(text.Lead),
		c.Context.notice(c.failure),
		app.If(c.HasPasskey, func() app.UI {
			return button("confirm-passkey", "primary wide", "", busy, c.onPasskey).Body(icon("key"), app.Text(label(c.state == confirmByPasskey, text.Working, text.UsePasskey)))
		}),
		app.If(c.HasPasskey && c.HasPassword, func() app.UI {
			return app.Elem("p").Class("or").Body(app.Elem("span").Text(text.Or))
		}),
		app.If(c.HasPassword, func() app.UI {
			return app.Elem("form").Class("stack").OnSubmit(c.onPassword).Body(
				field(text.Password,
					app.ElemSelfClosing("input").ID("confirm-password").Attr("type", "password").
						Attr("autocomplete", "current-password").Attr("maxlength", "512").
						Attr("required", true).OnInput(c.onInput),
				),
				submit("confirm-submit", "wide", label(c.state == confirmByPassword, text.Working, text.UsePassword), busy),
			)
		}),
		app.Range(c.providers()).Slice(func(i int) app.UI {
			return &providerButton{Provider: c.providers()[i], Text: text.AtProvider, Off: busy, OnClick: c.atProvider}
		}),
		app.If(c.Context.SignInAgain != nil, func() app.UI {
			return button("confirm-sign-in", "wide", text.SignInAgain, busy, c.onSignInAgain)
		}),
		foot(
			button("confirm-cancel", "quiet", text.Cancel, false, c.onCancel),
		),
	)
}

// providers returns the OpenID providers at which the user can confirm.
func (c *Confirm) providers() []shared.Provider {
	if _, confirms := c.Service.(ProviderConfirmer); !confirms {
		return nil
	}
	return c.Context.ConfirmsAt
}

func (c *Confirm) canConfirm() bool {
	return c.Service != nil && (c.HasPasskey || c.HasPassword || len(c.providers()) > 0)
}

// renderNothing is for a user who came by a recovery code or a link, and has added no sign-in
// method since.
func (c *Confirm) renderNothing() app.UI {
	text, contact := c.Context.Text.Confirm, c.Context.Contact
	return dialog(confirmID, text.Title, c.onEscape,
		app.Elem("p").Text(text.Nothing),
		app.If(contact != "", func() app.UI {
			return app.Elem("p").Class("contact").Text(message.Fill(c.Context.Text.Panel.Contact, "contact", contact))
		}),
		foot(
			button("confirm-cancel", "quiet", text.Cancel, false, c.onCancel),
			app.If(c.Context.Recovery != "", func() app.UI {
				return button("confirm-recovery", "primary", text.Recovery, false, c.onRecovery)
			}),
			app.If(c.Context.SignInAgain != nil, func() app.UI {
				return button("confirm-sign-in", "primary", text.SignInAgain, false, c.onSignInAgain)
			}),
		),
	)
}

// onRecovery leaves the app, since the page is the server's.
func (c *Confirm) onRecovery(app.Context, app.Event) { browser.Leave(c.Context.Recovery) }

func (c *Confirm) onSignInAgain(app.Context, app.Event) { notify(c.Context.SignInAgain) }

func (c *Confirm) onInput(ctx app.Context, _ app.Event) { c.password = valueOf(ctx) }

func (c *Confirm) onPasskey(app.Context, app.Event) {
	c.confirm(confirmByPasskey, c.Service.ConfirmWithPasskey)
}

func (c *Confirm) onPassword(_ app.Context, e app.Event) {
	e.PreventDefault()
	password := c.password
	c.confirm(confirmByPassword, func(work context.Context) error {
		return c.Service.ConfirmWithPassword(work, password)
	})
}

// atProvider leaves the app. The user comes back confirmed, and repeats what they wanted to
// do.
func (c *Confirm) atProvider(id string) {
	c.confirm(confirmAtProvider, func(work context.Context) error { return c.Service.(ProviderConfirmer).ConfirmAtProvider(work, id) })
}

// providerButton leads to an OpenID provider.
type providerButton struct {
	app.Compo

	Provider shared.Provider
	Text     string // {provider}
	Off      bool
	OnClick  func(id string)
}

func (b *providerButton) Render() app.UI {
	return button("confirm-at-"+b.Provider.ID, "wide", message.Fill(b.Text, "provider", b.Provider.Name), b.Off, b.onClick)
}

func (b *providerButton) onClick(app.Context, app.Event) { b.OnClick(b.Provider.ID) }

func (c *Confirm) confirm(how confirmState, prove func(context.Context) error) {
	if c.state != confirmAsking {
		return
	}
	c.state, c.failure = how, nil
	focusedBefore := focused()
	asking := c.Context.asking(c.self)
	c.self.Async(func() {
		err := prove(asking)
		c.self.Dispatch(func(app.Context) {
			switch {
			case err == nil:
				notify(c.OnConfirmed)
			case shared.IsSignedOut(err):
				notify(c.OnSignedOut)
			}
			c.state, c.failure = confirmAsking, err
			refocus(c.self, focusedBefore)
		})
	})
}

func (c *Confirm) onEscape() {
	notify(c.OnCancel)
}

func (c *Confirm) onCancel(app.Context, app.Event) { notify(c.OnCancel) }
