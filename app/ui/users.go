package ui

import (
	"context"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// UserService does what the users panel offers, for a signed-in administrator.
type UserService interface {
	// Users returns a page of the users that a query selects.
	Users(ctx context.Context, query shared.MembersQuery) (shared.Members, error)
	// Invite adds a user, and returns the link with which they choose how to sign in.
	Invite(ctx context.Context, who shared.Invite) (shared.Invited, error)
	// InviteAgain returns a new link for a user who has no sign-in method yet.
	InviteAgain(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// MakeRecoveryLink returns a link for a user who has lost every sign-in method.
	MakeRecoveryLink(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// WithdrawLinks ends those links of a user, and returns the user.
	WithdrawLinks(ctx context.Context, id string) (shared.Member, error)
	// SetDisabled disables or enables a user, and returns the user with the change.
	SetDisabled(ctx context.Context, id string, disabled bool) (shared.Member, error)
}

// UsersPanel lists the organisation's users, and finds them by words, by state and by group. People with
// a role invite people there, and make links for those who can't sign in. A name leads to the page of the
// user.
type UsersPanel struct {
	app.Compo

	Context  Context        // required
	Service  UserService    // required
	Confirms ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account  shared.Account // the administrator's
	Changes  int            // grows whenever the list may have changed elsewhere
	// Page returns the address of the page of a user. Nil has no pages.
	Page func(id string) string

	OnSignedOut func() // the session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	query        shared.MembersQuery
	looked       shared.MembersQuery // query, when the list was asked for
	counts       shared.MemberCounts
	typed        int // how often something was typed to find users by
	asked        int // how many lists were asked for; an answer to an earlier request is ignored
	users        []shared.Member
	next         string
	failure      error
	announcement string

	inviting bool
	asking   question
	working  string // the id of the user for whom a request is under way
	link     shownLink
}

// question is one that the administrator answers before something is done for a user.
type question struct {
	user shared.Member
	what matter
}

type matter int

const (
	askNothing matter = iota
	askDisable
	askLink
)

// shownLink is a new link, and the user that it is for.
type shownLink struct {
	link     shared.EnrolmentLink
	user     shared.Member
	recovery bool // else an invitation
}

const (
	usersTitleID = "users-title"
	inviteID     = "invite"
)

// OnMount loads the list.
func (p *UsersPanel) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load("")
}

// OnUpdate loads again when something changed elsewhere.
func (p *UsersPanel) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load("")
	}
}

// load asks for the first page, or for the page that after names.
func (p *UsersPanel) load(after string) {
	p.seen = p.Changes
	p.asked++
	asked, query, shown := p.asked, p.query, len(p.users)
	query.After = after
	var page shared.Members
	p.attempt(func(ctx context.Context) (err error) {
		page, err = p.Service.Users(ctx, query)
		// A user who has loaded more pages keeps them when the list is loaded again.
		for after == "" && p.looked == query && err == nil && page.Next != "" && len(page.Users) < shown {
			var more shared.Members
			next := query
			next.After = page.Next
			more, err = p.Service.Users(ctx, next)
			page.Users, page.Next = append(page.Users, more.Users...), more.Next
		}
		return err
	}, func(err error) {
		switch {
		case asked != p.asked:
		case err != nil && p.state == listReady && after == "" && shared.IsUnreachable(err):
			// The list stays. The page says that the server is away.
		case err != nil:
			p.state, p.failure = listFailed, err
		case after == "":
			p.state, p.users, p.next, p.failure, p.looked, p.counts = listReady, page.Users, page.Next, nil, query, page.Counts
		default:
			p.users, p.next = append(p.users, page.Users...), page.Next
		}
	})
}

