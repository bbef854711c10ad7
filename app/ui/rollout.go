package ui

import (
	"context"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// RolloutService says how far an organisation has come with passkeys, for administrators and auditors.
type RolloutService interface {
	Rollout(ctx context.Context) (shared.Rollout, error)
}

// RolloutPage shows how far an organisation has come with passkeys, and what to do next. Each number
// leads to those whom it counts.
type RolloutPage struct {
	app.Compo

	Context Context        // required
	Service RolloutService // required
	Changes int            // grows whenever the numbers may have changed
	// Users and Events return the address of a list with filters. Both are required.
	Users, Events func(query string) string

	OnSignedOut func() // the session has ended

	tasks
	seen    int // Changes, when the numbers were asked for
	asked   int // how often they were asked for; an answer to an earlier request is ignored
	state   listState
	rollout shared.Rollout
	failure error
}

const rolloutTitleID = "rollout-title"

// fewUsers is how many users an organisation has at most for which a percentage would say too much.
const fewUsers = 10

// OnMount loads the numbers.
func (p *RolloutPage) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load()
}

// OnUpdate loads again when something changed.
func (p *RolloutPage) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load()
	}
}

func (p *RolloutPage) load() {
	p.seen = p.Changes
	p.asked++
	asked := p.asked
	var rollout shared.Rollout
	p.attempt(func(ctx context.Context) (err error) {
		rollout, err = p.Service.Rollout(ctx)
		return err
	}, func(err error) {
		switch {
		case asked != p.asked, err != nil && p.state == listReady && shared.IsUnreachable(err):
			// What is shown stays. The page says that the server is away.
		case err != nil:
			p.state, p.failure = listFailed, err
		default:
			p.state, p.failure, p.rollout = listReady, nil, rollout
		}
	})
}

// Render implements app.Composer.
func (p *RolloutPage) Render() app.UI {
	text := p.Context.Text.Rollout
	lead := ""
	if p.state == listReady {
		counted, _ := p.Context.whenWithin(p.rollout.Counted)
		lead = message.Fill(text.Lead, "users", p.Context.Count(p.Context.Text.Users.Found, p.rollout.Users.All), "date", counted)
	}
	return app.Elem("section").Class("page page-wide").Aria("labelledby", rolloutTitleID).Body(
		app.Elem("div").Class("head").Body(
			app.Elem("div").Body(
				app.Elem("h1").ID(rolloutTitleID).TabIndex(-1).Text(text.Title),
				app.Elem("p").Class("quiet").Text(lead),
			),
			button("rollout-export", "", "", p.state != listReady, p.onExport).Body(icon("install"), app.Elem("span").Text(text.Export)),
		),
		p.Context.notice(p.failure),
		p.renderNumbers(),
	)
}

func (p *RolloutPage) renderNumbers() app.UI {
	switch p.state {
	case listLoading:
		return p.Context.waitingRows()
	case listFailed:
		return app.Elem("div").Class("buttons").Body(button("rollout-retry", "", p.Context.Text.Shell.TryAgain, false, p.onRetry))
	}
	return app.Elem("div").Class("days").Body(
		p.renderTiles(),
		part("rollout-have", p.Context.Text.Rollout.Have, nil, p.renderShares()),
		p.renderDays(),
		app.Elem("div").Class("columns").Body(
			app.Elem("div").Body(p.renderFailed(), p.renderEnrolled()),
			app.Elem("div").Body(p.renderNext()),
		),
	)
}

func (p *RolloutPage) onRetry(app.Context, app.Event) {
	p.state, p.failure = listLoading, nil
	p.load()
}

// usersIn returns the address of the list of users with a filter.
func (p *RolloutPage) usersIn(filter string) string {
	return p.Users(url.Values{"in": {filter}}.Encode())
}

// share writes a part of a whole as per cent, or as numbers where there are few.
func (p *RolloutPage) share(n, of int) string {
	if of < fewUsers {
		return message.Fill(p.Context.Text.Users.Progress, "n", p.Context.Number(n), "count", p.Context.Number(of))
	}
	return message.Fill(p.Context.Text.Rollout.Percent, "n", p.Context.Number((200*n+of)/(2*of)))
}

