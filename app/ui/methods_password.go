package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared/message"
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
	row := c.row(passwordRow, text.Password, facts(text.PasswordNone)...)
	row.Icon = "password"
	row.Do = c.adds(rowAction{ID: "method-password", Text: text.PasswordSetNew, Label: text.PasswordSetRow, Do: c.typePassword})
	if !a.HasPassword {
		return row
	}
	row.Facts = nil
	if !a.PasswordSet.IsZero() {
		set, exact := c.Context.Date(a.PasswordSet)
		row.Facts = []fact{{message.Fill(text.PasswordChanged, "date", set), exact}}
	}
	row.Do.Text, row.Do.Label = text.PasswordChange, text.PasswordChangeRow
	if a.MayRelease {
		row.Do.Off = c.off() // an intruder may know the one that there is
	}
	row.Then = rowAction{ID: "method-password-remove", Text: text.PasswordRemove, Label: text.PasswordRemoveRow, Off: c.off() || a.PasswordOnly, Do: c.askRemoval}
	if a.PasswordOnly {
		row.Why = text.OnlyMethod
	}
	return row
}

func (c *MethodsCard) typePassword() {
	c.password = passwordTyped
	c.begins(passwordRow)
}

func (c *MethodsCard) askRemoval() {
	c.password = passwordRemoved
	c.begins(passwordRow)
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
			c.lit, c.announcement = passwordRow, c.Context.Text.Password.Done
			c.passwordDone()
			notify(c.OnChanged)
		}
	})
}

func (c *MethodsCard) removePassword() {
	c.does(passwordRow, c.Context.Text.Home.PasswordRemoved, c.Service.RemovePassword, func() {
		c.passwordDone()
		focus(c.self, "methods")
	})
}