// Render implements app.Composer.
func (p *UsersPanel) Render() app.UI {
	text := p.Context.Text.Users
	return app.Elem("section").Class("page page-wide").Aria("labelledby", usersTitleID).Body(
		app.Elem("h1").ID(usersTitleID).TabIndex(-1).Text(text.Title),
		app.Elem("p").Class("lead").Text(message.Fill(text.Lead, "product", p.Account.Product)),
		app.Elem("div").Class("tools").Body(
			app.ElemSelfClosing("input").ID("users-find").Attr("type", "search").Aria("label", text.Find).Attr("placeholder", text.Find).
				Attr("autocapitalize", "none").Attr("autocomplete", "off").Attr("spellcheck", "false").
				OnInput(p.onFind),
			app.If(p.Account.User.Role != shared.RoleAuditor, func() app.UI {
				return button(inviteID, "primary", "", p.Context.Offline != "", p.onInvite).Body(icon("plus"), app.Elem("span").Text(text.Invite))
			}),
		),
		p.renderChips(),
		p.Context.notice(p.failure),
		p.renderList(),
		spoken(p.announcement),
		Slot(app.If(p.inviting, func() app.UI {
			return &inviteDialog{Context: p.Context, OnInvite: p.invite, OnCancel: p.notInvited}
		})),
		Slot(app.If(p.asking.what != askNothing, p.renderQuestion)),
		Slot(app.If(p.link.link.URL != "", p.renderLink)),
		p.renderConfirm(p.Context, p.Confirms, p.Account.Passkeys > 0, p.Account.HasPassword),
	)
}

