package ui

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// day is a part of the list, with the events of one day.
type day struct {
	title string
	rows  []repeated
}

// repeated is a row: one event, or the same one several times within an hour, newest first.
type repeated []shared.AuditEvent

// count is how many events a row stands for. An event of the server can stand for several itself.
func (r repeated) count() (n int) {
	for _, e := range r {
		n += max(int(e.Count), 1)
	}
	return n
}

// takes reports whether an older event is the same again.
func (r repeated) takes(older shared.AuditEvent) bool {
	newest := r[0]
	return older.Kind == newest.Kind && older.Method == newest.Method && older.Passkey == newest.Passkey && older.Provider == newest.Provider && older.Program == newest.Program && older.Reason == newest.Reason && older.Change == newest.Change &&
		idOf(older.User) == idOf(newest.User) && idOf(older.By) == idOf(newest.By) &&
		older.Browser == newest.Browser && older.System == newest.System && older.Address == newest.Address &&
		newest.Time.Sub(older.Time) < time.Hour
}

func idOf(u *shared.AuditUser) string {
	if u == nil {
		return ""
	}
	return u.ID
}

// byDay groups events by the reader's days, and repetitions into rows.
func byDay(c Context, events []shared.AuditEvent) (days []day) {
	last := ""
	for _, e := range events {
		date, _ := c.Date(e.Time)
		if date != last {
			title := date
			if text := c.recent(e.Time); text != "" {
				title = message.Fill(text, "date", date)
			}
			days, last = append(days, day{title: title}), date
		}
		rows := &days[len(days)-1].rows
		if n := len(*rows); n > 0 && (*rows)[n-1].takes(e) {
			(*rows)[n-1] = append((*rows)[n-1], e)
			continue
		}
		*rows = append(*rows, repeated{e})
	}
	return days
}

func (p *EventsPage) renderDay(d day) app.UI {
	id := "day-" + d.rows[0][0].ID
	return app.Elem("section").Class("part").Aria("labelledby", id).Body(
		app.Elem("h2").ID(id).Text(d.title),
		app.Elem("ul").Class("rows").Body(app.Range(d.rows).Slice(func(i int) app.UI {
			return app.Elem("li").Body(p.renderRow(d.rows[i]))
		})),
	)
}

// renderRow draws a row, which opens. It is no component of its own: each costs every user of the app
// some kilobytes, and a row has no state.
func (p *EventsPage) renderRow(row repeated) app.UI {
	e, text := row[0], p.Context.Text.Events
	picture, kind := eventIcon(e.Kind, e.Method)
	_, exact := p.Context.Moment(e.Time)
	return app.Elem("details").ID("event-"+e.ID).Class("event").Body(
		app.Elem("summary").Body(
			app.Elem("span").Class("mark "+kind).Body(icon(picture)),
			app.Elem("span").Class("row-text").Body(
				app.Elem("span").Class("row-name").Text(p.what(row)),
				app.Elem("span").Class("note").Text(p.who(e)),
			),
			app.Elem("span").Class("note").Attr("title", exact).Text(p.Context.Time(lastOf(e))),
			app.Elem("span").Class("turn").Body(icon("down")),
		),
		p.renderFacts(row),
		app.Elem("div").Class("buttons").Body(
			button("copy-"+e.ID, "small", "", false, func(ctx app.Context, _ app.Event) { p.copy(ctx, row) }).
				Body(steady(p.copied == e.ID, p.Context.Text.Link.Copied, text.CopyJSON)),
			app.If(p.Here != nil && e.User != nil, func() app.UI {
				return app.Elem("a").Class("button small quiet").Attr("href", p.Here(url.Values{filterFind: {e.User.ID}, filterDays: {allDays}}.Encode())).
					Text(message.Fill(text.AllOf, "name", p.name(e.User)))
			}),
		),
	)
}

func lastOf(e shared.AuditEvent) time.Time {
	if e.Last != nil {
		return *e.Last
	}
	return e.Time
}

