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
	// Release lets sign-in methods be added again, where that was stopped.
	Release(ctx context.Context) error
}

// MethodsCard lists how the user signs in, with what can be done about each way.
type MethodsCard struct {
	app.Compo

	Context     Context        // required
	Service     MethodsService // required
	Confirms    ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account // the user's, as it is now
	Hint        Hint           // about passkeys; the zero value is none
	OnAdd       func()         // the user wants to add a passkey
	OnChanged   func()         // the account has changed: load it again
	OnSignedOut func()         // the session has ended

	tasks
	working      string // the id of the row that is being worked on, or ""
	codes        []string
	password     passwordStep
	lit          string // the id of the row that was changed last
	refused      string // the id of the row where failure is shown
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
	rows := []app.UI{c.renderPasskeys()}
	if c.Hint.Title != "" {
		rows = append(rows, c.renderHint())
	}
	if a.HasPassword || a.PasswordsOn {
		rows = append(rows, c.renderPassword())
	}
	for _, identity := range a.Identities {
		rows = append(rows, c.renderIdentity(identity))
	}
	for _, provider := range c.unlinked() {
		rows = append(rows, c.renderProvider(provider))
	}
	rows = append(rows, c.renderCodes())
	return part("methods", text.SignInMethods, nil,
		c.renderHold(),
		app.Elem("ul").Class("rows").Body(rows...),
		c.renderConfirm(c.Context, c.Confirms, a.Passkeys > 0, a.HasPassword),
		app.If(len(c.codes) > 0, func() app.UI {
			return &codesDialog{Context: c.Context, Product: a.Product, Name: a.User.Name, Codes: c.codes, OnDone: c.codesDone}
		}),
		Slot(app.If(c.password == passwordTyped, func() app.UI {
			return &passwordDialog{Context: c.Context, IsFirst: !a.HasPassword, OnCancel: c.passwordDone, OnSave: c.savePassword}
		}).ElseIf(c.password == passwordRemoved, func() app.UI {
			return &askDialog{
				Context: c.Context, ID: "password-remove", Title: text.PasswordRemoveTitle, Lead: text.PasswordRemoveLead, Do: text.PasswordRemove,
				Harms: true, Working: c.working != "", OnOK: c.removePassword, OnCancel: c.passwordDone,
			}
		})),
		spoken(c.announcement),
	)
}

func (c *MethodsCard) renderHold() app.UI {
	var refusal error
	if c.refused == holdRow {
		refusal = c.failure
	}
	may, allow := c.Account.MayRelease, c.release
	if !may {
		allow = nil
	}
	return c.Context.held(c.Account.HeldUntil, may, c.off(), refusal, allow)
}

// adds is the button of a row that adds a sign-in method. It is off while none can be added.
func (c *MethodsCard) adds(a rowAction) rowAction {
	a.Off = c.off()
	if !c.Account.HeldUntil.IsZero() {
		a.Off, a.OffBy = true, holdRow
	}
	return a
}

func (c *MethodsCard) release() {
	c.does(holdRow, c.Context.Text.Home.Allowed, c.Service.Release, func() { focus(c.self, "methods") })
}

// row returns the row of a sign-in method.
func (c *MethodsCard) row(id, name string, facts ...fact) *line {
	row := &line{Context: c.Context, ID: "way-" + id, Level: "h3", Name: name, Facts: facts}
	if c.lit == id {
		row.Class = "lit"
	}
	if c.refused == id {
		row.Failure = c.failure
	}
	return row
}

// off reports whether nothing can be asked of the server just now.
func (c *MethodsCard) off() bool { return c.working != "" || c.Context.Offline != "" }

// passkeysRow is the id of the row.
const passkeysRow = "passkeys"

func (c *MethodsCard) renderPasskeys() app.UI {
	text, a := c.Context.Text.Home, c.Account
	row := c.row(passkeysRow, text.Passkeys)
	row.Icon = "key"
	switch {
	case !a.PasskeysOn:
		row.Facts = facts(text.PasskeysOff)
		if a.Contact != "" {
			row.Why = message.Fill(c.Context.Text.Failure.AskContact, "contact", a.Contact)
		}
		return row
	case a.Passkeys == 0:
		row.Facts = facts(text.NoPasskeys)
		if c.Hint.Title == "" && a.HeldUntil.IsZero() {
			row.Do = rowAction{ID: "manage", Text: text.OfferAdd, Class: "primary", Off: c.Context.Offline != "", Do: func() { notify(c.OnAdd) }}
			return row
		}
	default:
		row.Facts = append(facts(c.Context.Count(text.PasskeyCount, a.Passkeys)), c.newest()...)
	}
	row.Do = rowAction{ID: "manage", Text: text.Manage, Label: text.ManageRow, Href: shared.PagePasskeys}
	return row
}

