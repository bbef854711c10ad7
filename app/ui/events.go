package ui

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// EventsService lists what happened in the organisation, for a signed-in administrator or auditor.
type EventsService interface {
	Events(ctx context.Context, query shared.AuditQuery) (shared.AuditPage, error)
}

// EventsPage lists what happened in the organisation, by day. Its filters are in the page's address, so
// that a colleague can be sent what is shown. A row opens to all that is known of the event.
type EventsPage struct {
	app.Compo

	Context Context       // required
	Service EventsService // required
	Changes int           // grows whenever something may have happened
	// Filters is the query of the page's address. OnFilters is called when the user has chosen others.
	Filters   string
	OnFilters func(query string)
	// Here returns the address of this page with other filters, and Page that of the page of a user. Nil
	// has no links.
	Here func(query string) string
	Page func(id string) string

	OnSignedOut func() // the session has ended

	tasks
	state        listState
	seen         int    // Changes, when the list was asked for
	looked       string // Filters, when the list was asked for
	asked        int    // how many lists were asked for; an answer to an earlier request is ignored
	events       []shared.AuditEvent
	first        int // how many of the events are of the first page
	next         string
	lookedUntil  *time.Time
	failure      error
	exporting    *shared.AuditQuery // what the export dialog is about
	copied       string             // the id of the event that was copied last
	announcement string
}

const eventsTitleID = "events-title"

// The parts of Filters.
const (
	filterFind = "find" // a user or an address
	filterKind = "kind" // a shared.EventGroup, or a kind
	filterBy   = "by"
	filterDays = "days" // how many days back, or givenDates
	filterFrom = "from" // a day of the reader, with givenDates
	filterTo   = "to"   // the last such day
)

// givenDates is the value of [filterDays] for days that the reader gives.
const givenDates = "dates"

// usualDays is how many days back the page looks, unless the filters say otherwise.
const usualDays = "7"

// allDays is the most that the filters offer.
const allDays = "365"

// OnMount loads the first page.
func (p *EventsPage) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load("")
}

// OnUpdate loads again when the address has other filters, or when something happened. It leaves a
// user alone who has loaded older pages.
func (p *EventsPage) OnUpdate(app.Context) {
	if p.looked != p.Filters {
		p.state, p.events = listLoading, nil
		p.load("")
	} else if p.seen != p.Changes && p.state != listLoading && len(p.events) <= p.first {
		p.load("")
	}
}

// filter returns a part of the filters.
func (p *EventsPage) filter(name string) string {
	values, _ := url.ParseQuery(p.Filters) // the part of a broken address that can be read
	value := values.Get(name)
	if name == filterDays && value == "" {
		return usualDays
	}
	return value
}

// query returns what the server is asked, without the page.
func (p *EventsPage) query(now time.Time) shared.AuditQuery {
	q := shared.AuditQuery{Kind: p.filter(filterKind), By: p.filter(filterBy)}
	if days, err := strconv.Atoi(p.filter(filterDays)); err == nil {
		q.From = now.AddDate(0, 0, -days).UTC().Format(time.RFC3339)
	}
	if p.filter(filterDays) == givenDates {
		q.From, q.To = p.Context.beginOf(p.filter(filterFrom), 0), p.Context.beginOf(p.filter(filterTo), 1)
	}
	find := strings.TrimSpace(p.filter(filterFind))
	if isAddress(find) {
		q.Address = find
	} else {
		q.User = find
	}
	return q
}

// isAddress reports whether somebody means an IP address or a network, and not a user such as 4711.12
// or a:b. Package netip would cost every user of the app some kilobytes.
func isAddress(text string) bool {
	of := func(characters string) bool { return strings.Trim(text, characters) == "" }
	return strings.Count(text, ".") == 3 && of("0123456789./") || strings.Count(text, ":") > 1 && of("0123456789abcdefABCDEF.:/")
}

// load asks for the first page, or for the one that next names.
func (p *EventsPage) load(next string) {
	p.seen, p.looked = p.Changes, p.Filters
	p.asked++
	asked, query := p.asked, p.query(time.Now())
	query.Before = next
	if next != "" || p.state == listFailed {
		p.state = listLoading
	}
	p.failure = nil
	var page shared.AuditPage
	p.attempt(func(ctx context.Context) (err error) {
		page, err = p.Service.Events(ctx, query)
		return err
	}, func(err error) {
		switch {
		case asked != p.asked:
		case err != nil && next == "" && len(p.events) > 0 && shared.IsUnreachable(err):
			p.state = listReady // the list stays: the page says that the server is away
		case err != nil:
			p.state, p.failure = listFailed, err
		default:
			if next == "" {
				p.events, p.first = nil, len(page.Events)
			}
			p.state, p.next, p.lookedUntil = listReady, page.Next, page.LookedUntil
			p.events = append(p.events, page.Events...)
			p.announce(len(page.Events))
		}
	})
}

