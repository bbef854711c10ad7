package ui

import (
	"maps"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// chip is a filter of the list of users.
type chip struct {
	in    string // "" is all
	label string
	count int
}

// mostGroupChips is how many groups have a chip of their own. Others are found in the address.
const mostGroupChips = 12

// chips lists the filters: always the usual ones, and the others if anybody is there.
func (p *UsersPanel) chips() []chip {
	text, c := p.Context.Text.Users, p.counts
	var chips []chip
	add := func(always bool, in, label string, count int) {
		if always || count > 0 || in == p.query.In {
			chips = append(chips, chip{in, label, count})
		}
	}
	if p.Account.User.Role != shared.RoleHelper {
		add(true, "", text.All, c.All)
		add(true, shared.MembersWithoutPasskey, text.WithoutPasskey, c.WithoutPasskey)
		add(false, shared.MembersPasswordOnly, text.PasswordOnly, c.PasswordOnly)
		add(false, shared.MembersOneDevice, text.OneDevice, c.OneDevice)
		add(false, shared.MembersInvited, text.InvitedChip, c.Invited)
		add(false, shared.MembersDisabled, text.Disabled, c.Disabled)
		add(true, shared.MembersAdministrators, text.Administrators, c.Administrators)
		add(false, shared.MembersHelpers, text.Helpers, c.Helpers)
		add(false, shared.MembersAuditors, text.Auditors, c.Auditors)
	}
	for i, name := range slices.Sorted(maps.Keys(c.Groups)) {
		if i < mostGroupChips {
			add(true, shared.MembersOfGroup+name, name, c.Groups[name])
		}
	}
	return chips
}

func (p *UsersPanel) renderChips() app.UI {
	text, chips := p.Context.Text.Users, p.chips()
	return app.Elem("div").Class("tools").Body(
		app.Elem("div").Class("chips").Attr("role", "group").Aria("label", text.Show).Body(
			app.Range(chips).Slice(func(i int) app.UI {
				c := chips[i]
				return &chipButton{ID: "in-" + c.in, Label: c.label, Count: p.Context.Number(c.count), Pressed: c.in == p.query.In, OnClick: func() { p.filter(c.in) }}
			}),
		),
		app.Elem("select").ID("users-sort").Aria("label", text.Sort).On("change", p.onSort).Body(
			option(shared.SortByName, text.ByName, p.query.Sort != shared.SortByLastSignIn),
			option(shared.SortByLastSignIn, text.ByLastSignIn, p.query.Sort == shared.SortByLastSignIn),
		),
	)
}

func (p *UsersPanel) filter(in string) {
	p.query.In = in
	p.load("")
}

func (p *UsersPanel) onSort(ctx app.Context, _ app.Event) {
	p.query.Sort = valueOf(ctx)
	p.load("")
}

func (p *UsersPanel) onShowAll(app.Context, app.Event) {
	p.query = shared.MembersQuery{}
	p.load("")
	focus(p.self, usersTitleID)
}

// chipButton is a filter with the number of those that fit.
type chipButton struct {
	app.Compo

	ID, Label, Count string
	Pressed          bool
	OnClick          func()
}

func (c *chipButton) Render() app.UI {
	return button(c.ID, "small chip", c.Label+" "+c.Count, false, c.onClick).Aria("pressed", label(c.Pressed, "true", "false"))
}

func (c *chipButton) onClick(app.Context, app.Event) { c.OnClick() }

// memberTags says at a glance what is special about a user.
func (c Context) memberTags(u shared.Member, isMe bool) app.UI {
	text := c.Text.Users
	tag := func(on bool, text string) app.UI {
		return app.If(on, func() app.UI { return app.Elem("span").Class("tag").Text(text) })
	}
	return app.Elem("span").Class("tags").Body(tag(isMe, text.You), tag(u.Role != shared.RoleNone, c.roleName(u.Role)), tag(u.Disabled, text.Disabled), tag(u.Invited, text.Invited))
}
