package ui

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// ProfileService does what the card of the profile offers, for the signed-in user.
type ProfileService interface {
	// ChangeProfile changes what is set.
	ChangeProfile(ctx context.Context, change shared.ChangeProfile) error
	// SendVerification sends the mail with which the user verifies their address once more.
	SendVerification(ctx context.Context) error
	// Export returns everything that is kept about the user.
	Export(ctx context.Context) (json.RawMessage, error)
}

// ProfileCard shows and changes what others read of the user, and gives the user all their data.
type ProfileCard struct {
	app.Compo

	Context     Context          // required
	Service     ProfileService   // required
	Confirms    ConfirmService   // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account   // the user's, as it is now
	Languages   []Language       // from which the user can choose
	OnLanguage  func(tag string) // the user has chosen another one
	OnChanged   func()           // the account has changed: load it again
	OnSignedOut func()           // the session has ended

	tasks
	editing   bool
	exporting bool
	mail      mailStep
	lit       bool // it was changed
	failure   error
	unsent    error // why the mail wasn't sent
}

// mailStep is how far the mail is with which the user verifies their address.
type mailStep int

const (
	mailNone mailStep = iota
	mailSending
	mailSent
)

// Language is a language of the texts.
type Language struct {
	Tag  string // BCP 47
	Name string // as its speakers call it
}

// OnMount implements app.Mounter.
func (c *ProfileCard) OnMount(ctx app.Context) {
	c.tasks = tasks{self: ctx, context: &c.Context, signedOut: c.OnSignedOut}
}

// Render implements app.Composer.
func (c *ProfileCard) Render() app.UI {
	text, a := c.Context.Text, c.Account
	off, class := c.Context.Offline != "", "card"
	if c.lit {
		class += " lit"
	}
	return part("profile", text.Home.Profile,
		c.Context.button("profile-edit", "small", text.Member.Edit, off, c.onEdit).Aria("label", text.Home.ProfileEdit),
		app.Elem("div").Class(class).Body(
			app.Elem("dl").Class("pairs").Body(
				term(text.Member.DisplayName, app.Elem("bdi").Text(a.User.DisplayName)), term(text.Member.UserName, app.Elem("bdi").Text(a.User.Name)),
				term(text.Member.Email, c.renderEmail()),
				term(text.Home.Language, app.Elem("bdi").Text(cmp.Or(languageName(c.Languages, a.Language), text.Home.LanguageNone))),
			),
			c.Context.notice(c.failure),
			app.Elem("div").Class("buttons").Body(
				c.Context.button("profile-export", "small", text.Home.Export, off || c.exporting, c.onExport).Aria("describedby", "profile-export-hint"),
				app.Elem("span").ID("profile-export-hint").Class("note").Text(text.Home.ExportHint),
			),
		),
		Slot(app.If(c.editing, c.renderEdit)),
		c.renderConfirm(c.Context, c.Confirms, a.Passkeys > 0, a.HasPassword),
		spoken(c.announced()),
	)
}

// announced is what screen readers read out. It is in the language that may just have been chosen.
func (c *ProfileCard) announced() string {
	switch {
	case c.lit:
		return c.Context.Text.Member.Saved
	case c.mail == mailSent:
		return c.Context.Text.Home.VerifySent
	}
	return ""
}

// renderEmail says whether the address is verified. An address that isn't gets no notices.
func (c *ProfileCard) renderEmail() app.UI {
	text, a := c.Context.Text.Home, c.Account
	address := app.Elem("bdi").Text(cmp.Or(a.Email, c.Context.Text.Member.None))
	if a.Email == "" || !a.EmailVerified && !a.MailOn {
		return address
	}
	is := text.EmailNotVerified
	switch {
	case a.EmailVerified:
		is = text.EmailVerified
	case c.mail == mailSent:
		is = text.VerifySent
	}
	return app.Elem("div").Class("plain").Body(
		address,
		app.Elem("span").ID("profile-email-is").Class("note").Text(is),
		app.If(!a.EmailVerified, func() app.UI {
			return app.Elem("div").Class("buttons").Body(
				c.Context.button("profile-verify", "small", "", c.Context.Offline != "" || c.mail == mailSending, c.onVerify).
					Aria("describedby", "profile-email-is").Body(steady(c.mail == mailSending, text.Working, text.VerifyAgain)),
			)
		}),
		c.Context.notice(c.unsent),
	)
}

// languageName returns what the speakers of a language call it. A language that only a newer
// server knows has its tag.
func languageName(list []Language, tag string) string {
	for _, l := range list {
		if l.Tag == tag {
			return l.Name
		}
	}
	return tag
}

func (c *ProfileCard) renderEdit() app.UI {
	text, a := c.Context.Text, c.Account
	languages := []Language{{Name: text.Home.LanguageNone}}
	return &memberDialog{
		Context: c.Context, ID: "profile-dialog", Title: text.Home.Profile, Do: text.Member.Save, OnCancel: c.edited, OnSave: c.save,
		Fields: []memberField{
			{id: "display-name", label: text.Member.DisplayName, value: a.User.DisplayName, most: "64", required: true},
			{id: "email", label: text.Member.Email, value: a.Email, most: "254", kind: "email"},
			{id: "language", label: text.Home.Language, value: a.Language, choices: append(languages, c.Languages...), hint: text.Home.LanguageHint},
		},
	}
}

func (c *ProfileCard) onVerify(app.Context, app.Event) {
	if c.mail == mailSending {
		return
	}
	c.mail, c.failure, c.unsent, c.lit = mailSending, nil, nil, false
	c.attempt(c.Service.SendVerification, func(err error) {
		if c.mail, c.unsent = mailNone, err; err == nil {
			c.mail = mailSent
		}
	})
}

func (c *ProfileCard) onEdit(app.Context, app.Event) {
	c.editing, c.failure, c.unsent, c.lit = true, nil, nil, false
}

func (c *ProfileCard) edited() {
	c.editing = false
	focus(c.self, "profile-edit")
}

func (c *ProfileCard) save(d *memberDialog, done func(error)) {
	a, language := c.Account, d.value("language")
	change := shared.ChangeProfile{
		DisplayName: d.changed("display-name", a.User.DisplayName), Email: d.changed("email", a.Email), Language: d.changed("language", a.Language),
	}
	if change == (shared.ChangeProfile{}) {
		c.edited()
		return
	}
	c.attempt(func(ctx context.Context) error {
		return c.Service.ChangeProfile(ctx, change)
	}, func(err error) {
		if done(err); err == nil {
			c.lit = true
			if change.Email != nil {
				c.mail = mailNone
			}
			c.edited()
			if change.Language != nil && language != "" && c.OnLanguage != nil {
				c.OnLanguage(language)
			}
			notify(c.OnChanged)
		}
	})
}

func (c *ProfileCard) onExport(app.Context, app.Event) {
	c.exporting, c.failure, c.lit = true, nil, false
	var all json.RawMessage
	c.attempt(func(ctx context.Context) (err error) {
		all, err = c.Service.Export(ctx)
		return err
	}, func(err error) {
		if c.exporting, c.failure = false, err; err == nil {
			browser.Download(c.Account.User.Name+".json", string(all))
		}
	})
}