// announce tells a screen reader that the list is another one.
func (p *EventsPage) announce(n int) {
	p.announcement = p.Context.Count(p.Context.Text.Events.Shown, n)
}

// choose sets a part of the filters, and loads.
func (p *EventsPage) choose(name, value string) {
	values, _ := url.ParseQuery(p.Filters)
	values.Set(name, value)
	if value == "" || name == filterDays && value == usualDays {
		values.Del(name)
	}
	if name == filterDays && value != givenDates {
		values.Del(filterFrom)
		values.Del(filterTo)
	}
	p.Filters = values.Encode()
	if p.OnFilters != nil {
		p.OnFilters(p.Filters)
	}
	p.state, p.events = listLoading, nil
	p.load("")
}

// Render implements app.Composer.
func (p *EventsPage) Render() app.UI {
	text := p.Context.Text.Events
	return app.Elem("section").Class("page page-wide").Aria("labelledby", eventsTitleID).Body(
		app.Elem("div").Class("head").Body(
			app.Elem("div").Body(
				app.Elem("h1").ID(eventsTitleID).TabIndex(-1).Text(text.Title),
				app.Elem("p").Class("quiet").Text(text.Lead),
			),
			p.Context.button("events-export", "", "", p.Context.Offline != "", p.onExport).Body(icon("install"), app.Elem("span").Text(text.Export)),
		),
		p.renderFilters(),
		p.renderFailure(),
		p.renderList(),
		spoken(p.announcement),
		Slot(app.If(p.exporting != nil, p.renderExport)),
	)
}

func (p *EventsPage) renderFilters() app.UI {
	text := p.Context.Text.Events
	return app.Elem("form").Class("filters").Attr("role", "search").Aria("label", text.Filters).OnSubmit(p.onSubmit).Body(
		app.Elem("div").Class("find").Body(
			icon("find"),
			app.ElemSelfClosing("input").ID("events-find").Attr("type", "search").Aria("label", text.Find).Attr("placeholder", text.Find).Attr("value", p.filter(filterFind)).
				Attr("autocapitalize", "none").Attr("autocomplete", "off").Attr("spellcheck", "false").
				OnChange(func(ctx app.Context, _ app.Event) { p.choose(filterFind, strings.TrimSpace(valueOf(ctx))) }),
		),
		p.renderSelect(filterKind, text.Kind,
			"", text.AllKinds, string(shared.GroupSignIns), text.SignIns, string(shared.EventSignedIn), text.SignedIn, string(shared.GroupFailures), text.Failures, string(shared.GroupPasskeys), text.Passkeys, string(shared.GroupPasswords), text.Passwords, string(shared.GroupUsers), text.Users, string(shared.GroupPrograms), text.Programs),
		p.renderSelect(filterBy, text.By,
			"", text.ByAnybody, shared.ByAdministrators, text.ByAdministrators, shared.ByUsers, text.ByUsers, shared.ByCommandLine, text.ByCommandLine),
		p.renderSelect(filterDays, text.When,
			"1", text.LastDay, "7", text.LastWeek, "30", text.LastMonth, allDays, text.LastYear, givenDates, text.Dates),
		Slot(app.If(p.filter(filterDays) == givenDates, func() app.UI {
			return app.Elem("div").Class("dates").Body(p.renderDate(filterFrom, text.DateFrom), p.renderDate(filterTo, text.DateTo))
		})),
	)
}

// renderDate asks for a day.
func (p *EventsPage) renderDate(name, label string) app.UI {
	return app.Elem("label").Body(
		app.Elem("span").Text(label),
		app.ElemSelfClosing("input").ID("events-"+name).Attr("type", "date").Attr("value", p.filter(name)).
			OnChange(func(ctx app.Context, _ app.Event) { p.choose(name, valueOf(ctx)) }),
	)
}

