package ui

import (
	"cmp"
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// MemberService does what the page of one user offers, for people with a role.
type MemberService interface {
	// Member returns everything of a user.
	Member(ctx context.Context, id string) (shared.MemberDetails, error)
	// MemberActivity returns a page of what happened to the user.
	MemberActivity(ctx context.Context, id, before string) (shared.Activity, error)
	// ChangeMember changes what is set.
	ChangeMember(ctx context.Context, id string, change shared.ChangeMember) (shared.Member, error)
	// RemoveMember removes the user for ever. Name is the user name, as it was typed.
	RemoveMember(ctx context.Context, id, name string) error

	RemoveMemberPasskey(ctx context.Context, id, passkeyID string) (shared.MemberDetails, error)
	RemoveMemberPassword(ctx context.Context, id string) (shared.MemberDetails, error)
	UnlinkMember(ctx context.Context, id, identityID string) (shared.MemberDetails, error)
	// EndMemberSessions ends one session, or all for "".
	EndMemberSessions(ctx context.Context, id, sessionID string) (shared.MemberDetails, error)

	// InviteAgain returns a new link for a user who has no sign-in method yet.
	InviteAgain(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// MakeRecoveryLink returns a link for a user who has lost every sign-in method.
	MakeRecoveryLink(ctx context.Context, id string) (shared.EnrolmentLink, error)
	// WithdrawLinks ends those links.
	WithdrawLinks(ctx context.Context, id string) (shared.Member, error)
	// ReleaseMember lets sign-in methods be added again, where that was stopped.
	ReleaseMember(ctx context.Context, id string) (shared.MemberDetails, error)
}

// UserPage shows one user: at the left what happens, at the right what is. What the reader's role
// doesn't allow isn't offered.
type UserPage struct {
	app.Compo

	Context  Context        // required
	Service  MemberService  // required
	Confirms ConfirmService // with nil, the dialog says that there is nothing to confirm with
	Account  shared.Account // the reader's
	ID       string         // of the user; required
	Users    string         // the address of the list; required
	Changes  int            // grows whenever the user may have changed elsewhere

	Languages []Language // to call the user's by its name
	// Events returns the address of the page of events with filters. Nil is for those who can't read it.
	Events func(query string) string

	OnSignedOut func() // the session has ended
	OnMissing   func() // there is no such user
	OnRemoved   func() // the user was removed here

	tasks
	seen         int // Changes, when the user was asked for
	state        listState
	user         shared.MemberDetails
	activity     shared.Activity
	failure      error
	announcement string

	working bool
	refused string // the id of the row or card where failure is shown; "" is the page
	asking  memberQuestion
	editing memberEdit
	link    shownLink
}

// memberQuestion is asked before something is taken away. The zero value asks nothing.
type memberQuestion struct {
	title, lead, do string
	certain         string // what has to be ticked first; "" for nothing
	harms           bool
	from            string // the id of the element that gets the focus back
	run             func()
}

// memberEdit is the dialog that is open.
type memberEdit int

const (
	editNothing memberEdit = iota
	editFacts
	editAccess
	editDelete
)

const memberTitleID = "member-title"

// CompoID makes the page of another user another component (go-app's DismountEnforcer).
func (p *UserPage) CompoID() string { return "user-" + p.ID }

// OnMount loads the user.
func (p *UserPage) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load()
}

// OnUpdate loads again when something changed elsewhere.
func (p *UserPage) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load()
	}
}

func (p *UserPage) load() {
	p.seen = p.Changes
	var user shared.MemberDetails
	var activity shared.Activity
	p.attempt(func(ctx context.Context) (err error) {
		if user, err = p.Service.Member(ctx, p.ID); err == nil {
			activity, err = p.Service.MemberActivity(ctx, p.ID, "")
		}
		return err
	}, func(err error) {
		switch {
		case err == nil:
			if p.state == listFailed {
				p.failure = nil // else it is of what was done here, which a change elsewhere doesn't mend
			}
			p.state, p.user, p.activity = listReady, user, activity
		case shared.CodeOf(err) == shared.CodeNotFound:
			notify(p.OnMissing)
		case p.state != listReady: // what is shown stays
			p.state, p.failure = listFailed, err
		}
	})
}