func (p *UsersPanel) renderList() app.UI {
	text := p.Context.Text.Users
	switch {
	case p.state == listLoading:
		return waiting(p.Context.Text.Shell.Loading)
	case p.state == listFailed:
		return app.Elem("div").Body(
			button("users-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry),
		)
	case len(p.users) == 0 && p.next == "":
		return app.Elem("div").Class("stack").Body(
			waiting(text.Nobody),
			app.If(p.query != (shared.MembersQuery{}), func() app.UI {
				return app.Elem("div").Class("buttons").Body(button("users-all", "", text.ShowAll, false, p.onShowAll))
			}),
		)
	}
	return app.Elem("div").Class("stack").Body(
		app.Elem("ul").Class("rows").Body(app.Range(p.users).Slice(func(i int) app.UI {
			user := p.users[i]
			return &memberRow{
				Context: p.Context, User: user, Page: p.pageOf(user.ID), Me: user.ID == p.Account.User.ID, Off: p.working != "" || p.Context.Offline != "",
				Helps:  p.helps(user),
				OnLink: p.askLink, OnWithdraw: p.withdraw, OnDisable: p.askDisable, OnEnable: p.enable,
			}
		})),
		app.If(p.next != "", func() app.UI {
			return app.Elem("div").Class("buttons").Body(
				button("users-more", "", text.More, p.Context.Offline != "", p.onMore),
			)
		}),
	)
}

// renderQuestion asks before a user is disabled, and before a link is made.
func (p *UsersPanel) renderQuestion() app.UI {
	text, user := p.Context.Text.Users, p.asking.user
	ask := &askDialog{
		Context: p.Context, Working: p.working != "", OnCancel: p.notAsked,
		ID: disableID, Title: text.DisableTitle, Lead: text.DisableLead, Do: text.Disable, Harms: true, OnOK: p.disable,
	}
	if p.asking.what == askLink {
		ask.ID, ask.Title, ask.Lead, ask.Do, ask.Harms, ask.OnOK = giveLinkID, text.RecoverTitle, text.RecoverAsk, text.RecoverDo, false, p.giveLink
		if user.Invited {
			ask.Title, ask.Lead, ask.Do = text.AgainTitle, text.AgainAsk, text.Again
		}
	}
	ask.Title, ask.Lead = message.Fill(ask.Title, "name", user.DisplayName), message.Fill(ask.Lead, "name", user.DisplayName)
	return ask
}

func (p *UsersPanel) renderLink() app.UI {
	text, shown := p.Context.Text.Link, p.link
	title, lead := text.InvitationTitle, text.InvitationLead
	if shown.recovery {
		title, lead = text.RecoveryTitle, text.RecoveryLead
	}
	until, _ := p.Context.Moment(shown.link.Expires)
	name := shown.user.DisplayName
	return &linkDialog{
		Context: p.Context, Link: shown.link, OnDone: p.linkDone,
		Title: message.Fill(title, "name", name), Lead: message.Fill(lead, "name", name, "date", until),
	}
}

func (p *UsersPanel) onFind(ctx app.Context, _ app.Event) {
	p.query.Find = valueOf(ctx)
	p.typed++
	typed := p.typed
	ctx.After(pause, func(app.Context) {
		if typed == p.typed {
			p.load("")
		}
	})
}

// pause is how long nothing is typed before the list is asked for.
const pause = 250 * time.Millisecond

// pageOf returns the address of the page of a user, or "".
func (p *UsersPanel) pageOf(id string) string {
	if p.Page == nil {
		return ""
	}
	return p.Page(id)
}

// helps reports whether the reader may help a user. The server has the last word.
func (p *UsersPanel) helps(user shared.Member) bool {
	switch p.Account.User.Role {
	case shared.RoleAdministrator:
		return true
	case shared.RoleHelper:
		return user.Role == shared.RoleNone
	}
	return false
}

func (p *UsersPanel) onRetry(app.Context, app.Event) {
	p.state, p.failure = listLoading, nil
	p.load("")
}

func (p *UsersPanel) onMore(app.Context, app.Event) { p.load(p.next) }

func (p *UsersPanel) onInvite(app.Context, app.Event) { p.inviting, p.failure = true, nil }

func (p *UsersPanel) notInvited() {
	p.inviting = false
	focus(p.self, inviteID)
}

func (p *UsersPanel) invite(who shared.Invite, done func(error)) {
	var invited shared.Invited
	p.attempt(func(ctx context.Context) (err error) {
		invited, err = p.Service.Invite(ctx, who)
		return err
	}, func(err error) {
		done(err)
		if err == nil {
			p.inviting = false
			p.link = shownLink{link: invited.Link, user: invited.User}
			p.load("")
		}
	})
}

func (p *UsersPanel) askLink(user shared.Member) { p.asking, p.failure = question{user, askLink}, nil }

// giveLink makes a new invitation for a user who has no sign-in method yet, and a recovery
// link for every other user.
func (p *UsersPanel) giveLink() {
	user := p.asking.user
	give := p.Service.MakeRecoveryLink
	if user.Invited {
		give = p.Service.InviteAgain
	}
	var link shared.EnrolmentLink
	p.does(user, func(ctx context.Context) (err error) {
		link, err = give(ctx, user.ID)
		return err
	}, func() {
		p.link = shownLink{link: link, user: user, recovery: !user.Invited}
		user.LinkUntil = &link.Expires
		p.replace(user)
	})
}

// withdraw asks no question first: a new link can be made at any time.
func (p *UsersPanel) withdraw(user shared.Member) {
	var changed shared.Member
	p.does(user, func(ctx context.Context) (err error) {
		changed, err = p.Service.WithdrawLinks(ctx, user.ID)
		return err
	}, func() {
		p.replace(changed)
		p.announcement = message.Fill(p.Context.Text.Users.DoneWithdrawn, "name", changed.DisplayName)
		focus(p.self, "link-for-"+user.ID)
	})
}

// replace puts a changed user into the list.
func (p *UsersPanel) replace(changed shared.Member) {
	for i := range p.users {
		if p.users[i].ID == changed.ID {
			p.users[i] = changed
		}
	}
}

func (p *UsersPanel) linkDone() {
	focus(p.self, "link-for-"+p.link.user.ID)
	p.link = shownLink{}
}

func (p *UsersPanel) askDisable(user shared.Member) { p.asking = question{user, askDisable} }

func (p *UsersPanel) notAsked() {
	from := "disable-"
	if p.asking.what == askLink {
		from = "link-for-"
	}
	focus(p.self, from+p.asking.user.ID)
	p.asking = question{}
}

func (p *UsersPanel) disable() {
	p.setDisabled(p.asking.user, true, p.Context.Text.Users.DoneDisabled)
}

func (p *UsersPanel) enable(user shared.Member) {
	p.setDisabled(user, false, p.Context.Text.Users.DoneEnabled)
}

func (p *UsersPanel) setDisabled(user shared.Member, disabled bool, done string) {
	var changed shared.Member
	p.does(user, func(ctx context.Context) (err error) {
		changed, err = p.Service.SetDisabled(ctx, user.ID, disabled)
		return err
	}, func() {
		p.replace(changed)
		p.announcement = message.Fill(done, "name", changed.DisplayName)
		focus(p.self, usersTitleID)
	})
}

// does runs work for one user at a time.
func (p *UsersPanel) does(user shared.Member, work func(context.Context) error, then func()) {
	if p.working != "" {
		return
	}
	p.working, p.failure = user.ID, nil
	p.attempt(work, func(err error) {
		p.working, p.failure, p.asking = "", err, question{}
		if err == nil {
			then()
		}
	})
}

// memberRow is one user of the list.
type memberRow struct {
	app.Compo

	Context    Context
	User       shared.Member
	Page       string // the address of the user's page, or ""
	Me         bool
	Helps      bool // the reader may do something for the user
	Off        bool // all buttons are disabled
	OnLink     func(shared.Member)
	OnWithdraw func(shared.Member)
	OnDisable  func(shared.Member)
	OnEnable   func(shared.Member)
}

func (r *memberRow) Render() app.UI {
	text, u := r.Context.Text.Users, r.User
	since, exact := r.Context.Date(u.Created)
	fact := func(on bool, fact string) app.UI {
		return app.If(on, func() app.UI { return app.Elem("li").Text(fact) })
	}
	return app.Elem("li").ID("user-"+u.ID).Class("row").Body(
		app.Elem("div").Class("row-text").Body(
			app.Elem("h2").Class("row-name").Body(
				app.If(r.Page != "", func() app.UI { return app.Elem("a").Attr("href", r.Page).Body(app.Elem("bdi").Text(u.DisplayName)) }).
					Else(func() app.UI { return app.Elem("bdi").Text(u.DisplayName) }),
				r.Context.memberTags(u, r.Me),
			),
			app.Elem("ul").Class("facts").Body(
				app.Elem("li").Body(app.Elem("bdi").Text(u.Name)),
				fact(u.Email != "" && u.Email != u.Name, u.Email),
				fact(len(u.Groups) > 0, strings.Join(u.Groups, ", ")),
				fact(u.Passkeys > 0, r.Context.Count(r.Context.Text.Home.PasskeyCount, u.Passkeys)),
				fact(u.HasPassword, text.Password),
				fact(u.Identities > 0, r.Context.Count(text.Providers, u.Identities)),
				app.If(u.LastSignIn.IsZero(), func() app.UI { return app.Elem("li").Title(exact).Text(message.Fill(text.Since, "date", since)) }).
					Else(func() app.UI {
						day, exact := r.Context.Date(u.LastSignIn)
						return app.Elem("li").Title(exact).Text(message.Fill(text.SignedIn, "date", day))
					}),
				app.If(u.LinkUntil != nil, func() app.UI {
					until, exact := r.Context.Moment(*u.LinkUntil)
					return app.Elem("li").Title(exact).Text(message.Fill(text.LinkUntil, "date", until))
				}),
			),
		),
		app.If(!r.Me && r.Helps, func() app.UI {
			return app.Elem("div").Class("row-buttons").Body(r.renderWithdraw(), r.renderLink(), r.renderSwitch())
		}),
	)
}

func (r *memberRow) renderLink() app.UI {
	text, u := r.Context.Text.Users, r.User
	return app.If(!u.Disabled, func() app.UI {
		return button("link-for-"+u.ID, "small", label(u.Invited, text.Again, text.Recover), r.Off, r.onLink).Aria("label", message.Fill(label(u.Invited, text.AgainRow, text.RecoverRow), "name", u.DisplayName))
	})
}

func (r *memberRow) renderWithdraw() app.UI {
	text, u := r.Context.Text.Users, r.User
	return app.If(u.LinkUntil != nil, func() app.UI {
		return button("withdraw-"+u.ID, "small", text.Withdraw, r.Off, r.onWithdraw).Aria("label", message.Fill(text.WithdrawRow, "name", u.DisplayName))
	})
}

func (r *memberRow) onWithdraw(app.Context, app.Event) { r.OnWithdraw(r.User) }

func (r *memberRow) renderSwitch() app.UI {
	text, u := r.Context.Text.Users, r.User
	return button("disable-"+u.ID, "small", label(u.Disabled, text.Enable, text.Disable), r.Off, r.onSwitch).Aria("label", message.Fill(label(u.Disabled, text.EnableRow, text.DisableRow), "name", u.DisplayName))
}

func (r *memberRow) onLink(app.Context, app.Event) { r.OnLink(r.User) }

func (r *memberRow) onSwitch(app.Context, app.Event) {
	if r.User.Disabled {
		r.OnEnable(r.User)
		return
	}
	r.OnDisable(r.User)
}
