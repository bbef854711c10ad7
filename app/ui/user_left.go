package ui

import (
	"context"
	"net/url"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The left column of a user's page: what happens.

func (p *UserPage) renderMethods() app.UI {
	text, home, u := p.Context.Text.Member, p.Context.Text.Home, p.user
	var rows []app.UI
	for _, key := range u.PasskeyList {
		row := p.way("passkey-"+key.ID, key.Name, key.OnlyMethod)
		row.Facts = p.Context.passkeyFacts(key.Kind, key.Synced, key.Provider, key.Created, key.LastUsed)
		_, row.Icon = p.Context.homeOf(key.Kind, key.Synced, key.Provider)
		if p.helps() {
			row.Do = p.taking(row, key.OnlyMethod, text.Remove, text.RemoveRow, func(ctx context.Context) (shared.MemberDetails, error) {
				return p.Service.RemoveMemberPasskey(ctx, p.ID, key.ID)
			})
		}
		rows = append(rows, row)
	}
	if u.HasPassword {
		only := u.Passkeys+u.Identities == 0
		row := p.way("member-password", home.Password, only)
		row.Icon = "password"
		if !u.PasswordSet.IsZero() {
			set, exact := p.Context.Date(u.PasswordSet)
			row.Facts = []fact{{message.Fill(home.PasswordChanged, "date", set), exact}}
		}
		if p.manages() && !p.isMe() {
			row.Do = p.taking(row, only, text.Remove, text.RemoveRow, func(ctx context.Context) (shared.MemberDetails, error) {
				return p.Service.RemoveMemberPassword(ctx, p.ID)
			})
		}
		rows = append(rows, row)
	}
	for _, identity := range u.IdentityList {
		row := p.way("identity-"+identity.ID, identity.Provider, identity.OnlyMethod)
		row.Initial, row.Facts = shared.Initial(identity.Provider), facts(identity.Name)
		if p.manages() && !p.isMe() {
			row.Do = p.taking(row, identity.OnlyMethod, home.Unlink, text.RemoveRow, func(ctx context.Context) (shared.MemberDetails, error) {
				return p.Service.UnlinkMember(ctx, p.ID, identity.ID)
			})
			row.Do.Label = message.Fill(home.UnlinkRow, "provider", identity.Provider)
		}
		rows = append(rows, row)
	}
	if u.RecoveryCodes > 0 {
		row := p.way("member-codes", home.Codes, false)
		row.Icon, row.Facts = "codes", facts(p.Context.codesLeft(home.CodesLeft, u.RecoveryCodes))
		rows = append(rows, row)
	}
	return part("member-methods", p.fill(text.Methods), nil,
		app.If(len(rows) > 0, func() app.UI { return app.Elem("ul").Class("rows").Body(rows...) }).
			Else(func() app.UI { return p.Context.noRows(text.NoMethods) }),
		app.If(p.helps(), func() app.UI { return app.Elem("p").Class("hint").Text(p.fill(text.Told)) }),
	)
}

// row returns a row of the page, with what was refused there.
func (p *UserPage) row(id, name string) *line {
	row := &line{Context: p.Context, ID: id, Level: "h3", Name: name}
	if p.refused == id {
		row.Failure = p.failure
	}
	return row
}

// way is the row of a way to sign in.
func (p *UserPage) way(id, name string, isOnly bool) *line {
	row := p.row(id, name)
	if isOnly {
		row.Why = p.Context.Text.Member.OnlyWay
	}
	return row
}

// taking is the button that takes a way to sign in away, after a question.
func (p *UserPage) taking(row *line, isOnly bool, do, label string, work func(context.Context) (shared.MemberDetails, error)) rowAction {
	return rowAction{
		ID: row.ID + "-do", Text: do, Label: message.Fill(label, "what", row.Name), Off: p.off() || isOnly,
		Do: func() { p.asks(row.ID, row.Name, work) },
	}
}

// asks asks before a sign-in method is taken away.
func (p *UserPage) asks(row, what string, work func(context.Context) (shared.MemberDetails, error)) {
	text := p.Context.Text.Member
	p.asking = memberQuestion{
		title: message.Fill(text.RemoveTitle, "what", what), lead: p.fill(text.RemoveLead), do: text.Remove, harms: true, from: row + "-do",
		run: func() { p.does(row, work, text.Saved) },
	}
}

func (p *UserPage) renderSessions() app.UI {
	text, u := p.Context.Text, p.user
	mayEnd := p.helps() && len(u.Sessions) > 0
	return part("member-sessions", p.fill(text.Member.Sessions),
		app.If(mayEnd, func() app.UI {
			return p.Context.button("member-end-all", "small", text.Member.EndAll, p.off(), p.onEndAll)
		}),
		app.If(len(u.Sessions) > 0, func() app.UI {
			return app.Elem("ul").Class("rows").Body(app.Range(u.Sessions).Slice(func(i int) app.UI {
				session := u.Sessions[i]
				row := p.Context.sessionRow(session, "h3")
				row.Facts = append(row.Facts, p.Context.from(session.Address)...)
				if p.refused == row.ID {
					row.Failure = p.failure
				}
				if p.helps() {
					row.Do = rowAction{
						ID: row.ID + "-do", Text: text.Sessions.End, Label: message.Fill(text.Sessions.EndRow, "browser", row.Name), Off: p.off(),
						Do: func() {
							p.does(row.ID, func(ctx context.Context) (shared.MemberDetails, error) {
								return p.Service.EndMemberSessions(ctx, p.ID, session.ID)
							}, message.Fill(text.Sessions.DoneEnded, "browser", row.Name))
						},
					}
				}
				return row
			}))
		}).Else(func() app.UI { return p.Context.noRows(text.Member.NoSessions) }),
	)
}

func (p *UserPage) onEndAll(app.Context, app.Event) {
	p.does("", func(ctx context.Context) (shared.MemberDetails, error) {
		return p.Service.EndMemberSessions(ctx, p.ID, "")
	}, p.Context.Text.Member.Saved)
}

func (p *UserPage) renderActivity() app.UI {
	title, events := p.Context.Text.Member.Activity, p.activity.Events
	var all app.UI
	if p.Events != nil {
		events = events[:min(newest, len(events))]
		all = p.Context.seeAll(p.Events(url.Values{filterFind: {p.user.Name}, filterDays: {allDays}}.Encode()), title)
	}
	return part("member-activity", title, all,
		app.Elem("ul").Class("rows").Body(app.Range(events).Slice(func(i int) app.UI {
			row := p.Context.eventRow(events[i], "h3")
			row.Facts = append(row.Facts, p.Context.from(events[i].Address)...)
			return row
		})),
		app.If(p.Events == nil && p.activity.Next != "", func() app.UI {
			return app.Elem("div").Class("buttons").Body(p.Context.button("member-more", "", p.Context.Text.Activity.More, p.off(), p.onMore))
		}),
	)
}

func (p *UserPage) onMore(app.Context, app.Event) {
	next := p.activity.Next
	var page shared.Activity
	p.attempt(func(ctx context.Context) (err error) {
		page, err = p.Service.MemberActivity(ctx, p.ID, next)
		return err
	}, func(err error) {
		if p.failure = err; err == nil && p.activity.Next == next {
			p.activity = shared.Activity{Events: append(p.activity.Events, page.Events...), Next: page.Next}
		}
	})
}
