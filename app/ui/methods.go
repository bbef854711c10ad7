package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// MethodsService does what the card of sign-in methods offers, for the signed-in
// user.
type MethodsService interface {
	// Link goes to an OpenID provider, which sends the browser back. It returns only
	// if that can't be done.
	Link(ctx context.Context, providerID string) error
	// Unlink removes an identity.
	Unlink(ctx context.Context, identityID string) error
	// MakeRecoveryCodes returns new codes, which replace all earlier ones.
	MakeRecoveryCodes(ctx context.Context) (shared.RecoveryCodes, error)
	// ChangePassword sets or changes the password. It may refuse the new one with a
	// *[shared.Error], which is shown.
	ChangePassword(ctx context.Context, password string) error
	// RemovePassword removes it.
	RemovePassword(ctx context.Context) error
}

// MethodsCard lists how the user signs in, and links and unlinks OpenID providers.
type MethodsCard struct {
	app.Compo

	Context     Context        // required
	Service     MethodsService // required
	Confirms    ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account // the user's, as it is now
	OnChanged   func()         // the account has changed: load it again
	OnSignedOut func()         // the session has ended

	tasks
	working      string // the id of the row that is being worked on, or ""
	codes        []string
	password     passwordStep
	failure      error
	announcement string
}

// OnMount implements app.Mounter.
func (c *MethodsCard) OnMount(ctx app.Context) {
	c.tasks = tasks{self: ctx, context: &c.Context, signedOut: c.OnSignedOut}
}

// Render implements app.Composer.
func (c *MethodsCard) Render() app.UI {
	text, a := c.Context.Text.Home, c.Account
	return app.Elem("section").Class("card").Aria("labelledby", "methods").Body(
		app.Elem("h2").ID("methods").TabIndex(-1).Text(text.SignInMethods),
		c.Context.notice(c.failure),
		app.Elem("ul").Class("plain").Body(
			c.renderPassword(),
			app.If(a.PasskeysOn, func() app.UI { return app.Elem("li").ID("passkey-count").Text(c.passkeys()) }).
				Else(c.renderPasskeysOff),
			app.Range(a.Identities).Slice(c.renderIdentity),
			app.Range(c.unlinked()).Slice(c.renderProvider),
			c.renderCodes(),
		),
		app.If(a.PasskeysOn, func() app.UI {
			return app.Elem("a").ID("manage").Class("button").Attr("href", shared.PagePasskeys).Text(text.Manage)
		}),
		c.renderConfirm(c.Context, c.Confirms, a.Passkeys > 0, a.HasPassword),
		app.If(len(c.codes) > 0, func() app.UI {
			return &codesDialog{Context: c.Context, Product: a.Product, Name: a.User.Name, Codes: c.codes, OnDone: c.codesDone}
		}),
		Slot(app.If(c.password == passwordTyped, func() app.UI {
			return &passwordDialog{Context: c.Context, OnCancel: c.passwordDone, OnSave: c.savePassword}
		}).ElseIf(c.password == passwordRemoved, func() app.UI {
			return &askDialog{
				Context: c.Context, ID: "password-remove", Title: text.PasswordRemoveTitle, Lead: text.PasswordRemoveLead, Do: text.PasswordRemove,
				Harms: true, Working: c.working != "", OnOK: c.removePassword, OnCancel: c.passwordDone,
			}
		})),
		spoken(c.announcement),
	)
}

func (c *MethodsCard) passkeys() string {
	if c.Account.Passkeys == 0 {
		return c.Context.Text.Home.NoPasskeys
	}
	return c.Context.Count(c.Context.Text.Home.PasskeyCount, c.Account.Passkeys)
}

func (c *MethodsCard) renderPasskeysOff() app.UI {
	text := c.Context.Text.Home
	return app.Elem("li").Body(
		app.Text(text.PasskeysOff),
		app.If(c.Account.Contact != "", func() app.UI {
			return app.Elem("span").Text(" " + message.Fill(c.Context.Text.Failure.AskContact, "contact", c.Account.Contact))
		}),
	)
}