func (p *RolloutPage) renderTiles() app.UI {
	text, r := p.Context.Text.Rollout, p.rollout
	tile := func(id, number, what, address string, note ...app.UI) app.UI {
		return app.Elem("li").Body(app.Elem("a").ID(id).Class("card go").Attr("href", address).Body(
			app.Elem("strong").Class("big").Text(number), app.Elem("b").Text(what), app.Elem("span").Class("note").Body(note...),
		))
	}
	show := func() []app.UI { return []app.UI{app.Text(text.Show + " "), icon("right")} }
	moved := show()
	if points, known := r.Points(); known && points != 0 && r.Users.All >= fewUsers {
		moved = []app.UI{
			app.Elem("b").Class(label(points > 0, "ok", "bad")).Text(label(points > 0, "+", "−") + p.Context.Count(text.Points, max(points, -points))),
			app.Text(" " + text.In30Days),
		}
	}
	byPasskey, all := p.lastWeek()
	week := []app.UI{app.Text(text.NoSignIns)}
	number := "–"
	if all > 0 {
		number, week = p.share(byPasskey, all), show()
	}
	if all >= fewUsers { // of fewer, the number says of how many
		week = []app.UI{app.Text(message.Fill(text.ADay, "n", p.Context.Number((2*all+7)/14)))}
	}
	return app.Elem("ul").Class("tiles").Body(
		tile("tile-passkey", p.share(r.Users.WithPasskey, r.Users.All), text.WithPasskey, p.usersIn(shared.MembersWithPasskey), moved...),
		tile("tile-sign-ins", number, text.ByPasskey, p.Events(url.Values{filterKind: {string(shared.EventSignedIn)}}.Encode()), week...),
		tile("tile-password", p.Context.Number(r.Users.PasswordOnly), p.Context.Text.Users.PasswordOnly, p.usersIn(shared.MembersPasswordOnly), show()...),
		tile("tile-one-device", p.Context.Number(r.Users.OneDevice), text.OneDevice, p.usersIn(shared.MembersOneDevice), show()...),
	)
}

// lastWeek counts the sign-ins of the last seven days, today among them.
func (p *RolloutPage) lastWeek() (byPasskey, all int) {
	from := p.rollout.Counted.UTC().AddDate(0, 0, -6).Format(time.DateOnly)
	for _, day := range p.rollout.Days {
		if day.Day < from {
			continue
		}
		for method, n := range day.Methods {
			all += n
			if method == shared.MethodPasskey {
				byPasskey += n
			}
		}
	}
	return byPasskey, all
}

// piece is a part of the bar of what users have.
type piece struct {
	n             int
	label, filter string
}

func (p *RolloutPage) renderShares() app.UI {
	text, users, of := p.Context.Text.Rollout, p.rollout.Users, p.Context.Text.Users
	pieces := []piece{
		{users.WithPasskey, text.Passkey, shared.MembersWithPasskey}, {users.WithoutPasskey, of.WithoutPasskey, shared.MembersWithoutPasskey},
		{users.Invited, of.NothingYet, shared.MembersInvited}, {users.Disabled, of.Disabled, shared.MembersDisabled},
	}
	if users.Disabled == 0 {
		pieces = pieces[:3]
	}
	return app.Elem("div").Class("card").Body(
		app.Raw(drawnBar(pieces)),
		app.Elem("ul").Class("tools").Body(app.Range(pieces).Slice(func(i int) app.UI {
			piece := pieces[i]
			return app.Elem("li").Class("key").Body(
				app.Raw(swatch(i)), app.Elem("a").Attr("href", p.usersIn(piece.filter)).Text(piece.label), app.Text(" "+p.Context.Number(piece.n)),
				app.If(users.All >= fewUsers, func() app.UI { return app.Elem("span").Class("quiet").Text(" (" + p.share(piece.n, users.All) + ")") }),
			)
		})),
	)
}

// barRow is a row of a table of numbers with bars.
type barRow struct {
	label string
	n     int
}

