package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// SessionService does what the sessions panel offers, for the signed-in user.
type SessionService interface {
	// Sessions returns all sessions of the user.
	Sessions(ctx context.Context) (shared.SessionList, error)
	// EndSession ends one session, and returns those that are left.
	EndSession(ctx context.Context, id string) (shared.SessionList, error)
	// EndOtherSessions ends every session but this one, and returns the list that is left.
	EndOtherSessions(ctx context.Context) (shared.SessionList, error)
}

// SessionsPanel lists the browsers in which the user is signed in, and ends them.
type SessionsPanel struct {
	app.Compo

	Context     Context        // required
	Service     SessionService // required
	Changes     int            // grows whenever the list may have changed elsewhere
	OnSignedOut func()         // this session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	list         shared.SessionList
	failure      error
	ending       string // the id of the session that is being ended, or othersID
	announcement string
}

// othersID stands for all other sessions.
const othersID = "others"

// OnMount loads the list.
func (p *SessionsPanel) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load()
}

// OnUpdate loads again when something changed elsewhere.
func (p *SessionsPanel) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load()
	}
}

func (p *SessionsPanel) load() {
	p.seen = p.Changes
	if p.state == listFailed {
		p.state, p.failure = listLoading, nil
	}
	var list shared.SessionList
	p.attempt(func(ctx context.Context) (err error) {
		list, err = p.Service.Sessions(ctx)
		return err
	}, func(err error) {
		switch {
		case err == nil:
			had := strings.TrimPrefix(focused(), "end-")
			is := func(s shared.Session) bool { return s.ID == had }
			if slices.ContainsFunc(p.list.Sessions, is) && !slices.ContainsFunc(list.Sessions, is) {
				focus(p.self, "sessions-title") // its row is gone
			}
			p.state, p.list, p.failure = listReady, list, nil
		case p.state != listReady: // a list that is shown stays
			p.state, p.failure = listFailed, err
		}
	})
}

// Render implements app.Composer.
func (p *SessionsPanel) Render() app.UI {
	text := p.Context.Text.Sessions
	return app.Elem("section").Class("page").Aria("labelledby", "sessions-title").Body(
		app.Elem("h1").ID("sessions-title").TabIndex(-1).Text(text.Title),
		app.Elem("p").Class("lead").Text(text.Lead),
		p.Context.notice(p.failure),
		app.If(p.state == listLoading && len(p.list.Sessions) == 0, func() app.UI {
			return waiting(p.Context.Text.Shell.Loading)
		}),
		app.If(p.state == listFailed, func() app.UI {
			return button("sessions-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry)
		}),
		app.If(len(p.list.Sessions) > 0, p.renderRows),
		app.If(len(p.list.Sessions) > 1, p.renderEndOthers).ElseIf(p.state == listReady, func() app.UI {
			return app.Elem("p").Class("quiet").Text(text.NoOthers)
		}),
		spoken(p.announcement),
	)
}

func (p *SessionsPanel) renderRows() app.UI {
	return app.Elem("ul").Class("rows").Body(
		app.Range(p.list.Sessions).Slice(func(i int) app.UI {
			session := p.list.Sessions[i]
			return &sessionRow{Context: p.Context, Session: session, Working: p.ending == session.ID, OnEnd: p.end}
		}),
	)
}

func (p *SessionsPanel) renderEndOthers() app.UI {
	text := p.Context.Text.Sessions
	return app.Elem("div").Class("buttons").Body(
		button("end-others", "danger", label(p.ending == othersID, text.Ending, text.EndOthers), p.ending != "" || p.Context.Offline != "", p.onEndOthers),
	)
}

func (p *SessionsPanel) onRetry(app.Context, app.Event) { p.load() }

func (p *SessionsPanel) end(session shared.Session) {
	p.finish(session.ID, message.Fill(p.Context.Text.Sessions.DoneEnded, "browser", p.Context.browserName(session.Browser, session.System)),
		func(ctx context.Context) (shared.SessionList, error) {
			left, err := p.Service.EndSession(ctx, session.ID)
			if shared.CodeOf(err) == shared.CodeNotFound {
				return p.Service.Sessions(ctx) // it has ended already, which is what the user wanted
			}
			return left, err
		})
}

func (p *SessionsPanel) onEndOthers(app.Context, app.Event) {
	p.finish(othersID, p.Context.Text.Sessions.DoneOthers, p.Service.EndOtherSessions)
}

// finish ends one session or many, shows those that are left, and announces that it is done.
func (p *SessionsPanel) finish(id, done string, end func(context.Context) (shared.SessionList, error)) {
	if p.ending != "" {
		return
	}
	p.ending, p.failure = id, nil
	var left shared.SessionList
	p.attempt(func(ctx context.Context) (err error) {
		left, err = end(ctx)
		return err
	}, func(err error) {
		p.ending, p.failure = "", err
		if err == nil {
			p.list, p.announcement = left, done
			focus(p.self, "sessions-title")
		}
	})
}

// browserName returns what a person calls a browser, such as "Chrome on Windows".
func (c Context) browserName(browser, system string) string {
	switch {
	case browser != "" && system != "":
		return message.Fill(c.Text.Sessions.BrowserOn, "browser", browser, "system", system)
	case browser+system != "":
		return browser + system
	default:
		return c.Text.Sessions.UnknownBrowser
	}
}

// sessionRow is one session of the list.
type sessionRow struct {
	app.Compo

	Context Context
	Session shared.Session
	Working bool
	OnEnd   func(shared.Session)
}

func (r *sessionRow) Render() app.UI {
	text, s := r.Context.Text.Sessions, r.Session
	name := r.Context.browserName(s.Browser, s.System)
	created, createdExact := r.Context.Moment(s.Created)
	seen, seenExact := r.Context.Moment(s.Seen)
	return app.Elem("li").ID("session-"+s.ID).Class("row").Body(
		app.Elem("div").Class("row-text").Body(
			app.Elem("h2").Class("row-name").Body(
				app.Elem("span").Text(name),
				app.If(s.Current, func() app.UI { return app.Elem("span").Class("tag").Text(text.Current) }),
			),
			app.Elem("ul").Class("facts").Body(
				app.Elem("li").Title(createdExact).Text(r.method(created)),
				app.Elem("li").Title(seenExact).Text(message.Fill(text.Seen, "date", seen)),
				app.If(s.Address != "", func() app.UI { return app.Elem("li").Text(message.Fill(text.From, "address", s.Address)) }),
			),
		),
		app.If(!s.Current, func() app.UI {
			return button("end-"+s.ID, "small", label(r.Working, text.Ending, text.End), r.Working || r.Context.Offline != "", r.onEnd).Aria("label", label(r.Working, "", message.Fill(text.EndRow, "browser", name)))
		}),
	)
}

func (r *sessionRow) method(date string) string {
	text := r.Context.Text.Sessions
	switch {
	case r.Session.Passkey != "":
		return message.Fill(text.WithNamed, "date", date, "name", r.Session.Passkey)
	case r.Session.Method == shared.MethodPasskey:
		return message.Fill(text.WithPasskey, "date", date)
	case r.Session.Method == shared.MethodSSO:
		return message.Fill(text.AtProvider, "date", date, "provider", r.Session.Provider)
	case r.Session.Method == shared.MethodRecoveryCode:
		return message.Fill(text.WithCode, "date", date)
	case r.Session.Method == shared.MethodSetupLink:
		return message.Fill(text.WithSetupLink, "date", date)
	default:
		return message.Fill(text.WithPassword, "date", date)
	}
}

func (r *sessionRow) onEnd(app.Context, app.Event) { r.OnEnd(r.Session) }