// unlinked returns the providers that the user hasn't linked.
func (c *MethodsCard) unlinked() (list []shared.Provider) {
	linked := map[string]bool{}
	for _, i := range c.Account.Identities {
		linked[i.ProviderID] = true
	}
	for _, p := range c.Account.Providers {
		if !linked[p.ID] {
			list = append(list, p)
		}
	}
	return list
}

func (c *MethodsCard) renderIdentity(i int) app.UI {
	text, identity := c.Context.Text.Home, c.Account.Identities[i]
	name := identity.Provider
	if identity.Name != "" {
		name = message.Fill(text.IdentityNamed, "provider", identity.Provider, "name", identity.Name)
	}
	row := &methodRow{ID: identity.ID, Name: name, OnClick: c.unlink, Off: c.working != "" || identity.OnlyMethod || c.Context.Offline != ""}
	row.Button = label(c.working == identity.ID, text.Working, text.Unlink)
	row.Label = message.Fill(text.UnlinkRow, "provider", identity.Provider)
	if identity.OnlyMethod {
		row.Fact = text.IdentityOnly
	}
	return row
}

func (c *MethodsCard) renderProvider(i int) app.UI {
	text, provider := c.Context.Text.Home, c.unlinked()[i]
	row := &methodRow{ID: provider.ID, Name: provider.Name, OnClick: c.link, Off: c.working != "" || c.Context.Offline != ""}
	row.Button = label(c.working == provider.ID, text.Working, text.Link)
	row.Label = message.Fill(text.LinkRow, "provider", provider.Name)
	row.Fact = text.NotLinked
	return row
}

// codesRow is the id of the row of recovery codes.
const codesRow = "recovery-codes"

func (c *MethodsCard) renderCodes() app.UI {
	text, left := c.Context.Text.Home, c.Account.RecoveryCodes
	row := &methodRow{ID: codesRow, Name: text.CodesNone, OnClick: c.makeCodes, Off: c.working != "" || c.Context.Offline != ""}
	row.Label = text.CodesMake
	if left > 0 {
		row.Name, row.Label = c.Context.Count(text.CodesLeft, left), text.CodesRenew
	}
	row.Button = label(c.working == codesRow, text.Working, row.Label)
	return row
}

func (c *MethodsCard) makeCodes(string) {
	var made shared.RecoveryCodes
	c.does(codesRow, "", func(ctx context.Context) (err error) {
		made, err = c.Service.MakeRecoveryCodes(ctx)
		return err
	}, func() { c.codes = made.Codes })
}

func (c *MethodsCard) codesDone() {
	c.codes = nil
	focus(c.self, "method-"+codesRow)
}

func (c *MethodsCard) link(providerID string) {
	c.does(providerID, "", func(ctx context.Context) error { return c.Service.Link(ctx, providerID) }, func() {})
}

func (c *MethodsCard) unlink(identityID string) {
	c.does(identityID, c.Context.Text.Home.DoneUnlinked, func(ctx context.Context) error {
		err := c.Service.Unlink(ctx, identityID)
		if shared.CodeOf(err) == shared.CodeNotFound {
			return nil // it was removed elsewhere, which is what the user wanted
		}
		return err
	}, func() { focus(c.self, "methods") })
}

func (c *MethodsCard) does(id, done string, work func(context.Context) error, then func()) {
	if c.working != "" {
		return
	}
	c.working, c.failure = id, nil
	c.attempt(work, func(err error) {
		c.working, c.failure = "", err
		if err == nil {
			c.announcement = done
			then()
			notify(c.OnChanged)
		}
	})
}

// methodRow is a line with a button. It is a component, so that its handler always acts on
// the line that is shown.
type methodRow struct {
	app.Compo

	ID, Name, Fact string
	Button, Label  string // the button's text, and its accessible name
	Off            bool
	OnClick        func(id string)
}

func (r *methodRow) Render() app.UI {
	return app.Elem("li").Class("method").Body(
		app.Elem("span").Body(
			app.Elem("bdi").Text(r.Name),
			app.If(r.Fact != "", func() app.UI { return app.Elem("small").Class("quiet").Text(r.Fact) }),
		),
		button("method-"+r.ID, "small", r.Button, r.Off, r.onClick).Aria("label", r.Label),
	)
}

func (r *methodRow) onClick(app.Context, app.Event) { r.OnClick(r.ID) }
