package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ConfirmService proves again who the user is.
type ConfirmService interface {
	ConfirmWithPasskey(ctx context.Context) error
	ConfirmWithPassword(ctx context.Context, password string) error
	// ConfirmAtProvider goes to an OpenID provider, which sends the browser back. It
	// returns only if that can't be done.
	ConfirmAtProvider(ctx context.Context, providerID string) error
}

// Confirm is the dialog that asks for such a proof, in place: whoever opened it
// goes on where they were.
type Confirm struct {
	app.Compo

	World       World
	Service     ConfirmService
	HasPasskey  bool
	HasPassword bool
	OnConfirmed func()
	OnCancel    func()

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
func (c *Confirm) OnMount(ctx app.Context) { showModal(ctx, confirmID) }

// Render implements app.Composer.
func (c *Confirm) Render() app.UI {
	text := c.World.Text.Confirm
	busy := c.state != confirmAsking
	return dialog(confirmID, text.Title, c.onEscape,
		app.P().Text(text.Lead),
		c.World.notice(c.failure),
		app.If(c.HasPasskey, func() app.UI {
			return button("confirm-passkey", "primary wide", "", busy, c.onPasskey).Body(icon("key"), app.Text(label(c.state == confirmByPasskey, text.Working, text.UsePasskey)))
		}),
		app.If(c.HasPasskey && c.HasPassword, func() app.UI {
			return app.P().Class("or").Body(app.Span().Text(text.Or))
		}),
		app.If(c.HasPassword, func() app.UI {
			return app.Form().Class("stack").OnSubmit(c.onPassword).Body(
				field(text.Password,
					app.Input().ID("confirm-password").Type("password").
						Attr("autocomplete", "current-password").Attr("maxlength", "512").
						Required(true).OnInput(c.onInput),
				),
				submit("confirm-submit", "wide", label(c.state == confirmByPassword, text.Working, text.UsePassword), busy),
			)
		}),
		app.Range(c.World.ConfirmsAt).Slice(func(i int) app.UI {
			return &providerButton{Provider: c.World.ConfirmsAt[i], Text: text.AtProvider, Off: busy, OnClick: c.atProvider}
		}),
		foot(
			button("confirm-cancel", "quiet", text.Cancel, false, c.onCancel),
		),
	)
}

func (c *Confirm) onInput(ctx app.Context, _ app.Event) { c.password = valueOf(ctx) }

func (c *Confirm) onPasskey(ctx app.Context, _ app.Event) {
	c.confirm(ctx, confirmByPasskey, c.Service.ConfirmWithPasskey)
}

func (c *Confirm) onPassword(ctx app.Context, e app.Event) {
	e.PreventDefault()
	password := c.password
	c.confirm(ctx, confirmByPassword, func(work context.Context) error {
		return c.Service.ConfirmWithPassword(work, password)
	})
}

// atProvider leaves the app. Who comes back has confirmed, and does again what
// they wanted to.
func (c *Confirm) atProvider(ctx app.Context, id string) {
	c.confirm(ctx, confirmAtProvider, func(work context.Context) error { return c.Service.ConfirmAtProvider(work, id) })
}

// providerButton leads to an OpenID provider.
type providerButton struct {
	app.Compo

	Provider shared.Provider
	Text     string // {provider}
	Off      bool
	OnClick  func(ctx app.Context, id string)
}

func (b *providerButton) Render() app.UI {
	return button("confirm-at-"+b.Provider.ID, "wide", message.Fill(b.Text, "provider", b.Provider.Name), b.Off, b.onClick)
}

func (b *providerButton) onClick(ctx app.Context, _ app.Event) { b.OnClick(ctx, b.Provider.ID) }

func (c *Confirm) confirm(ctx app.Context, how confirmState, prove func(context.Context) error) {
	if c.state != confirmAsking {
		return
	}
	c.state, c.failure = how, nil
	ctx.Async(func() {
		err := prove(ctx)
		ctx.Dispatch(func(app.Context) {
			c.state, c.failure = confirmAsking, err
			if err == nil {
				c.OnConfirmed()
			}
		})
	})
}

func (c *Confirm) onEscape() {
	c.OnCancel()
}

func (c *Confirm) onCancel(app.Context, app.Event) { c.OnCancel() }