// what says what happened, and how often.
func (p *EventsPage) what(row repeated) string {
	e := row[0]
	what := p.Context.eventText(shared.Event{Kind: e.Kind, Method: e.Method, Passkey: e.Passkey, Provider: e.Provider, Program: e.Program, Reason: e.Reason})
	if n := row.count(); n > 1 {
		return message.Fill(p.Context.Text.Events.Repeated, "event", what, "count", p.Context.Number(n))
	}
	return what
}

// who says to whom it happened, and who did it if that was somebody else.
func (p *EventsPage) who(e shared.AuditEvent) string {
	text := p.Context.Text.Events
	switch {
	case e.By == nil && e.User != nil && e.Browser+e.System+e.Address == "": // nobody else has none of them
		return message.Fill(text.WhomAndDoer, "user", p.name(e.User), "name", text.CommandLine)
	case e.By == nil:
		return p.name(e.User)
	case e.User == nil:
		return message.Fill(text.Doer, "name", p.name(e.By))
	}
	return message.Fill(text.WhomAndDoer, "user", p.name(e.User), "name", p.name(e.By))
}

// name returns the display name of a user, or says that they were removed.
func (p *EventsPage) name(u *shared.AuditUser) string {
	switch {
	case u == nil:
		return ""
	case u.Name == "":
		return p.Context.Text.Events.Removed
	}
	return u.DisplayName
}

func (p *EventsPage) renderFacts(row repeated) app.UI {
	e, text := row[0], p.Context.Text.Events
	from := []string{}
	for _, part := range []string{p.browser(e), e.Address} {
		if part != "" {
			from = append(from, part)
		}
	}
	first := row[len(row)-1]
	when := momentUTC(lastOf(e))
	if row.count() > 1 {
		when = message.Fill(text.Between, "first", momentUTC(first.Time), "last", when)
	}
	var facts []app.UI
	for _, fact := range []struct{ name, value, href string }{
		{text.FactBy, p.person(e.By), p.pageOf(e.By)}, {text.FactFor, p.person(e.User), p.pageOf(e.User)}, {text.FactPasskey, e.Passkey, ""}, {text.FactProvider, e.Provider, ""}, {text.FactProgram, e.Program, ""}, {text.FactChange, p.Context.changeText(e.Change), ""},
		{text.FactFrom, strings.Join(from, ", "), ""}, {text.FactWhen, when, ""}, {text.FactEvent, e.ID, ""},
	} {
		if fact.value != "" {
			facts = append(facts, term(fact.name,
				app.If(fact.href != "", func() app.UI { return app.Elem("a").Attr("href", fact.href).Body(app.Elem("bdi").Text(fact.value)) }).
					Else(func() app.UI { return app.Elem("bdi").Text(fact.value) }),
			))
		}
	}
	return app.Elem("dl").Class("pairs").Body(facts...)
}

// pageOf returns the address of the page of a user who is still there, or "".
func (p *EventsPage) pageOf(u *shared.AuditUser) string {
	if u == nil || u.Name == "" || p.Page == nil {
		return ""
	}
	return p.Page(u.ID)
}

func (p *EventsPage) browser(e shared.AuditEvent) string {
	if e.Browser+e.System == "" {
		return ""
	}
	return p.Context.browserName(e.Browser, e.System)
}

// person names a user for sure: by the display name and the user name, or by the id.
func (p *EventsPage) person(u *shared.AuditUser) string {
	switch {
	case u == nil:
		return ""
	case u.Name == "":
		return p.name(u) + " (" + u.ID + ")"
	case u.Name == u.DisplayName:
		return u.Name
	}
	return u.DisplayName + " (" + u.Name + ")"
}

func momentUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// copy copies the events of a row, a line each, as an export has them.
func (p *EventsPage) copy(ctx app.Context, row repeated) {
	var lines strings.Builder
	for _, e := range row {
		line, _ := json.Marshal(e) // it has texts, numbers and times only
		lines.Write(append(line, '\n'))
	}
	ctx.Async(func() {
		if browser.Copy(ctx, lines.String()) {
			ctx.Dispatch(func(app.Context) { p.copied, p.announcement = row[0].ID, p.Context.Text.Link.Copied })
		}
	})
}