// renderBars draws numbers as a table with a bar for each.
func (p *RolloutPage) renderBars(id, caption string, rows []barRow) app.UI {
	most := 1
	for _, row := range rows {
		most = max(most, row.n)
	}
	return app.Elem("div").Class("rows").Body(app.Elem("table").ID(id).Body(
		app.Elem("caption").Class("spoken").Text(caption),
		app.Elem("tbody").Body(app.Range(rows).Slice(func(i int) app.UI {
			return app.Elem("tr").Body(
				app.Elem("th").Attr("scope", "row").Text(rows[i].label),
				app.Elem("td").Class("bar-cell").Body(app.Raw(drawnLength(rows[i].n, most))),
				app.Elem("td").Class("number").Text(p.Context.Number(rows[i].n)),
			)
		})),
	))
}

// renderFailed shows why ceremonies failed, and in which browsers.
func (p *RolloutPage) renderFailed() app.UI {
	text, total := p.Context.Text.Rollout, 0
	var reasons, browsers []barRow
	add := func(rows []barRow, label string, n int) []barRow {
		for i := range rows {
			if rows[i].label == label {
				rows[i].n += n
				return rows
			}
		}
		return append(rows, barRow{label, n})
	}
	for _, failed := range p.rollout.Failed {
		name := failed.Browser
		if name == "" {
			name = text.OtherBrowsers
		}
		reasons, browsers, total = add(reasons, p.Context.reason(failed.Reason), failed.Count), add(browsers, name, failed.Count), total+failed.Count
	}
	sorted(reasons)
	sorted(browsers)
	note := app.Elem("p").Class("note").Text(message.Fill(text.FailedLead, "days", p.Context.Number(shared.FailedDays), "n", p.Context.Number(total)))
	if total == 0 {
		return part("rollout-failed", text.Failed, note, app.Elem("p").Class("quiet").Text(text.FailedNone))
	}
	return part("rollout-failed", text.Failed, note,
		p.renderBars("failed-reasons", text.ByReason, reasons), p.renderBars("failed-browsers", text.ByBrowser, browsers))
}

// renderEnrolled shows how soon invited users had a passkey.
func (p *RolloutPage) renderEnrolled() app.UI {
	text, e := p.Context.Text.Rollout, p.rollout.Enrolled
	if e == (shared.Enrolled{}) {
		return part("rollout-enrolled", text.Enrolled, nil, app.Elem("p").Class("quiet").Text(text.EnrolledNone))
	}
	return part("rollout-enrolled", text.Enrolled, nil, p.renderBars("enrolled", text.Enrolled, []barRow{
		{text.InHour, e.Hour}, {text.InDay, e.Day}, {text.InWeek, e.Week}, {text.InMonth, e.Month}, {text.Later, e.Later},
	}))
}

// renderNext says what to do next.
func (p *RolloutPage) renderNext() app.UI {
	text, users := p.Context.Text.Rollout, p.rollout.Users
	var rows []app.UI
	next := func(n int, what message.Counted, hint, filter string) {
		if n > 0 {
			rows = append(rows, app.Elem("li").Body(app.Elem("a").ID("next-"+filter).Class("row go").Attr("href", p.usersIn(filter)).Body(
				app.Elem("span").Class("row-text").Body(app.Elem("b").Text(p.Context.Count(what, n)), app.Elem("span").Class("note").Text(hint)),
				icon("right"),
			)))
		}
	}
	next(users.PasswordOnly, text.NextPassword, text.NextPasswordHint, shared.MembersPasswordOnly)
	next(users.OneDevice, text.NextOneDevice, text.NextOneDeviceHint, shared.MembersOneDevice)
	next(users.Invited, text.NextInvited, text.NextInvitedHint, shared.MembersInvited)
	return part("rollout-next", text.Next, nil,
		app.If(len(rows) > 0, func() app.UI { return app.Elem("ul").Class("rows").Body(rows...) }).
			Else(func() app.UI { return app.Elem("p").Class("quiet").Text(text.NextNothing) }))
}

// onExport saves the sign-ins of each day as a table.
func (p *RolloutPage) onExport(app.Context, app.Event) {
	browser.Download("sign-ins.csv", signInTable(p.rollout.Days))
}
