package ui

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The table of users. On a narrow screen each row is a card, all of which is the link to the user. The
// roles of a table are written out, since some browsers forget them there.

// isFirstDay reports whether there is nobody yet but whoever reads this.
func (p *UsersPanel) isFirstDay() bool {
	return p.state == listReady && p.query() == (shared.MembersQuery{}) && p.fresh == 0 && p.next == "" && len(p.users) == 1 && p.users[0].ID == p.Account.User.ID
}

func (p *UsersPanel) renderList() app.UI {
	text := p.Context.Text.Users
	switch {
	case p.state == listLoading:
		return p.Context.waitingRows()
	case p.state == listFailed:
		return app.Elem("div").Class("buttons").Body(
			button("users-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry),
			app.If(p.Filters != "", func() app.UI { return button("users-all", "quiet", text.ShowAll, false, p.onShowAll) }),
		)
	case len(p.users) == 0 && p.next == "" && p.fresh == 0:
		nobody := text.Nobody
		if find := strings.TrimSpace(p.query().Find); find != "" {
			nobody = message.Fill(text.NobodyNamed, "words", find)
		}
		return app.Elem("div").Class("stack").Body(
			waiting(nobody),
			app.If(p.Filters != "", func() app.UI {
				return app.Elem("div").Class("buttons").Body(button("users-all", "", text.ShowAll, false, p.onShowAll))
			}),
		)
	case p.isFirstDay() && p.mayChange(): // nobody could be searched for
		return app.Elem("div").Class("empty").Body(
			icon("people"), app.Elem("h2").Text(text.JustYou), app.Elem("p").Text(text.JustYouLead), p.renderAdds(),
		)
	}
	return app.Elem("div").Class("stack").Body(
		Slot(app.If(p.fresh > 0, func() app.UI {
			return app.Elem("div").Class("buttons").Body(p.Context.button("users-fresh", "small", p.Context.Count(text.New, p.fresh), p.off(), p.onFresh))
		})),
		app.Elem("div").Class("rows").Body(p.renderTable()),
		app.Elem("div").Class("head").Body(
			app.Elem("p").Class("quiet").Text(p.reach()),
			Slot(app.If(p.next != "", func() app.UI { return p.Context.button("users-more", "", text.More, p.off(), p.onMore) })),
		),
	)
}

// reach says how many of how many users are shown, as far as that is known.
func (p *UsersPanel) reach() string {
	query, total := p.query(), -1
	if query.Find == "" && query.Sort != shared.SortByLastSignIn { // that order leaves some out
		for _, chip := range p.chips() {
			if chip.in == query.In {
				total = chip.count
			}
		}
	}
	if p.next != "" && total < 0 {
		return message.Fill(p.Context.Text.Users.First, "last", p.Context.Number(len(p.users)))
	}
	if p.next == "" || total < len(p.users) {
		return p.Context.Count(p.Context.Text.Users.Found, len(p.users))
	}
	return message.Fill(p.Context.Text.Users.Range, "last", p.Context.Number(len(p.users)), "count", p.Context.Number(total))
}

func (p *UsersPanel) renderTable() app.UI {
	text, class := p.Context.Text.Users, "cards"
	if p.mayChange() {
		class += " picks"
	}
	return app.Elem("table").ID("users").Class(class).Attr("role", "table").Body(
		app.Elem("caption").Class("spoken").Text(message.Fill(text.Caption, "range", p.reach())),
		app.Elem("thead").Attr("role", "rowgroup").Body(p.renderHead()),
		app.Elem("tbody").Attr("role", "rowgroup").Body(app.Range(p.users).Slice(func(i int) app.UI {
			user := p.users[i]
			return &memberRow{
				Context: p.Context, User: user, Page: p.pageOf(user.ID), Me: user.ID == p.Account.User.ID,
				Picks: p.mayChange(), Helps: p.helps(user), Selected: p.selected[user.ID], Lit: p.lit[user.ID], OnSelect: p.onSelect,
			}
		})),
	)
}

// renderHead draws the row of headings. A narrow screen shows only what can be pressed there.
func (p *UsersPanel) renderHead() app.UI {
	text, byLast := p.Context.Text.Users, p.query().Sort == shared.SortByLastSignIn
	column := func(class, title string) app.HTMLElem {
		return app.Elem("th").Class(class).Attr("role", "columnheader").Attr("scope", "col").Text(title)
	}
	sorted := func(is bool, way, id, title, by string) app.UI {
		sort := func(app.Context, app.Event) { p.sort(by) }
		return column("", "").Aria("sort", label(is, way, "none")).Body(
			app.Elem("button").ID(id).Attr("type", "button").Class("sort").Title(message.Fill(text.SortBy, "column", title)).OnClick(sort).
				Body(app.Elem("span").Text(title), app.If(is, func() app.UI { return icon("down") })),
		)
	}
	return app.Elem("tr").Attr("role", "row").Body(
		app.If(p.mayChange(), func() app.UI {
			return column("pick-cell", "").Body(app.Elem("label").Class("pick").Body(
				app.ElemSelfClosing("input").ID(pickAllID).Attr("type", "checkbox").Attr("checked", p.areAllSelected()).OnChange(p.onSelectAll),
				app.Elem("span").Text(text.SelectAll),
			))
		}),
		sorted(!byLast && p.query().Find == "", "ascending", "sort-name", text.UserName, shared.SortByName),
		column("", text.ColumnMethods), column("", text.ColumnGroups),
		sorted(byLast, "descending", "sort-last", text.ColumnLast, shared.SortByLastSignIn),
		column("", text.ColumnState),
	)
}

// memberRow is one user of the list.
type memberRow struct {
	app.Compo

	Context  Context
	User     shared.Member
	Page     string // the address of the user's page, or ""
	Me       bool
	Picks    bool // the list has a box for each user
	Helps    bool // the reader may do something for the user
	Selected bool
	Lit      bool
	OnSelect func(id string, on bool)
}

// CompoID makes the row of another user another component: see [line.CompoID].
func (r *memberRow) CompoID() string { return r.User.ID }

// Render implements app.Composer.
func (r *memberRow) Render() app.UI {
	text, u := r.Context.Text.Users, r.User
	cell := func(content ...app.UI) app.UI {
		return app.Elem("td").Attr("role", "cell").Body(content...)
	}
	quiet := func(text string) app.UI { return app.Elem("span").Class("note").Text(text) }
	class := label(r.Selected, "picked", "")
	if r.Lit {
		class += " lit"
	}
	return app.Elem("tr").ID("user-"+u.ID).Class(class).Attr("role", "row").Body(
		app.If(r.Picks, r.renderPick),
		app.Elem("th").Attr("role", "rowheader").Attr("scope", "row").Body(
			app.If(r.Page != "", func() app.UI {
				return app.Elem("a").ID("user-page-"+u.ID).Attr("href", r.Page).Body(app.Elem("bdi").Text(u.DisplayName))
			}).
				Else(func() app.UI { return app.Elem("bdi").Text(u.DisplayName) }),
			app.Elem("bdi").Class("note").Text(u.Name),
		),
		cell(r.renderMethods()),
		cell(app.If(len(u.Groups) > 0, r.renderGroups).Else(func() app.UI { return quiet(text.NoGroups) })),
		cell(app.If(u.LastSignIn.IsZero(), func() app.UI { return quiet(text.Never) }).Else(func() app.UI {
			when, exact := r.Context.when(u.LastSignIn)
			if r.Context.recent(u.LastSignIn) == "" {
				when, exact = r.Context.Date(u.LastSignIn)
			}
			return app.Elem("time").Attr("datetime", u.LastSignIn.UTC().Format(time.RFC3339)).Title(exact).Text(when)
		})),
		cell(r.renderState()),
	)
}

// mostGroups is how many names of groups a row has. The page of the user has all.
const mostGroups = 4

func (r *memberRow) renderGroups() app.UI {
	all := strings.Join(r.User.Groups, ", ")
	more := len(r.User.Groups) - mostGroups
	if more <= 0 {
		return app.Elem("span").Class("groups").Text(all)
	}
	return app.Elem("span").Class("groups").Title(all).Text(strings.Join(r.User.Groups[:mostGroups], ", ") + " +" + r.Context.Number(more))
}

func (r *memberRow) renderPick() app.UI {
	text, u := r.Context.Text.Users, r.User
	return app.Elem("td").Class("pick-cell").Attr("role", "cell").Body(app.If(r.Helps, func() app.UI {
		return app.Elem("label").Class("pick").Body(
			app.ElemSelfClosing("input").ID("pick-"+u.ID).Attr("type", "checkbox").Attr("checked", r.Selected).OnChange(r.onPick),
			app.Elem("span").Class("spoken").Text(message.Fill(text.SelectRow, "name", u.DisplayName)),
		)
	}))
}

func (r *memberRow) onPick(ctx app.Context, _ app.Event) {
	r.OnSelect(r.User.ID, ctx.JSSrc().Get("checked").Bool())
}

// renderMethods draws what the user signs in with: an icon for each kind, and words for screen readers.
func (r *memberRow) renderMethods() app.UI {
	text, u := r.Context.Text.Users, r.User
	var icons []app.UI
	var words []string
	method := func(on bool, picture, word, number string) {
		if on {
			icons = append(icons, app.Elem("span").Title(word).Aria("hidden", "true").Body(icon(picture), app.Text(number)))
			words = append(words, word)
		}
	}
	method(u.Passkeys > 0, "key", r.Context.Count(r.Context.Text.Home.PasskeyCount, u.Passkeys), r.Context.Number(u.Passkeys))
	method(u.HasPassword, "password", label(u.Passkeys+u.Identities == 0, text.PasswordOnly, text.Password), "")
	method(u.Identities > 0, "cloud", r.Context.Count(text.Providers, u.Identities), r.Context.Number(u.Identities))
	if len(icons) == 0 {
		return app.Elem("span").Class("note").Text(text.NothingYet)
	}
	return app.Elem("span").Class("icons").Body(append(icons, app.Elem("span").Class("spoken").Text(strings.Join(words, ", ")))...)
}

// renderState says whether the user can sign in, and what is special.
func (r *memberRow) renderState() app.UI {
	text, u := r.Context.Text.Users, r.User
	tags := r.Context.tagsOf(u, r.Me)
	if u.LinkUntil != nil && u.Invited {
		until, exact := r.Context.Date(*u.LinkUntil)
		tags = append(tags, app.Elem("span").Class("tag tag-plain").Title(exact).Text(message.Fill(text.InvitedUntil, "date", until)))
	} else if u.LinkUntil != nil {
		_, exact := r.Context.Date(*u.LinkUntil)
		tags = append(tags, app.Elem("span").Class("tag warn").Title(exact).Text(message.Fill(text.RecoveryUntil, "time", r.Context.Time(*u.LinkUntil))))
	} else if u.Invited {
		tags = append(tags, app.Elem("span").Class("tag warn").Text(text.Invited))
	}
	if len(tags) == 0 {
		return app.Elem("span").Text(text.Active)
	}
	return app.Elem("span").Class("tags").Body(tags...)
}

// tagsOf are what is special about a user, but for links.
func (c Context) tagsOf(u shared.Member, isMe bool) (tags []app.UI) {
	tag := func(on bool, class, text string) {
		if on {
			tags = append(tags, app.Elem("span").Class("tag", class).Text(text))
		}
	}
	tag(u.Role != shared.RoleNone, "", c.roleName(u.Role))
	tag(u.Disabled, "bad", c.Text.Users.Disabled)
	tag(!u.HeldUntil.IsZero(), "warn", c.Text.Users.Held)
	tag(isMe, "tag-plain", c.Text.Users.You)
	return tags
}

// memberTags says at a glance what is special about a user.
func (c Context) memberTags(u shared.Member, isMe bool) app.UI {
	tags := c.tagsOf(u, isMe)
	switch {
	case u.Invited:
		tags = append(tags, app.Elem("span").Class("tag warn").Text(c.Text.Users.Invited))
	case !u.Disabled:
		tags = append(tags, app.Elem("span").Class("tag").Text(c.Text.Users.Active))
	}
	return app.Elem("span").Class("tags").Body(tags...)
}
