package ui

import (
	"context"
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// UserService does what the list of users offers, for people with a role.
type UserService interface {
	// Users returns a page of the users that a query selects.
	Users(ctx context.Context, query shared.MembersQuery) (shared.Members, error)
	// Invite adds a user, and returns the link with which they choose how to sign in.
	Invite(ctx context.Context, who shared.Invite) (shared.Invited, error)
	// InviteAgain returns a new link for a user who has no sign-in method yet.
	InviteAgain(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// InviteAgainByMail sends it by mail.
	InviteAgainByMail(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// ImportUsers invites the people of a table. A dry run only says what is wrong with it.
	ImportUsers(ctx context.Context, people shared.ImportUsers) (shared.ImportedUsers, error)
	// ChangeMember changes what is set.
	ChangeMember(ctx context.Context, id string, change shared.ChangeMember) (shared.Member, error)
}

// UsersPanel lists the organisation's users, and finds them by words, by state and by group. People with
// a role invite people there, and do something for many at once. A name leads to the page of the user,
// where the rest is. What was searched for is in the page's address.
type UsersPanel struct {
	app.Compo

	Context  Context        // required
	Service  UserService    // required
	Confirms ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account  shared.Account // of whoever looks at it
	Changes  int            // grows whenever the list may have changed elsewhere
	// Page returns the address of the page of a user. Nil has no pages.
	Page func(id string) string
	// Filters is the query of the page's address. OnFilters is called when the user has chosen others.
	Filters   string
	OnFilters func(query string)

	OnSignedOut func() // the session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	looked       string // Filters, when the list was asked for
	find         string // what the search began with
	typed        int    // how often something was typed to find users by
	asked        int    // how many lists were asked for; an answer to an earlier request is ignored
	waiting      bool   // for such an answer
	counts       shared.MemberCounts
	users        []shared.Member
	next         string
	fresh        int // how many new users wait until somebody wants to see them
	failure      error
	announcement string
	selected     map[string]bool // by ids, of users who are shown
	lit          map[string]bool // of those who were just changed here

	open usersDialog
	bulk bulk      // of the dialog that does something for many
	link shownLink // a new invitation
}

// usersDialog is the dialog that is open.
type usersDialog int

const (
	noDialog usersDialog = iota
	dialogInvite
	dialogImport
	dialogLink
	dialogBulk
)

// shownLink is a new link, and the user that it is for.
type shownLink struct {
	link     shared.EnrolmentLink
	user     shared.Member
	recovery bool // else an invitation
}

const (
	usersTitleID = "users-title"
	usersFindID  = "users-find"
	inviteID     = "invite"
	importFromID = "users-import"
)

// OnMount loads the list.
func (p *UsersPanel) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.find = p.query().Find
	p.load(loadAnew)
}

// OnUpdate loads again when the address has other filters, or when something changed elsewhere.
func (p *UsersPanel) OnUpdate(app.Context) {
	if p.looked != p.Filters {
		p.load(loadAnew)
		p.setFind()
	} else if p.seen != p.Changes && !p.waiting {
		p.load(loadChanges)
	}
}

// query returns what the filters of the address ask for.
func (p *UsersPanel) query() shared.MembersQuery {
	values, _ := url.ParseQuery(p.Filters) // the part of a broken address that can be read
	return shared.MembersQuery{Find: values.Get("find"), In: values.Get("in"), Sort: values.Get("sort")}
}

// ask sets what the list shows, and the address.
func (p *UsersPanel) ask(query shared.MembersQuery) {
	p.Filters, p.lit = strings.TrimPrefix(query.String(), "?"), nil
	if p.OnFilters != nil {
		p.OnFilters(p.Filters)
	}
	p.load(loadAnew)
}

// loading is why the list is asked for.
type loading int

const (
	loadAnew    loading = iota // other users are wanted
	loadMore                   // the next page
	loadChanges                // something changed; what is shown stays where it is
)

// load asks for the list.
func (p *UsersPanel) load(why loading) {
	p.seen, p.looked, p.waiting = p.Changes, p.Filters, true
	p.asked++
	asked, query, shown := p.asked, p.query(), p.users
	if why == loadMore {
		query.After = p.next
	}
	var page shared.Members
	p.attempt(func(ctx context.Context) (err error) {
		page, err = p.Service.Users(ctx, query)
		for why == loadChanges && err == nil && page.Next != "" && !reaches(page.Users, shown, p.next != "") {
			next, more := query, shared.Members{}
			next.After = page.Next
			more, err = p.Service.Users(ctx, next)
			page.Users, page.Next = append(page.Users, more.Users...), more.Next
		}
		return err
	}, func(err error) {
		if asked != p.asked {
			return
		}
		p.waiting = false
		p.loaded(why, page, err)
		if p.seen != p.Changes {
			p.load(loadChanges)
		}
	})
}

// mostAhead is how many users are looked at, besides as many as are shown, to find where those are.
const mostAhead = 200

// reaches reports whether a list has all that there is to know about the users who are shown. A list
// that was shown to its end is wanted to its end again.
func reaches(list, shown []shared.Member, goesOn bool) bool {
	missing, _, _ := known(list, shown)
	return goesOn && !missing || len(list) >= len(shown)+mostAhead
}

// known returns those of the shown users who are in a list, as they are there. Missing reports whether
// the last one isn't, and last is where in the list the last of the others stands, or -1.
func known(list, shown []shared.Member) (missing bool, kept []shared.Member, last int) {
	at := map[string]int{}
	for i, user := range list {
		at[user.ID] = i
	}
	last = -1
	for _, user := range shown {
		i, is := at[user.ID]
		if missing = !is; is {
			kept, last = append(kept, list[i]), max(last, i)
		}
	}
	return missing, kept, last
}

// loaded shows an answer.
func (p *UsersPanel) loaded(why loading, page shared.Members, err error) {
	switch {
	case err != nil && p.state == listReady && why == loadChanges && shared.IsUnreachable(err):
		return // The list stays. The page says that the server is away.
	case err != nil:
		p.failure = err
		if why != loadMore {
			p.state, p.users = listFailed, nil
		}
		return
	}
	first := p.state != listReady
	p.state, p.failure = listReady, nil
	if why != loadMore {
		p.counts = page.Counts
	}
	switch {
	case why == loadMore:
		_, again, _ := known(p.users, page.Users)
		p.users = append(p.users, without(page.Users, again)...)
		p.next = page.Next
	case why == loadChanges && !first:
		p.merge(page)
	default:
		p.users, p.next, p.fresh = page.Users, page.Next, 0
	}
	p.keepSelected()
	if why != loadChanges && len(p.lit) == 0 {
		p.announcement = p.reach()
	}
}

// without returns the users of a list who aren't in another one.
func without(list, others []shared.Member) (rest []shared.Member) {
	is := map[string]bool{}
	for _, user := range others {
		is[user.ID] = true
	}
	for _, user := range list {
		if !is[user.ID] {
			rest = append(rest, user)
		}
	}
	return rest
}

// merge shows what changed, and moves no row: new users wait.
func (p *UsersPanel) merge(page shared.Members) {
	missing, kept, last := known(page.Users, p.users)
	switch {
	case len(p.users) == 0, missing && page.Next != "":
		// Those who were last are gone, or are far behind new ones.
		p.users, p.next, p.fresh = page.Users, page.Next, 0
		return
	case p.next == "" && page.Next == "":
		last = len(page.Users) - 1
	}
	p.users, p.fresh = kept, last+1-len(kept)
}

// Render implements app.Composer.
func (p *UsersPanel) Render() app.UI {
	return app.Elem("section").Class("page page-wide").Aria("labelledby", usersTitleID).Body(
		app.Elem("div").Class("head").Body(
			app.Elem("h1").ID(usersTitleID).TabIndex(-1).Text(p.Context.Text.Users.Title),
			Slot(app.If(p.mayChange() && !p.isFirstDay(), p.renderAdds)),
		),
		Slot(app.If(!p.isFirstDay() || !p.mayChange(), p.renderFind)),
		p.Context.notice(p.failure),
		p.renderList(),
		Slot(app.If(len(p.selected) > 0, p.renderBar)),
		spoken(p.announcement),
		Slot(app.If(p.open != noDialog, p.renderDialog)),
		p.renderConfirm(p.Context, p.Confirms, p.Account.Passkeys > 0, p.Account.HasPassword),
	)
}

// renderAdds draws the buttons that add users.
func (p *UsersPanel) renderAdds() app.UI {
	return app.Elem("div").Class("buttons").Body(
		app.If(p.isAdministrator(), func() app.UI {
			return p.Context.button(importFromID, "", "", p.off(), p.onImport).Body(icon("upload"), app.Elem("span").Text(p.Context.Text.Users.Import))
		}),
		p.Context.button(inviteID, "primary", "", p.off(), p.onInvite).Body(icon("plus"), app.Elem("span").Text(p.Context.Text.Users.Invite)),
	)
}

func (p *UsersPanel) renderDialog() app.UI {
	switch p.open {
	case dialogInvite:
		return &inviteDialog{Context: p.Context, GivesRoles: p.isAdministrator(), Mails: p.Account.MailOn, OnInvite: p.invite, OnCancel: p.notInvited}
	case dialogImport:
		return &importDialog{Context: p.Context, Mails: p.Account.MailOn, OnImport: p.imports, OnCancel: func() { p.closes(importFromID) }}
	case dialogLink:
		return p.renderLink()
	}
	return p.renderBulk()
}

func (p *UsersPanel) renderLink() app.UI {
	text, shown := p.Context.Text.Link, p.link
	until, _ := p.Context.Moment(shown.link.Expires)
	name := shown.user.DisplayName
	return &linkDialog{
		Context: p.Context, Link: shown.link, OnDone: func() { p.closes(inviteID) },
		Title: message.Fill(text.InvitationTitle, "name", name), Lead: message.Fill(text.InvitationLead, "name", name, "date", until),
	}
}

// off reports whether nothing can be asked of the server just now.
func (p *UsersPanel) off() bool { return p.Context.Offline != "" }

func (p *UsersPanel) isAdministrator() bool {
	return p.Account.User.Role == shared.RoleAdministrator
}

// mayChange reports whether the reader may change anything. The server has the last word.
func (p *UsersPanel) mayChange() bool {
	return p.isAdministrator() || p.Account.User.Role == shared.RoleHelper
}

// helps reports whether the reader may do something for a user.
func (p *UsersPanel) helps(user shared.Member) bool {
	return p.isAdministrator() || p.mayChange() && user.Role == shared.RoleNone
}

// pageOf returns the address of the page of a user, or "".
func (p *UsersPanel) pageOf(id string) string {
	if p.Page == nil {
		return ""
	}
	return p.Page(id)
}

// closes closes the dialog. The focus goes to an element.
func (p *UsersPanel) closes(id string) {
	p.open, p.link, p.bulk = noDialog, shownLink{}, bulk{}
	focus(p.self, id)
}

func (p *UsersPanel) onRetry(app.Context, app.Event) {
	p.state, p.failure = listLoading, nil
	p.load(loadAnew)
}

func (p *UsersPanel) onMore(app.Context, app.Event) { p.load(loadMore) }

// onFresh shows those who came since. The focus stays near them.
func (p *UsersPanel) onFresh(app.Context, app.Event) {
	p.load(loadAnew)
	focus(p.self, usersTitleID)
}

func (p *UsersPanel) onInvite(app.Context, app.Event) { p.open, p.failure = dialogInvite, nil }

func (p *UsersPanel) notInvited() { p.closes(inviteID) }

func (p *UsersPanel) invite(who shared.Invite, done func(error)) {
	var invited shared.Invited
	p.attempt(func(ctx context.Context) (err error) {
		invited, err = p.Service.Invite(ctx, who)
		return err
	}, func(err error) {
		done(mayBeDone(err, p.Context.Text.Users.InviteLost))
		if err != nil {
			return
		}
		p.lit = map[string]bool{invited.User.ID: true}
		p.load(loadAnew)
		if address := invited.Link.MailedTo; address != "" {
			p.closes(inviteID)
			p.announcement = message.Fill(p.Context.Text.Users.Mailed, "address", address)
			return
		}
		p.open, p.link = dialogLink, shownLink{link: invited.Link, user: invited.User}
	})
}

func (p *UsersPanel) onImport(app.Context, app.Event) { p.open, p.failure = dialogImport, nil }

// imports invites the people of a table, or looks at it.
func (p *UsersPanel) imports(people shared.ImportUsers, done func(shared.ImportedUsers, error)) {
	var answer shared.ImportedUsers
	p.attempt(func(ctx context.Context) (err error) {
		answer, err = p.Service.ImportUsers(ctx, people)
		return err
	}, func(err error) {
		if !people.DryRun {
			err = mayBeDone(err, p.Context.Text.Import.Lost)
		}
		done(answer, err)
		if !people.DryRun {
			p.load(loadAnew) // also when no answer came: it may have been done
		}
	})
}
