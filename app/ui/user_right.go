package ui

import (
	"cmp"
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The right column of a user's page: what is, and what can be done about it.

// pair is a fact with its name.
type pair struct{ what, is string }

func pairs(list []pair) app.UI {
	var cells []app.UI
	for _, p := range list {
		cells = append(cells, term(p.what, app.Elem("bdi").Text(p.is)))
	}
	return app.Elem("dl").Class("pairs").Body(cells...)
}

func term(what string, is app.UI) app.UI {
	return app.Elem("div").Body(app.Elem("dt").Text(what), app.Elem("dd").Body(is))
}

// groupTags shows the names of groups.
func (c Context) groupTags(names []string) app.UI {
	if len(names) == 0 {
		return app.Text(c.Text.Member.None)
	}
	return app.Elem("span").Class("tags").Body(app.Range(names).Slice(func(i int) app.UI { return app.Elem("span").Class("tag tag-plain").Text(names[i]) }))
}

func (p *UserPage) renderFacts() app.UI {
	text, u := p.Context.Text.Member, p.user
	since, _ := p.Context.Date(u.Created)
	if u.InvitedBy != "" {
		since = message.Fill(text.SinceInvited, "date", since, "name", u.InvitedBy)
	}
	email := u.Email
	switch {
	case email == "":
		email = text.None
	case !u.EmailVerified:
		email += " (" + text.NotVerified + ")"
	}
	return part("member-facts", text.Facts, p.renderEditButton("edit-facts", editFacts),
		app.Elem("div").Class("card").Body(pairs([]pair{
			{text.DisplayName, u.DisplayName}, {text.UserName, u.Name}, {text.Email, email},
			{p.Context.Text.Home.Language, cmp.Or(languageName(p.Languages, u.Language), p.Context.Text.Home.LanguageNone)},
			{text.Since, since},
		})),
	)
}

func (p *UserPage) renderAccess() app.UI {
	text, u := p.Context.Text.Member, p.user
	list := []app.UI{term(text.Role, app.Text(p.Context.roleName(u.Role))), term(text.Groups, p.Context.groupTags(u.Groups))}
	if len(u.Helps) > 0 {
		list = append(list, term(text.Helps, p.Context.groupTags(u.Helps)))
	}
	return part("member-access", text.Access, p.renderEditButton("edit-access", editAccess), app.Elem("div").Class("card").Body(app.Elem("dl").Class("pairs").Body(list...)))
}

// roleName is what people call a role.
func (c Context) roleName(role shared.Role) string {
	text := c.Text.Member
	switch role {
	case shared.RoleAdministrator:
		return text.RoleAdministrator
	case shared.RoleHelper:
		return text.RoleHelper
	case shared.RoleAuditor:
		return text.RoleAuditor
	}
	return text.RoleNone
}

func (p *UserPage) renderEditButton(id string, edit memberEdit) app.UI {
	text := p.Context.Text.Member
	return app.If(p.manages(), func() app.UI {
		return p.Context.button(id, "small", text.Edit, p.off(), func(app.Context, app.Event) { p.editing, p.failure = edit, nil }).
			Aria("label", text.Edit+": "+label(edit == editFacts, text.Facts, text.Access))
	})
}

// helpCard is the card with which a user gets a link.
const helpCard = "member-help"

func (p *UserPage) renderHelp() app.UI {
	text, u := p.Context.Text, p.user
	return app.If(p.helps(), func() app.UI {
		return part(helpCard, p.fill(text.Member.Help), nil,
			app.Elem("div").Class("card").Body(
				app.If(p.refused == helpCard, func() app.UI { return p.Context.notice(p.failure) }),
				app.If(u.Disabled, func() app.UI { return app.Elem("p").Text(p.fill(text.Member.EnableFirst)) }).ElseIf(u.LinkUntil != nil, func() app.UI {
					until, exact := p.Context.Moment(*u.LinkUntil)
					return app.Elem("p").Title(exact).Text(message.Fill(text.Users.LinkUntil, "date", until))
				}).Else(func() app.UI { return app.Elem("p").Text(p.fill(text.Member.HelpLead)) }),
				app.Elem("div").Class("buttons").Body(
					p.Context.button("member-link", "", label(u.Invited, text.Users.Again, text.Users.RecoverDo), p.off() || u.Disabled, p.onLink),
					app.If(u.LinkUntil != nil, func() app.UI {
						return p.Context.button("member-withdraw", "", text.Users.Withdraw, p.off(), p.onWithdraw)
					}),
				),
			),
		)
	})
}

func (p *UserPage) onLink(app.Context, app.Event) {
	text, user := p.Context.Text.Users, p.user.Member
	give := p.Service.MakeRecoveryLink
	ask := memberQuestion{title: text.RecoverTitle, lead: text.RecoverAsk, do: text.RecoverDo, from: "member-link", certain: p.fill(p.Context.Text.Member.Certain)}
	if user.Invited {
		give = p.Service.InviteAgain
		ask.title, ask.lead, ask.do, ask.certain = text.AgainTitle, text.AgainAsk, text.Again, ""
	}
	ask.title, ask.lead = message.Fill(ask.title, "name", user.DisplayName), message.Fill(ask.lead, "name", user.DisplayName)
	ask.run = func() {
		var link shared.EnrolmentLink
		lost := p.Context.Text.Link.Lost
		p.changes(helpCard, func(ctx context.Context) (err error) {
			if link, err = give(ctx, p.ID); err == nil {
				p.self.Dispatch(func(app.Context) { p.link = shownLink{link: link, user: user, recovery: !user.Invited} })
			}
			return mayBeDone(err, lost)
		}, "")
	}
	p.asking, p.failure = ask, nil
}

func (p *UserPage) onWithdraw(app.Context, app.Event) {
	p.changes(helpCard, func(ctx context.Context) error {
		_, err := p.Service.WithdrawLinks(ctx, p.ID)
		return err
	}, message.Fill(p.Context.Text.Users.DoneWithdrawn, "name", p.user.DisplayName))
}

func (p *UserPage) renderDanger() app.UI {
	text, u := p.Context.Text, p.user
	why := ""
	switch {
	case p.isMe():
		why = text.Member.Yourself
	case u.LastAdministrator:
		why = text.Member.LastAdmin
	}
	return app.If(p.user.May != shared.MayRead, func() app.UI {
		do := label(u.Disabled, text.Users.Enable, text.Users.Disable)
		disable := p.row(switchRow, do)
		disable.Facts, disable.Why = facts(text.Member.DisableLead), label(u.Disabled, "", why)
		disable.Do = rowAction{
			ID: switchRow + "-do", Text: do, Label: message.Fill(label(u.Disabled, text.Users.EnableRow, text.Users.DisableRow), "name", u.DisplayName),
			Class: label(u.Disabled, "", "danger"), Off: p.off() || why != "" && !u.Disabled, Do: p.onSwitch,
		}
		remove := p.row("member-delete", text.Member.Delete)
		remove.Facts, remove.Why = facts(p.fill(text.Member.DeleteLead)), why
		remove.Do = rowAction{
			ID: "member-delete-do", Text: text.Member.Delete, Label: message.Fill(text.Member.DeleteTitle, "name", u.DisplayName),
			Class: "danger", Off: p.off() || why != "", Do: func() { p.editing, p.failure = editDelete, nil },
		}
		return part("member-danger", text.Member.Danger, nil,
			app.Elem("ul").Class("rows").Body(disable, app.If(p.manages(), func() app.UI { return remove })),
		)
	})
}

// switchRow is the row with which a user is disabled and enabled.
const switchRow = "member-switch"

func (p *UserPage) onSwitch() {
	text, disabled := p.Context.Text.Users, !p.user.Disabled
	change := func() {
		p.changes(switchRow, func(ctx context.Context) error {
			_, err := p.Service.ChangeMember(ctx, p.ID, shared.ChangeMember{Disabled: &disabled})
			return err
		}, message.Fill(label(disabled, text.DoneDisabled, text.DoneEnabled), "name", p.user.DisplayName))
	}
	if !disabled {
		change()
		return
	}
	p.asking = memberQuestion{
		title: message.Fill(text.DisableTitle, "name", p.user.DisplayName), lead: text.DisableLead, do: text.Disable, harms: true, from: switchRow + "-do", run: change,
	}
}
