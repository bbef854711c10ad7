package ui

import (
	"maps"
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// How users are found: by words, by chips, and in an order.

// renderFind draws the search and the chips.
func (p *UsersPanel) renderFind() app.UI {
	text := p.Context.Text.Users
	return app.Elem("div").Class("stack").Attr("role", "search").Body(
		app.Elem("div").Class("find").Body(
			icon("find"),
			app.ElemSelfClosing("input").ID(usersFindID).Attr("type", "search").Aria("label", text.Find).Attr("placeholder", text.Find).Attr("value", p.find).
				Attr("autocapitalize", "none").Attr("autocomplete", "off").Attr("spellcheck", "false").OnInput(p.onFind),
		),
		p.renderChips(),
	)
}

// setFind writes into the search what the address has. It isn't done while somebody types: a letter could
// get lost.
func (p *UsersPanel) setFind() {
	p.find = p.query().Find
	p.self.Defer(func(app.Context) { // go-app leaves what was typed if the attribute stays the same
		if box := app.Window().GetElementByID(usersFindID); box.Truthy() {
			box.Set("value", p.find)
		}
	})
}

// pause is how long nothing is typed before the list is asked for.
const pause = 250 * time.Millisecond

func (p *UsersPanel) onFind(ctx app.Context, _ app.Event) {
	find := valueOf(ctx)
	p.typed++
	typed := p.typed
	ctx.After(pause, func(app.Context) {
		if query := p.query(); typed == p.typed && query.Find != find {
			query.Find = find
			p.ask(query)
		}
	})
}

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
	text, c, in := p.Context.Text.Users, p.counts, p.query().In
	var chips []chip
	add := func(always bool, filter, label string, count int) {
		if always || count > 0 || filter == in {
			chips = append(chips, chip{filter, label, count})
		}
	}
	if p.Account.User.Role != shared.RoleHelper {
		add(true, "", text.All, c.All)
		add(true, shared.MembersWithoutPasskey, text.WithoutPasskey, c.WithoutPasskey)
		if in == shared.MembersWithPasskey { // the page of the rollout leads there
			add(true, in, text.WithPasskey, c.WithPasskey)
		}
		add(false, shared.MembersPasswordOnly, text.PasswordOnly, c.PasswordOnly)
		add(false, shared.MembersOneDevice, text.OneDevice, c.OneDevice)
		add(false, shared.MembersInvited, text.InvitedChip, c.Invited)
		add(false, shared.MembersDisabled, text.Disabled, c.Disabled)
		add(true, shared.MembersAdministrators, text.Administrators, c.Administrators)
		add(false, shared.MembersHelpers, text.Helpers, c.Helpers)
		add(false, shared.MembersAuditors, text.Auditors, c.Auditors)
	}
	for i, name := range slices.Sorted(maps.Keys(c.Groups)) {
		if filter := shared.MembersOfGroup + name; i < mostGroupChips || filter == in {
			add(true, filter, name, c.Groups[name])
		}
	}
	return chips
}

func (p *UsersPanel) renderChips() app.UI {
	text, query, chips := p.Context.Text.Users, p.query(), p.chips()
	return app.Elem("div").Class("tools").Body(
		app.Elem("div").Class("chips").Attr("role", "group").Aria("label", text.Show).Body(
			app.Range(chips).Slice(func(i int) app.UI {
				c := chips[i]
				return &chipButton{ID: "in-" + c.in, Label: c.label, Count: p.Context.Number(c.count), Pressed: c.in == query.In, OnClick: func() { p.filter(c.in) }}
			}),
		),
		app.Elem("a").ID("users-export").Class("button small quiet").Attr("href", shared.PathUsersExport+query.String()).Attr("download", "users.csv").
			Body(icon("install"), app.Elem("span").Text(text.Export)),
	)
}

// filter shows those of a chip. The chip that is pressed gives way to all.
func (p *UsersPanel) filter(in string) {
	query := p.query()
	if in == query.In {
		in = ""
	}
	query.In = in
	p.ask(query)
}

// sort shows them in an order.
func (p *UsersPanel) sort(by string) {
	query := p.query()
	if query.Sort = by; by == shared.SortByName {
		query.Sort = ""
	}
	p.ask(query)
}

func (p *UsersPanel) onShowAll(app.Context, app.Event) {
	p.ask(shared.MembersQuery{})
	p.setFind()
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
