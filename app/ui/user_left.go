package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The left column of a user's page: what happens.

func (p *UserPage) renderMethods() app.UI {
	text, u := p.Context.Text.Member, p.user
	var rows []app.UI
	for _, key := range u.PasskeyList {
		key := key
		rows = append(rows, &factRow{
			ID: "passkey-" + key.ID, Name: key.Name, Facts: p.passkeyFacts(key),
			Button: label(p.helps(), text.Remove, ""), Label: message.Fill(text.RemoveRow, "what", key.Name), Off: p.off() || key.OnlyMethod,
			OnClick: func(from string) {
				p.asks(from, key.Name, func(ctx context.Context) (shared.MemberDetails, error) {
					return p.Service.RemoveMemberPasskey(ctx, p.ID, key.ID)
				})
			},
		})
	}
	if u.HasPassword {
		only := u.Passkeys+u.Identities == 0
		rows = append(rows, &factRow{
			ID: "member-password", Name: p.Context.Text.Users.Password, Facts: onlyIf(only, text.OnlyWay),
			Button: label(p.manages() && !p.isMe(), text.Remove, ""), Label: message.Fill(text.RemoveRow, "what", p.Context.Text.Users.Password), Off: p.off() || only,
			OnClick: func(from string) {
				p.asks(from, p.Context.Text.Users.Password, func(ctx context.Context) (shared.MemberDetails, error) {
					return p.Service.RemoveMemberPassword(ctx, p.ID)
				})
			},
		})
	}
	for _, identity := range u.IdentityList {
		identity := identity
		rows = append(rows, &factRow{
			ID: "identity-" + identity.ID, Name: identity.Provider, Facts: append(onlyIf(identity.Name != "", identity.Name), onlyIf(identity.OnlyMethod, text.OnlyWay)...),
			Button: label(p.manages() && !p.isMe(), text.Remove, ""), Label: message.Fill(text.RemoveRow, "what", identity.Provider), Off: p.off() || identity.OnlyMethod,
			OnClick: func(from string) {
				p.asks(from, identity.Provider, func(ctx context.Context) (shared.MemberDetails, error) {
					return p.Service.UnlinkMember(ctx, p.ID, identity.ID)
				})
			},
		})
	}
	if u.RecoveryCodes > 0 {
		rows = append(rows, &factRow{ID: "member-codes", Name: text.Codes, Facts: []string{message.Fill(text.CodesLeft, "n", p.Context.Number(u.RecoveryCodes))}})
	}
	return part("member-methods", p.fill(text.Methods), nil,
		app.If(len(rows) > 0, func() app.UI { return app.Elem("ul").Class("rows").Body(rows...) }).
			Else(func() app.UI { return app.Elem("p").Class("quiet").Text(text.NoMethods) }),
		app.If(p.helps(), func() app.UI { return app.Elem("p").Class("hint").Text(p.fill(text.Told)) }),
	)
}

func onlyIf(condition bool, text string) []string {
	if condition {
		return []string{text}
	}
	return nil
}

func (p *UserPage) passkeyFacts(key shared.MemberPasskey) []string {
	text := p.Context.Text
	added, _ := p.Context.Date(key.Created)
	facts := append(onlyIf(key.Provider != "" && key.Provider != key.Name, key.Provider), message.Fill(text.Panel.Added, "date", added))
	if key.LastUsed != nil {
		used, _ := p.Context.Date(*key.LastUsed)
		facts = append(facts, message.Fill(text.Panel.LastUsed, "date", used))
	}
	return append(facts, onlyIf(key.OnlyMethod, text.Member.OnlyWay)...)
}

// asks asks before a sign-in method is taken away.
func (p *UserPage) asks(from, what string, work func(context.Context) (shared.MemberDetails, error)) {
	text := p.Context.Text.Member
	p.asking = memberQuestion{
		title: message.Fill(text.RemoveTitle, "what", what), lead: p.fill(text.RemoveLead), do: text.Remove, harms: true, from: from,
		run: func() { p.does(work, text.Saved) },
	}
}

func (p *UserPage) renderSessions() app.UI {
	text, u := p.Context.Text, p.user
	mayEnd := p.helps() && len(u.Sessions) > 0
	return part("member-sessions", p.fill(text.Member.Sessions),
		app.If(mayEnd, func() app.UI {
			return button("member-end-all", "small", text.Member.EndAll, p.off(), p.onEndAll)
		}),
		app.If(len(u.Sessions) > 0, func() app.UI {
			return app.Elem("ul").Class("rows").Body(app.Range(u.Sessions).Slice(func(i int) app.UI {
				session := u.Sessions[i]
				name := p.Context.browserName(session.Browser, session.System)
				seen, _ := p.Context.Moment(session.Seen)
				facts := append(onlyIf(session.Address != "", message.Fill(text.Sessions.From, "address", session.Address)), message.Fill(text.Sessions.Seen, "date", seen))
				return &factRow{
					ID: "session-" + session.ID, Name: name, Facts: facts, Button: label(p.helps(), text.Sessions.End, ""), Off: p.off(),
					Label: message.Fill(text.Sessions.EndRow, "browser", name),
					OnClick: func(string) {
						p.does(func(ctx context.Context) (shared.MemberDetails, error) {
							return p.Service.EndMemberSessions(ctx, p.ID, session.ID)
						}, message.Fill(text.Sessions.DoneEnded, "browser", name))
					},
				}
			}))
		}).Else(func() app.UI { return app.Elem("p").Class("quiet").Text(text.Member.NoSessions) }),
	)
}

func (p *UserPage) onEndAll(app.Context, app.Event) {
	p.does(func(ctx context.Context) (shared.MemberDetails, error) {
		return p.Service.EndMemberSessions(ctx, p.ID, "")
	}, p.Context.Text.Member.Saved)
}

func (p *UserPage) renderActivity() app.UI {
	return part("member-activity", p.Context.Text.Member.Activity, nil,
		app.Elem("ul").Class("rows").Body(app.Range(p.activity.Events).Slice(func(i int) app.UI {
			row := p.Context.eventRow(p.activity.Events[i], "h3")
			row.Facts = append(row.Facts, p.Context.from(p.activity.Events[i].Address)...)
			return row
		})),
		app.If(p.activity.Next != "", func() app.UI {
			return app.Elem("div").Class("buttons").Body(button("member-more", "", p.Context.Text.Activity.More, p.off(), p.onMore))
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

// factRow is a line with a name, facts, and maybe a button.
type factRow struct {
	app.Compo

	ID      string // of the line
	Name    string
	Facts   []string
	Button  string // "" for none
	Label   string // of the button, for screen readers
	Off     bool
	OnClick func(buttonID string)
}

func (r *factRow) Render() app.UI {
	return app.Elem("li").ID(r.ID).Class("row").Body(
		app.Elem("div").Class("row-text").Body(
			app.Elem("h3").Class("row-name").Body(app.Elem("bdi").Text(r.Name)),
			app.Elem("ul").Class("facts").Body(app.Range(r.Facts).Slice(func(i int) app.UI { return app.Elem("li").Body(app.Elem("bdi").Text(r.Facts[i])) })),
		),
		app.If(r.Button != "", func() app.UI {
			return button(r.ID+"-do", "small", r.Button, r.Off, r.onClick).Aria("label", r.Label)
		}),
	)
}

func (r *factRow) onClick(app.Context, app.Event) { r.OnClick(r.ID + "-do") }