// newest tells of the only passkey, or of the one that was added last.
func (c *MethodsCard) newest() []fact {
	passkey := c.Account.NewestPasskey
	if passkey == nil {
		return nil
	}
	name := passkey.Name
	if c.Account.Passkeys > 1 {
		name = message.Fill(c.Context.Text.Home.Newest, "name", name)
	}
	home, _ := c.Context.homeOf(passkey.Kind, passkey.Synced, passkey.Provider)
	added, exact := c.Context.Date(passkey.Created)
	return append(facts(name, home), fact{message.Fill(c.Context.Text.Panel.Added, "date", added), exact})
}

func (c *MethodsCard) renderHint() *line {
	row := c.row("hint", c.Hint.Title, facts(c.Hint.Lead)...)
	row.ID, row.Class, row.Icon, row.Kind = c.Hint.ID, "picked", "info", "warn"
	row.Do = rowAction{ID: c.Hint.ID + "-add", Text: c.Hint.Add, Off: c.Context.Offline != "", Do: func() { notify(c.OnAdd) }}
	if c.Hint.Primary {
		row.Do.Class = "primary"
	}
	row.Then = rowAction{ID: c.Hint.ID + "-not-now", Text: c.Hint.NotNow, Class: "quiet", Do: func() { notify(c.Hint.OnNotNow) }}
	return row
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

func (c *MethodsCard) renderIdentity(identity shared.Identity) app.UI {
	text := c.Context.Text.Home
	linked, exact := c.Context.Date(identity.Created)
	row := c.row(identity.ID, identity.Provider, append(facts(identity.Name), fact{message.Fill(text.Linked, "date", linked), exact})...)
	row.Initial = shared.Initial(identity.Provider)
	row.Do = rowAction{
		ID: "method-" + identity.ID, Text: label(c.working == identity.ID, text.Working, text.Unlink), Label: message.Fill(text.UnlinkRow, "provider", identity.Provider),
		Off: c.off() || identity.OnlyMethod, Do: func() { c.unlink(identity.ID) },
	}
	if identity.OnlyMethod {
		row.Why = text.OnlyMethod
	}
	return row
}

func (c *MethodsCard) renderProvider(provider shared.Provider) app.UI {
	text := c.Context.Text.Home
	row := c.row(provider.ID, provider.Name, facts(text.NotLinked)...)
	row.Initial = shared.Initial(provider.Name)
	row.Do = c.adds(rowAction{
		ID: "method-" + provider.ID, Text: label(c.working == provider.ID, text.Working, text.Link), Label: message.Fill(text.LinkRow, "provider", provider.Name),
		Do: func() { c.link(provider.ID) },
	})
	return row
}

const (
	// codesRow is the id of the row of recovery codes.
	codesRow = "recovery-codes"
	// fewCodes is how many codes are left when it is time to make new ones.
	fewCodes = 2
)

func (c *MethodsCard) renderCodes() app.UI {
	text, a := c.Context.Text.Home, c.Account
	row := c.row(codesRow, text.Codes)
	row.Icon = "codes"
	row.Do = c.adds(rowAction{ID: "method-" + codesRow, Text: text.CodesMake, Label: text.CodesMakeRow, Do: c.makeCodes})
	switch made, exact := c.Context.Date(a.RecoveryCodesMade); {
	case a.RecoveryCodesMade.IsZero() && a.RecoveryCodes == 0:
		row.Facts = facts(text.CodesNone)
	default:
		left := text.CodesLeft
		if a.RecoveryCodes <= fewCodes {
			left, row.Kind = text.CodesFew, "warn"
		}
		row.Facts = facts(c.Context.codesLeft(left, a.RecoveryCodes))
		if !a.RecoveryCodesMade.IsZero() {
			row.Facts = append(row.Facts, fact{message.Fill(text.CodesMade, "date", made), exact})
		}
		row.Do.Text, row.Do.Label = text.CodesRenew, text.CodesRenewRow
	}
	row.Do.Text = label(c.working == codesRow, text.Working, row.Do.Text)
	return row
}

// codesLeft says how many recovery codes are left.
func (c Context) codesLeft(text string, left int) string {
	return message.Fill(text, "n", c.Number(left), "all", c.Number(shared.RecoveryCodeCount))
}

func (c *MethodsCard) makeCodes() {
	var made shared.RecoveryCodes
	lost := c.Context.Text.Codes.Lost
	c.does(codesRow, "", func(ctx context.Context) (err error) {
		made, err = c.Service.MakeRecoveryCodes(ctx)
		return mayBeDone(err, lost)
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

// does works on a row. Its refusal is shown there, and what was done is lit.
func (c *MethodsCard) does(id, done string, work func(context.Context) error, then func()) {
	if c.working != "" {
		return
	}
	c.begins(id)
	c.working = id
	c.attempt(work, func(err error) {
		c.working, c.failure = "", err
		switch {
		case err == nil:
			c.lit, c.announcement = id, done
			then()
			notify(c.OnChanged)
		case c.password == passwordRemoved:
			c.passwordDone()
		}
	})
}

// begins forgets what was done or refused before.
func (c *MethodsCard) begins(id string) { c.refused, c.failure, c.lit = id, nil, "" }