// renderSelect draws a filter, with a text for each value. A value of the page's address that it has no
// text for stands there as it is, since the list goes by it.
func (p *EventsPage) renderSelect(name, label string, choices ...string) app.UI {
	chosen, options := p.filter(name), []app.UI{}
	for i := 0; i+1 < len(choices); i += 2 {
		options = append(options, option(choices[i], choices[i+1], choices[i] == chosen))
	}
	if !slices.Contains(choices, chosen) {
		options = append(options, option(chosen, chosen, true))
	}
	return app.Elem("select").ID("events-"+name).Aria("label", label).On("change", func(ctx app.Context, _ app.Event) { p.choose(name, choice(ctx)) }).Body(options...)
}

func (p *EventsPage) onSubmit(_ app.Context, e app.Event) { e.PreventDefault() } // the change of the field has done it

// renderFailure says why there is no list. That nobody has a name is no fault.
func (p *EventsPage) renderFailure() app.UI {
	if shared.CodeOf(p.failure) == shared.CodeNotFound {
		return waiting(p.Context.sentence(p.failure))
	}
	return p.Context.notice(p.failure)
}

func (p *EventsPage) renderList() app.UI {
	text := p.Context.Text.Events
	switch {
	case p.state == listFailed && shared.CodeOf(p.failure) == shared.CodeNotFound:
		return app.Elem("div")
	case p.state == listFailed && len(p.events) == 0:
		return app.Elem("div").Body(button("events-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry))
	case p.state == listLoading && len(p.events) == 0:
		return waiting(p.Context.Text.Shell.Loading)
	case len(p.events) == 0 && p.next == "":
		return p.renderNothing()
	}
	days := byDay(p.Context, p.events)
	return app.Elem("div").Class("days").Body(
		app.Range(days).Slice(func(i int) app.UI { return p.renderDay(days[i]) }),
		app.If(p.next != "", func() app.UI {
			more := text.More
			if p.lookedUntil != nil {
				more = text.LookFurther
			}
			return app.Elem("div").Class("head").Body(
				app.Elem("p").Class("quiet").Text(p.lookedSentence()),
				p.Context.button("events-more", "", label(p.state == listLoading, p.Context.Text.Shell.Loading, more), p.state == listLoading || p.Context.Offline != "", p.onMore),
			)
		}),
	)
}

// lookedSentence says how far the server has looked, or how many events are shown.
func (p *EventsPage) lookedSentence() string {
	text := p.Context.Text.Events
	if p.lookedUntil == nil {
		return p.Context.Count(text.Shown, len(p.events))
	}
	moment, _ := p.Context.Moment(*p.lookedUntil)
	return message.Fill(text.LookedUntil, "date", moment)
}

func (p *EventsPage) renderNothing() app.UI {
	text := p.Context.Text.Events
	nothing, wider, label := text.NothingWeek, "30", text.LastMonth
	switch p.filter(filterDays) {
	case "1":
		nothing, wider, label = text.NothingDay, "7", text.LastWeek
	case "30":
		nothing, wider, label = text.NothingMonth, allDays, text.LastYear
	case allDays:
		nothing, wider = text.NothingYear, ""
	case givenDates:
		nothing, wider = text.NothingDates, ""
	}
	return app.Elem("div").Class("stack").Body(
		waiting(nothing),
		app.If(wider != "", func() app.UI {
			return app.Elem("div").Class("buttons").Body(p.Context.button("events-wider", "", label, p.Context.Offline != "", func(app.Context, app.Event) { p.choose(filterDays, wider) }))
		}),
	)
}

func (p *EventsPage) onRetry(app.Context, app.Event) {
	p.state = listLoading
	p.load("")
}

func (p *EventsPage) onMore(app.Context, app.Event) { p.load(p.next) }

func (p *EventsPage) onExport(ctx app.Context, _ app.Event) {
	query := p.query(time.Now())
	p.exporting = &query
	showModal(ctx, exportID)
}

func (p *EventsPage) onExported() {
	p.exporting = nil
	focus(p.self, "events-export")
}

const exportID = "export"

// renderExport asks for the format of an export. The browser saves the file.
func (p *EventsPage) renderExport() app.UI {
	text := p.Context.Text.Events
	file := func(id, format, label string) app.UI {
		values := p.exporting.Values()
		values.Set("format", format)
		return app.Elem("a").ID(id).Class("button wide").Attr("href", shared.PathAuditExport+"?"+values.Encode()).Attr("download", "events."+format).Text(label)
	}
	return dialog(exportID, text.ExportTitle, p.onExported,
		app.Elem("p").Text(text.ExportLead),
		file("export-table", shared.ExportTable, text.ExportTable),
		file("export-lines", shared.ExportLines, text.ExportLines),
		foot(button("export-close", "quiet", text.ExportClose, false, func(app.Context, app.Event) { p.onExported() })),
	)
}
