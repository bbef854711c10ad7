package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// The row of the password on the card of sign-in methods.

// passwordStep is the dialog about the password that is open.
type passwordStep int

const (
	passwordRests   passwordStep = iota
	passwordTyped                // a new one is typed
	passwordRemoved              // its removal is asked for
)

// passwordRow is the id of the row.
const passwordRow = "password"

func (c *MethodsCard) renderPassword() app.UI {
	text, a := c.Context.Text.Home, c.Account
	off := c.working != "" || c.Context.Offline != ""
	if !a.HasPassword && !a.PasswordsOn {
		return app.Elem("li").Class("slot")
	}
	if !a.HasPassword {
		return app.Elem("li").Class("method").Body(
			app.Elem("span").Text(text.PasswordNone),
			button("method-password", "small", text.PasswordSetNew, off, c.onPassword).Aria("label", text.PasswordSetRow),
		)
	}
	only := a.Passkeys+len(a.Identities) == 0
	return app.Elem("li").Class("method").Body(
		app.Elem("span").Text(text.PasswordSet),
		app.Elem("span").Class("buttons").Body(
			button("method-password", "small", text.PasswordChange, off, c.onPassword).Aria("label", text.PasswordChangeRow),
			button("method-password-remove", "small", text.PasswordRemove, off || only, c.onPasswordRemove).Aria("label", text.PasswordRemoveRow),
		),
	)
}

func (c *MethodsCard) onPassword(app.Context, app.Event) { c.password, c.failure = passwordTyped, nil }

func (c *MethodsCard) onPasswordRemove(app.Context, app.Event) {
	c.password, c.failure = passwordRemoved, nil
}

// passwordDone closes the dialog.
func (c *MethodsCard) passwordDone() {
	from := "method-password"
	if c.password == passwordRemoved {
		from = "method-password-remove"
	}
	c.password = passwordRests
	focus(c.self, from)
}

func (c *MethodsCard) savePassword(password string, done func(error)) {
	c.attempt(func(ctx context.Context) error {
		return c.Service.ChangePassword(ctx, password)
	}, func(err error) {
		if done(err); err == nil {
			c.announcement = c.Context.Text.Password.Done
			c.passwordDone()
			notify(c.OnChanged)
		}
	})
}

func (c *MethodsCard) removePassword() {
	if c.working != "" {
		return
	}
	c.working, c.failure = passwordRow, nil
	c.attempt(c.Service.RemovePassword, func(err error) {
		c.working, c.failure = "", err
		c.passwordDone()
		if err == nil {
			c.announcement = c.Context.Text.Home.PasswordRemoved
			focus(c.self, "methods")
			notify(c.OnChanged)
		}
	})
}
