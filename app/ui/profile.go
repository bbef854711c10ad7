package ui

import (
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
	// Export returns everything that is kept about the user.
	Export(ctx context.Context) (json.RawMessage, error)
}

// ProfileCard shows and changes what others read of the user, and gives the user all their data.
type ProfileCard struct {
	app.Compo

	Context     Context        // required
	Service     ProfileService // required
	Confirms    ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account // the user's, as it is now
	OnChanged   func()         // the account has changed: load it again
	OnSignedOut func()         // the session has ended

	tasks
	editing      bool
	exporting    bool
	failure      error
	announcement string
}

// OnMount implements app.Mounter.
func (c *ProfileCard) OnMount(ctx app.Context) {
	c.tasks = tasks{self: ctx, context: &c.Context, signedOut: c.OnSignedOut}
}

// Render implements app.Composer.
func (c *ProfileCard) Render() app.UI {
	text, a := c.Context.Text, c.Account
	email := a.Email
	if email == "" {
		email = text.Member.None
	}
	off := c.Context.Offline != ""
	return app.Elem("section").Class("card").Aria("labelledby", "profile").Body(
		app.Elem("h2").ID("profile").TabIndex(-1).Text(text.Home.Profile),
		c.Context.notice(c.failure),
		pairs([]pair{{text.Member.DisplayName, a.User.DisplayName}, {text.Member.UserName, a.User.Name}, {text.Member.Email, email}}),
		app.Elem("div").Class("buttons").Body(
			button("profile-edit", "", text.Member.Edit, off, c.onEdit),
			button("profile-export", "quiet", text.Home.Export, off || c.exporting, c.onExport).Title(text.Home.ExportHint),
		),
		Slot(app.If(c.editing, func() app.UI {
			return &memberDialog{
				Context: c.Context, ID: "profile-dialog", Title: text.Home.Profile, Do: text.Member.Save, OnCancel: c.edited, OnSave: c.save,
				Fields: []memberField{
					{id: "display-name", label: text.Member.DisplayName, value: a.User.DisplayName, most: "64", required: true},
					{id: "email", label: text.Member.Email, value: a.Email, most: "254", kind: "email"},
				},
			}
		})),
		c.renderConfirm(c.Context, c.Confirms, a.Passkeys > 0, a.HasPassword),
		spoken(c.announcement),
	)
}

func (c *ProfileCard) onEdit(app.Context, app.Event) { c.editing, c.failure = true, nil }

func (c *ProfileCard) edited() {
	c.editing = false
	focus(c.self, "profile-edit")
}

func (c *ProfileCard) save(d *memberDialog, done func(error)) {
	display, email := d.value("display-name"), d.value("email")
	var change shared.ChangeProfile
	if display != c.Account.User.DisplayName {
		change.DisplayName = &display
	}
	if email != c.Account.Email {
		change.Email = &email
	}
	c.attempt(func(ctx context.Context) error {
		return c.Service.ChangeProfile(ctx, change)
	}, func(err error) {
		if done(err); err == nil {
			c.announcement = c.Context.Text.Member.Saved
			c.edited()
			notify(c.OnChanged)
		}
	})
}

func (c *ProfileCard) onExport(app.Context, app.Event) {
	c.exporting, c.failure = true, nil
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
