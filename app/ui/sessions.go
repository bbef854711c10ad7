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

	Context Context        // required
	Service SessionService // required
	Changes int            // grows whenever the list may have changed elsewhere
	// All is the address of a page with all sessions. With it, this is a part of another page,
	// which shows the newest and ends none.
	All         string
	OnSignedOut func() // this session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	list         shared.SessionList
	failure      error
	ending       string // the id of the session that is being ended, or othersID
	announcement string
}

// newest is how many rows a part of a page shows of a list that has a page of its own.
const newest = 3

// seeAll is the link from such a part to the page.
func (c Context) seeAll(href, what string) app.UI {
	return app.Elem("a").Class("more").Attr("href", href).Body(app.Text(c.Text.Home.SeeAll), app.Elem("span").Class("spoken").Text(": "+what))
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
			if p.state == listFailed {
				p.failure = nil // else it is of a session that couldn't be ended
			}
			p.state, p.list = listReady, list
		case p.state != listReady: // a list that is shown stays
			p.state, p.failure = listFailed, err
		}
	})
}

// Render implements app.Composer.
func (p *SessionsPanel) Render() app.UI {
	text := p.Context.Text.Sessions
	if p.All != "" {
		return part("sessions", p.Context.Text.Home.Sessions, p.Context.seeAll(p.All, text.Title), p.renderList())
	}
	return app.Elem("section").Class("page").Aria("labelledby", "sessions-title").Body(
		app.Elem("h1").ID("sessions-title").TabIndex(-1).Text(text.Title),
		app.Elem("p").Class("lead").Text(text.Lead),
		app.If(p.state != listFailed, func() app.UI { return p.Context.notice(p.failure) }),
		p.renderList(),
		app.If(len(p.list.Sessions) > 1, p.renderEndOthers).ElseIf(p.state == listReady, func() app.UI {
			return app.Elem("p").Class("quiet").Text(text.NoOthers)
		}),
		spoken(p.announcement),
	)
}

func (p *SessionsPanel) renderList() app.UI {
	switch {
	case len(p.list.Sessions) > 0:
		return p.renderRows()
	case p.state == listFailed:
		return p.Context.failedRows(p.failure, p.All != "", "sessions-retry", p.onRetry)
	}
	return p.Context.waitingRows()
}

func (p *SessionsPanel) renderRows() app.UI {
	list, level := p.list.Sessions, "h2"
	if p.All != "" {
		list, level = list[:min(newest, len(list))], "h3"
	}
	return app.Elem("ul").Class("rows").Body(
		app.Range(list).Slice(func(i int) app.UI {
			session, text := list[i], p.Context.Text.Sessions
			row := p.Context.sessionRow(session, level)
			if p.All == "" {
				row.Facts = append(row.Facts, p.Context.from(session.Address)...)
			}
			if p.All == "" && !session.Current {
				working := p.ending == session.ID
				row.Do = rowAction{
					ID: "end-" + session.ID, Text: label(working, text.Ending, text.End), Label: label(working, "", message.Fill(text.EndRow, "browser", row.Name)),
					Off: working || p.Context.Offline != "", Do: func() { p.end(session) },
				}
			}
			return row
		}),
	)
}

func (p *SessionsPanel) renderEndOthers() app.UI {
	text := p.Context.Text.Sessions
	return app.Elem("div").Class("buttons").Body(
		p.Context.button("end-others", "danger", label(p.ending == othersID, text.Ending, text.EndOthers), p.ending != "" || p.Context.Offline != "", p.onEndOthers),
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

// sessionRow is one session of a list.
func (c Context) sessionRow(s shared.Session, level string) *line {
	text := c.Text.Sessions
	created, createdExact := c.whenWithin(s.Created)
	seen, seenExact := c.whenWithin(s.Seen)
	row := &line{Context: c, ID: "session-" + s.ID, Level: level, Icon: deviceIcon(s.System), Name: c.browserName(s.Browser, s.System)}
	row.Facts = []fact{{c.sessionBegan(s, created), createdExact}}
	if s.Current {
		row.Tag = text.Current
	} else {
		row.Facts = append(row.Facts, fact{message.Fill(text.Seen, "date", seen), seenExact})
	}
	return row
}

// from is the fact of an address. Where rows are many on a page, it is left out.
func (c Context) from(address string) []fact {
	if address == "" {
		return nil
	}
	return facts(message.Fill(c.Text.Sessions.From, "address", address))
}

// deviceIcon draws what a system runs on.
func deviceIcon(system string) string {
	switch system {
	case "iOS", "Android":
		return "phone"
	case "":
		return "browser"
	}
	return "laptop"
}

// sessionBegan says how and when a session began.
func (c Context) sessionBegan(s shared.Session, date string) string {
	text := c.Text.Sessions
	switch {
	case s.Passkey != "":
		return message.Fill(text.WithNamed, "date", date, "name", s.Passkey)
	case s.Method == shared.MethodPasskey:
		return message.Fill(text.WithPasskey, "date", date)
	case s.Method == shared.MethodSSO:
		return message.Fill(text.AtProvider, "date", date, "provider", s.Provider)
	case s.Method == shared.MethodRecoveryCode:
		return message.Fill(text.WithCode, "date", date)
	case s.Method == shared.MethodSetupLink:
		return message.Fill(text.WithSetupLink, "date", date)
	}
	return message.Fill(text.WithPassword, "date", date)
}
