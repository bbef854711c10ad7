package ui

import (
	"context"
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
	return older.Kind == newest.Kind && older.Method == newest.Method && older.Passkey == newest.Passkey && older.Provider == newest.Provider &&
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
	now := time.Now()
	today, _ := c.Date(now)
	yesterday, _ := c.Date(now.Add(-24 * time.Hour))
	last := ""
	for _, e := range events {
		date, _ := c.Date(e.Time)
		if date != last {
			title := date
			switch date {
			case today:
				title = message.Fill(c.Text.Events.Today, "date", date)
			case yesterday:
				title = message.Fill(c.Text.Events.Yesterday, "date", date)
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
	return app.Section().Class("part").Aria("labelledby", id).Body(
		app.H2().ID(id).Text(d.title),
		app.Ul().Class("rows").Body(app.Range(d.rows).Slice(func(i int) app.UI {
			row := &eventRow{Context: p.Context, Events: d.rows[i], Copied: p.copied == d.rows[i][0].ID, Here: p.Here, OnCopied: p.onCopied}
			return app.Li().Body(row)
		})),
	)
}

func (p *EventsPage) onCopied(id string) {
	p.copied = id
	p.announcement = p.Context.Text.Link.Copied
}

// eventRow is a row of the list, which opens.
type eventRow struct {
	app.Compo

	Context  Context
	Events   repeated
	Copied   bool
	Here     func(query string) string
	OnCopied func(id string)
}

func (r *eventRow) Render() app.UI {
	e := r.Events[0]
	picture, kind := eventIcon(e)
	_, exact := r.Context.Moment(e.Time)
	return element("details").ID("event-"+e.ID).Class("event").Body(
		element("summary").Body(
			app.Span().Class("mark "+kind).Body(icon(picture)),
			app.Span().Class("row-text").Body(
				app.Span().Class("row-name").Text(r.what()),
				app.Span().Class("note").Body(app.Text(r.who())),
			),
			app.Span().Class("note").Title(exact).Text(r.Context.Time(lastOf(e))),
			app.Span().Class("turn").Body(icon("down")),
		),
		r.renderFacts(e),
		app.Div().Class("buttons").Body(
			button("copy-"+e.ID, "small", "", false, r.onCopy).Body(steady(r.Copied, r.Context.Text.Link.Copied, r.Context.Text.Events.CopyJSON)),
			app.If(r.Here != nil && e.User != nil, func() app.UI {
				return app.A().Class("button small quiet").Href(r.Here(url.Values{filterFind: {e.User.ID}}.Encode())).
					Text(message.Fill(r.Context.Text.Events.AllOf, "name", r.name(e.User)))
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
func (r *eventRow) what() string {
	e := r.Events[0]
	what := r.Context.eventText(shared.Event{Kind: e.Kind, Method: e.Method, Passkey: e.Passkey, Provider: e.Provider})
	if n := r.Events.count(); n > 1 {
		return message.Fill(r.Context.Text.Events.Repeated, "event", what, "count", r.Context.Number(n))
	}
	return what
}

// who says to whom it happened, and who did it if that was somebody else.
func (r *eventRow) who() string {
	e, text := r.Events[0], r.Context.Text.Events
	switch {
	case e.By == nil:
		return r.name(e.User)
	case e.User == nil:
		return message.Fill(text.Doer, "name", r.name(e.By))
	}
	return message.Fill(text.WhomAndDoer, "user", r.name(e.User), "name", r.name(e.By))
}

// name returns the display name of a user, or says that they were removed.
func (r *eventRow) name(u *shared.AuditUser) string {
	switch {
	case u == nil:
		return ""
	case u.Name == "":
		return r.Context.Text.Events.Removed
	}
	return u.DisplayName
}

func (r *eventRow) renderFacts(e shared.AuditEvent) app.UI {
	text := r.Context.Text.Events
	from := []string{}
	for _, part := range []string{r.browser(e), e.Address} {
		if part != "" {
			from = append(from, part)
		}
	}
	first := r.Events[len(r.Events)-1]
	when := momentUTC(lastOf(e))
	if r.Events.count() > 1 {
		when = message.Fill(text.Between, "first", momentUTC(first.Time), "last", when)
	}
	facts := []app.UI{}
	for _, fact := range []struct{ name, value string }{
		{text.FactBy, r.person(e.By)}, {text.FactFor, r.person(e.User)}, {text.FactPasskey, e.Passkey}, {text.FactProvider, e.Provider},
		{text.FactFrom, strings.Join(from, ", ")}, {text.FactWhen, when}, {text.FactEvent, e.ID},
	} {
		if fact.value != "" {
			facts = append(facts, element("dt").Text(fact.name), element("dd").Text(fact.value))
		}
	}
	return element("dl").Class("pairs").Body(facts...)
}

func (r *eventRow) browser(e shared.AuditEvent) string {
	if e.Browser+e.System == "" {
		return ""
	}
	return r.Context.browserName(e.Browser, e.System)
}

// person names a user for sure: by the display name and the user name, or by the id.
func (r *eventRow) person(u *shared.AuditUser) string {
	switch {
	case u == nil:
		return ""
	case u.Name == "":
		return r.name(u) + " (" + u.ID + ")"
	case u.Name == u.DisplayName:
		return u.Name
	}
	return u.DisplayName + " (" + u.Name + ")"
}

func momentUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// onCopy copies the events of the row, a line each, as an export has them.
func (r *eventRow) onCopy(ctx app.Context, _ app.Event) {
	var lines strings.Builder
	for _, e := range r.Events {
		json.NewEncoder(&lines).Encode(e)
	}
	ctx.Async(func() {
		if browser.Copy(context.WithoutCancel(ctx), lines.String()) {
			ctx.Dispatch(func(app.Context) { r.OnCopied(r.Events[0].ID) })
		}
	})
}

// eventIcon returns the icon of an event, and a class for what went wrong.
func eventIcon(e shared.AuditEvent) (name, kind string) {
	switch e.Kind {
	case shared.EventSignInFailed, shared.EventCounterFell:
		return "close", "bad"
	case shared.EventSignedIn, shared.EventConfirmed:
		if e.Method == shared.MethodPasskey {
			return "key", ""
		}
		return "browser", ""
	case shared.EventSignedOut, shared.EventSessionEnded, shared.EventOthersEnded:
		return "out", ""
	case shared.EventPasskeyAdded, shared.EventPasskeyRenamed, shared.EventPasskeyRemoved, shared.EventCounterDiffers, shared.EventBackupChanged:
		return "key", ""
	case shared.EventRecoveryLinkMade:
		return "people", "warn"
	case shared.EventAccountCreated, shared.EventAccountRemoved, shared.EventDisabled, shared.EventEnabled, shared.EventInvited, shared.EventLinkWithdrawn,
		shared.EventLinkUsed, shared.EventRenamed, shared.EventProfileChanged, shared.EventEmailChanged, shared.EventGroupsChanged, shared.EventRoleChanged:
		return "people", ""
	}
	return "list", ""
}