// Render implements app.Composer.
func (p *UserPage) Render() app.UI {
	text := p.Context.Text.Member
	back := app.Elem("a").Class("more").Attr("href", p.Users).Body(icon("back"), app.Elem("span").Text(text.Back))
	switch p.state {
	case listLoading:
		return app.Elem("section").Class("page page-wide").Body(back, app.Elem("h1").Class("spoken").Text(text.Back), waiting(p.Context.Text.Shell.Loading))
	case listFailed:
		return app.Elem("section").Class("page page-wide").Body(back, app.Elem("h1").Class("spoken").Text(text.Back), p.Context.notice(p.failure),
			button("member-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry))
	}
	u := p.user
	return app.Elem("section").Class("page page-wide").Aria("labelledby", memberTitleID).Body(
		app.Elem("div").Body(
			back,
			app.Elem("h1").ID(memberTitleID).Class("row-name").TabIndex(-1).Body(app.Elem("bdi").Text(u.DisplayName), p.Context.memberTags(u.Member, p.isMe())),
			app.Elem("p").Class("quiet dots").Body(app.Elem("bdi").Text(cmp.Or(u.Email, u.Name)), p.renderLastSignIn()),
		),
		app.If(p.refused == "", func() app.UI { return p.Context.notice(p.failure) }),
		p.renderHold(),
		app.Elem("div").Class("columns").Body(
			app.Elem("div").Body(p.renderMethods(), p.renderSessions(), p.renderActivity()),
			app.Elem("div").Body(p.renderFacts(), p.renderAccess(), p.renderHelp(), p.renderDanger()),
		),
		spoken(p.announcement),
		Slot(app.If(p.asking.run != nil, p.renderQuestion)),
		Slot(app.If(p.editing != editNothing, p.renderEdit)),
		Slot(app.If(p.link.link.URL != "", p.renderLink)),
		p.renderConfirm(p.Context, p.Confirms, p.Account.Passkeys > 0, p.Account.HasPassword),
	)
}

func (p *UserPage) renderLastSignIn() app.UI {
	text := p.Context.Text.Member
	if p.user.LastSignIn.IsZero() {
		return app.Elem("span").Text(text.Never)
	}
	when, exact := p.Context.whenWithin(p.user.LastSignIn)
	return app.Elem("span").Title(exact).Text(message.Fill(text.LastSignIn, "date", when))
}

// renderHold shows that no sign-in method can be added. Administrators can end that.
func (p *UserPage) renderHold() app.UI {
	var refusal error
	if p.refused == holdRow {
		refusal = p.failure
	}
	var allow func()
	if p.manages() && !p.isMe() {
		allow = p.askAllow
	}
	return p.Context.held(p.user.HeldUntil, true, p.off(), refusal, allow)
}

// askAllow has administrators make sure who asks: an intruder may.
func (p *UserPage) askAllow() {
	text := p.Context.Text.Users
	p.asking, p.failure = memberQuestion{
		title: message.Fill(text.AllowTitle, "name", p.user.DisplayName), lead: message.Fill(text.AllowAsk, "name", p.user.DisplayName),
		do: p.Context.Text.Home.Allow, from: holdRow + "-allow", certain: p.fill(p.Context.Text.Member.Certain),
		run: func() {
			p.does(holdRow, func(ctx context.Context) (shared.MemberDetails, error) { return p.Service.ReleaseMember(ctx, p.ID) }, p.Context.Text.Home.Allowed)
		},
	}, nil
}

func (p *UserPage) isMe() bool    { return p.ID == p.Account.User.ID }
func (p *UserPage) helps() bool   { return p.user.May != shared.MayRead && !p.isMe() }
func (p *UserPage) manages() bool { return p.user.May == shared.MayManage }

// off reports whether nothing can be asked of the server just now.
func (p *UserPage) off() bool { return p.working || p.Context.Offline != "" }

// called is how sentences call the user: by the first of two words, else by the whole name.
func (p *UserPage) called() string {
	if first, rest, two := strings.Cut(p.user.DisplayName, " "); two && !strings.Contains(rest, " ") {
		return first
	}
	return p.user.DisplayName
}

func (p *UserPage) fill(text string) string { return message.Fill(text, "name", p.called()) }

// does runs work for the user, one at a time, and shows the user afterwards as work returns them.
func (p *UserPage) does(row string, work func(context.Context) (shared.MemberDetails, error), done string) {
	if p.working {
		return
	}
	p.working, p.failure, p.refused = true, nil, row
	var user shared.MemberDetails
	from := p.asking.from
	p.attempt(func(ctx context.Context) (err error) {
		user, err = work(ctx)
		return err
	}, func(err error) {
		p.working, p.failure, p.asking = false, err, memberQuestion{}
		switch {
		case err == nil:
			p.user, p.announcement = user, done
			p.load()
			focus(p.self, memberTitleID)
		case from != "":
			focus(p.self, from)
		}
	})
}

// changes is does for a change that returns less of the user.
func (p *UserPage) changes(row string, work func(context.Context) error, done string) {
	p.does(row, func(ctx context.Context) (user shared.MemberDetails, err error) {
		if err = work(ctx); err == nil {
			user, err = p.Service.Member(ctx, p.ID)
		}
		return user, err
	}, done)
}

func (p *UserPage) renderQuestion() app.UI {
	ask := p.asking
	return &askDialog{
		Context: p.Context, ID: "member-ask", Title: ask.title, Lead: ask.lead, Certain: ask.certain, Do: ask.do, Harms: ask.harms, Working: p.working,
		OnOK: ask.run, OnCancel: func() {
			p.asking = memberQuestion{}
			focus(p.self, ask.from)
		},
	}
}

func (p *UserPage) renderLink() app.UI {
	text, shown := p.Context.Text.Link, p.link
	title, lead := text.InvitationTitle, text.InvitationLead
	if shown.recovery {
		title, lead = text.RecoveryTitle, text.RecoveryLead
	}
	until, _ := p.Context.Moment(shown.link.Expires)
	return &linkDialog{
		Context: p.Context, Link: shown.link,
		Title: message.Fill(title, "name", shown.user.DisplayName), Lead: message.Fill(lead, "name", shown.user.DisplayName, "date", until),
		OnDone: func() {
			p.link = shownLink{}
			focus(p.self, "member-link")
		},
	}
}

func (p *UserPage) onRetry(app.Context, app.Event) {
	p.state, p.failure = listLoading, nil
	p.load()
}
