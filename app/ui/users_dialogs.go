package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// inviteDialog asks whom to invite.
type inviteDialog struct {
	app.Compo

	Context    Context
	GivesRoles bool // whoever invites may make administrators
	Mails      bool // the server sends mails
	OnCancel   func()
	OnInvite   func(who shared.Invite, done func(error))

	who     shared.Invite
	shows   bool // the link shall be shown, and not mailed
	working bool
	failure error
}

const inviteDialogID = "invitation"

// OnMount opens the dialog.
func (d *inviteDialog) OnMount(ctx app.Context) {
	showModal(ctx, inviteDialogID)
	focus(ctx, "invite-name")
}

func (d *inviteDialog) Render() app.UI {
	text := d.Context.Text.Users
	return dialog(inviteDialogID, text.InviteTitle, d.onEscape,
		d.Context.notice(d.failure),
		app.Elem("form").Class("stack").OnSubmit(d.onSubmit).Body(
			field(text.UserName,
				app.ElemSelfClosing("input").ID("invite-name").Attr("autocomplete", "off").Attr("autocapitalize", "none").Attr("spellcheck", "false").
					Attr("maxlength", "64").Aria("describedby", "invite-hint").Attr("required", true).Attr("readonly", d.working).OnInput(d.onName),
			),
			app.Elem("p").ID("invite-hint").Class("hint").Text(text.UserHint),
			field(text.DisplayName,
				app.ElemSelfClosing("input").ID("invite-display").Attr("autocomplete", "off").Attr("maxlength", "64").Attr("readonly", d.working).OnInput(d.onDisplayName),
			),
			field(text.Email,
				app.ElemSelfClosing("input").ID("invite-email").Attr("type", "email").Attr("autocomplete", "off").Attr("maxlength", "254").Attr("readonly", d.working).OnInput(d.onEmail),
			),
			Slot(app.If(d.Mails && d.who.Email != "", func() app.UI { return byMail(text.ByMail, !d.shows, d.working, func(on bool) { d.shows = !on }) })),
			field(text.InviteGroups,
				app.ElemSelfClosing("input").ID("invite-groups").Attr("autocomplete", "off").Attr("autocapitalize", "none").Attr("spellcheck", "false").
					Aria("describedby", "invite-groups-hint").Attr("readonly", d.working).OnInput(d.onGroups),
			),
			app.Elem("p").ID("invite-groups-hint").Class("hint").Text(d.Context.Text.Member.GroupsHint),
			app.If(d.GivesRoles, func() app.UI {
				return app.Elem("label").Class("check").Body(
					app.ElemSelfClosing("input").ID("invite-admin").Attr("type", "checkbox").Attr("disabled", d.working).OnChange(d.onAdmin),
					app.Elem("span").Text(text.Admin),
				)
			}),
			foot(
				button("invite-cancel", "quiet", text.Cancel, d.working, d.onCancel),
				submit("invite-submit", "primary", "", d.working).Body(steady(d.working, text.Working, text.Submit)),
			),
		),
	)
}

// byMail asks whether links go by mail.
func byMail(text string, on, off bool, choose func(on bool)) app.UI {
	return app.Elem("label").Class("check").Body(
		app.ElemSelfClosing("input").ID("by-mail").Attr("type", "checkbox").Attr("checked", on).Attr("disabled", off).
			OnChange(func(ctx app.Context, _ app.Event) { choose(ctx.JSSrc().Get("checked").Bool()) }),
		app.Elem("span").Text(text),
	)
}

func (d *inviteDialog) onName(ctx app.Context, _ app.Event)        { d.who.Name = valueOf(ctx) }
func (d *inviteDialog) onDisplayName(ctx app.Context, _ app.Event) { d.who.DisplayName = valueOf(ctx) }
func (d *inviteDialog) onEmail(ctx app.Context, _ app.Event)       { d.who.Email = valueOf(ctx) }
func (d *inviteDialog) onGroups(ctx app.Context, _ app.Event) {
	d.who.Groups = splitGroups(valueOf(ctx))
}
func (d *inviteDialog) onAdmin(ctx app.Context, _ app.Event) {
	d.who.Role = shared.RoleNone
	if ctx.JSSrc().Get("checked").Bool() {
		d.who.Role = shared.RoleAdministrator
	}
}

func (d *inviteDialog) onSubmit(_ app.Context, e app.Event) {
	e.PreventDefault()
	if d.working {
		return
	}
	d.working, d.failure = true, nil
	d.who.Mail = d.Mails && d.who.Email != "" && !d.shows
	d.OnInvite(d.who, func(err error) { d.working, d.failure = false, err })
}

func (d *inviteDialog) onEscape() {
	if !d.working {
		d.OnCancel()
	}
}

func (d *inviteDialog) onCancel(app.Context, app.Event) { d.OnCancel() }

// askDialog asks before something is done for a user.
type askDialog struct {
	app.Compo

	Context         Context
	ID              string
	Title, Lead, Do string
	Certain         string // what has to be ticked first; "" for nothing
	Harms           bool   // the button gets the colour of danger
	Working         bool
	OnCancel        func()
	OnOK            func()

	isCertain bool
}

// OnMount opens the dialog. The focus is on Cancel, so that Enter does nothing.
func (d *askDialog) OnMount(ctx app.Context) {
	showModal(ctx, d.ID)
	focus(ctx, d.ID+"-cancel")
}

func (d *askDialog) Render() app.UI {
	text, class := d.Context.Text.Users, "primary"
	if d.Harms {
		class = "danger"
	}
	return dialog(d.ID, d.Title, d.onEscape,
		app.Elem("p").ID(d.ID+"-lead").Text(d.Lead),
		app.If(d.Certain != "", func() app.UI {
			return app.Elem("label").Class("check").Body(
				app.ElemSelfClosing("input").ID(d.ID+"-certain").Attr("type", "checkbox").On("change", d.onCertain), app.Elem("span").Text(d.Certain),
			)
		}),
		foot(
			button(d.ID+"-cancel", "", text.Cancel, d.Working, d.onCancel),
			button(d.ID+"-ok", class, "", d.Working || d.Certain != "" && !d.isCertain, d.onOK).Body(steady(d.Working, text.Working, d.Do)),
		),
	).Aria("describedby", d.ID+"-lead")
}

func (d *askDialog) onCertain(ctx app.Context, _ app.Event) {
	d.isCertain = ctx.JSSrc().Get("checked").Bool()
}

func (d *askDialog) onEscape() {
	if !d.Working {
		d.OnCancel()
	}
}

func (d *askDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
func (d *askDialog) onOK(app.Context, app.Event)     { d.OnOK() }

// bulkActions are what the buttons do, by their ids.
var bulkActions = map[string]action{"bulk-groups": actGroups, "bulk-invite": actInvite, "bulk-enable": actEnable, "bulk-disable": actDisable}

// onAction asks before it does what the button says. Buttons come and go, and an element that was another's keeps a closure of
// its time; the id is what is shown.
func (p *UsersPanel) onAction(ctx app.Context, _ app.Event) {
	id := ctx.JSSrc().Get("id").String()
	what := bulkActions[id]
	p.open, p.bulk, p.failure = dialogBulk, bulk{what: what, from: id, users: p.fits(what)}, nil
}
