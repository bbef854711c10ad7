package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// The sign-ins of the last days, as lines and as a table. Each is the average of seven days, so that
// weekends don't make saws.

// signInMethods are the methods with a column in an export, and the line that each is part of.
var signInMethods = []struct {
	method string
	line   int
}{
	{shared.MethodPasskey, 0}, {shared.MethodPassword, 1}, {shared.MethodSSO, 2}, {shared.MethodRecoveryCode, 3}, {shared.MethodSetupLink, 3},
}

// curve is the sign-ins by one method, or by several.
type curve struct {
	label string
	kind  int       // its place in signInMethods, for its look
	days  []float64 // averages, the oldest first
}

// last is the average of the last seven days.
func (l curve) last() int { return rounded(l.days[len(l.days)-1]) }

func rounded(x float64) int { return int(x + 0.5) }

// averagedOver is how many days an average is about.
const averagedOver = 7

// lines returns the averages, and the day of the first of them. They end yesterday, since today isn't
// over. There are none before a week has passed.
func (p *RolloutPage) lines() (lines []curve, first time.Time) {
	days, text := p.rollout.Days, p.Context.Text.Rollout
	if len(days) == 0 {
		return nil, first
	}
	begin, err := time.Parse(time.DateOnly, days[0].Day)
	end := p.rollout.Counted.UTC().Truncate(24 * time.Hour) // not with it
	n := int(end.Sub(begin) / (24 * time.Hour))
	if err != nil || n < averagedOver {
		return nil, first
	}
	sums := make([][]int, 4)
	for i := range sums {
		sums[i] = make([]int, n)
	}
	for _, day := range days {
		at, err := time.Parse(time.DateOnly, day.Day)
		if i := int(at.Sub(begin) / (24 * time.Hour)); err == nil && i < n {
			for _, m := range signInMethods {
				sums[m.line][i] += day.Methods[m.method]
			}
		}
	}
	for kind, name := range []string{text.Passkey, p.Context.Text.Users.Password, text.Provider, text.Others} {
		averages := averaged(sums[kind])
		if kind < 2 || slices.Max(averages) > 0 {
			lines = append(lines, curve{name, kind, averages})
		}
	}
	return lines, begin.AddDate(0, 0, averagedOver-1)
}

// averaged returns for each day, from the seventh on, the average of the seven that end with it.
func averaged(days []int) (averages []float64) {
	sum := 0
	for i, n := range days {
		sum += n
		if i >= averagedOver {
			sum -= days[i-averagedOver]
		}
		if i >= averagedOver-1 {
			averages = append(averages, float64(sum)/averagedOver)
		}
	}
	return averages
}

func (p *RolloutPage) renderDays() app.UI {
	text := p.Context.Text.Rollout
	lines, first := p.lines()
	if len(lines) == 0 {
		return part("rollout-days", text.Days, nil, app.Elem("p").Class("quiet").Text(text.Soon))
	}
	top := topOf(lines)
	return part("rollout-days", text.Days, app.Elem("p").Class("note").Text(text.DaysLead),
		app.Elem("div").Class("card").Body(
			app.Elem("ul").ID("rollout-days-keys").Class("tools").Body(app.Range(lines).Slice(func(i int) app.UI {
				return app.Elem("li").Class("key").Body(app.Raw(stroke(lines[i].kind)), app.Text(lines[i].label+" "+p.Context.Number(lines[i].last())))
			})),
			app.Elem("div").Class("plain").Body(
				app.Elem("p").Class("note").Aria("hidden", "true").Text(p.Context.Number(top)),
				app.Raw(drawnLines(lines, top)),
				p.renderAxis(first, len(lines[0].days)),
			),
			app.Elem("details").ID("days-table").Class("fold").Body(
				app.Elem("summary").Body(app.Elem("span").Text(text.AsTable), app.Elem("span").Class("turn").Body(icon("down"))),
				p.renderWeeks(lines, first),
			),
		),
	)
}

// renderAxis writes some dates below the lines.
func (p *RolloutPage) renderAxis(first time.Time, n int) app.UI {
	var dates []app.UI
	for i := range 4 {
		date, _ := p.Context.Date(noon(first, (n-1)*i/3))
		if i == 0 || i == 3 || n > 21 {
			dates = append(dates, app.Elem("span").Text(date))
		}
	}
	return app.Elem("div").Class("axis note").Aria("hidden", "true").Body(dates...)
}

// noon returns the middle of a day in UTC, which has the same date nearly everywhere.
func noon(first time.Time, days int) time.Time {
	return first.AddDate(0, 0, days).Add(12 * time.Hour)
}

// renderWeeks writes the same as a table, with a row for each week.
func (p *RolloutPage) renderWeeks(lines []curve, first time.Time) app.UI {
	text := p.Context.Text.Rollout
	head := []app.UI{app.Elem("th").Attr("scope", "col").Text(text.Until)}
	for _, l := range lines {
		head = append(head, app.Elem("th").Attr("scope", "col").Text(l.label))
	}
	var rows []app.UI
	n := len(lines[0].days)
	for day := (n - 1) % averagedOver; day < n; day += averagedOver {
		date, _ := p.Context.Date(noon(first, day))
		cells := []app.UI{app.Elem("th").Attr("scope", "row").Text(date)}
		for _, l := range lines {
			cells = append(cells, app.Elem("td").Text(p.Context.Number(rounded(l.days[day]))))
		}
		rows = append(rows, app.Elem("tr").Body(cells...))
	}
	return app.Elem("div").Class("scrolls").TabIndex(0).Attr("role", "region").Aria("label", text.Days).Body(app.Elem("table").Body(
		app.Elem("caption").Class("spoken").Text(text.Days+". "+text.DaysLead),
		app.Elem("thead").Body(app.Elem("tr").Body(head...)),
		app.Elem("tbody").Body(rows...),
	))
}

// topOf returns a round number that no line goes above.
func topOf(lines []curve) int {
	most := 1.0
	for _, l := range lines {
		most = max(most, slices.Max(l.days))
	}
	for ten := 1; ; ten *= 10 {
		for _, top := range []int{ten, 2 * ten, 4 * ten, 5 * ten} {
			if float64(top) >= most {
				return top
			}
		}
	}
}

// The drawings are made of numbers only, so their markup may be raw.

const (
	plotWidth, plotHeight = 720, 200
	svgStart              = `<svg aria-hidden="true" preserveAspectRatio="none" `
)

// dashes are how lines differ besides their colours.
var dashes = []string{"", "", ` stroke-dasharray="2 5"`, ` stroke-dasharray="10 4 2 4"`}

func drawnLines(lines []curve, top int) string {
	var b strings.Builder
	fmt.Fprintf(&b, svgStart+`class="plot" viewBox="0 0 %d %d"><path class="s3" d="M0 0H%[1]dM0 %[3]dH%[1]dM0 %[2]dH%[1]d"/>`, plotWidth, plotHeight, plotHeight/2)
	for i := len(lines) - 1; i >= 0; i-- { // the passkeys are on top
		l, points := lines[i], make([]string, 0, len(lines[i].days))
		for day, n := range l.days {
			x := plotWidth
			if len(l.days) > 1 {
				x = plotWidth * day / (len(l.days) - 1)
			}
			points = append(points, strconv.Itoa(x)+","+strconv.Itoa(plotHeight-rounded(n*plotHeight/float64(top))))
		}
		if len(points) == 1 {
			points = append([]string{"0," + strings.Split(points[0], ",")[1]}, points...)
		}
		fmt.Fprintf(&b, `<polyline class="%s" stroke-width="2.5"%s points="%s"/>`, colourOf(l.kind), dashes[l.kind], strings.Join(points, " "))
	}
	return b.String() + "</svg>"
}

func colourOf(kind int) string { return "s" + strconv.Itoa(min(kind, 1)+1) }

// stroke draws the look of a line, for its label.
func stroke(kind int) string {
	return `<svg class="glyph ` + colourOf(kind) + `" aria-hidden="true" viewBox="0 0 24 24"><path fill="none" stroke="currentColor" stroke-width="3"` + strings.ReplaceAll(dashes[kind], "2 5", "3 4") + ` d="M0 12h24"/></svg>`
}

// drawnBar draws the parts of a whole, with a gap between them.
func drawnBar(pieces []piece) string {
	all := 0
	for _, piece := range pieces {
		all += piece.n
	}
	var b strings.Builder
	b.WriteString(svgStart + `class="share" viewBox="0 0 1000 10">`)
	at := 0
	for i, piece := range pieces {
		if piece.n > 0 {
			from, to := 1000*at/all, 1000*(at+piece.n)/all
			fmt.Fprintf(&b, `<path class="s%d" d="M%d 0h%dv10h-%[3]dz"/>`, i+1, from, max(to-from-4, 2))
		}
		at += piece.n
	}
	return b.String() + "</svg>"
}

// swatch draws the colour of a part.
func swatch(i int) string {
	return `<svg class="glyph s` + strconv.Itoa(i+1) + `" aria-hidden="true" viewBox="0 0 24 24"><path fill="currentColor" d="M6 6h12v12H6z"/></svg>`
}

// drawnLength draws a number as a bar.
func drawnLength(n, most int) string {
	return fmt.Sprintf(svgStart+`class="share" viewBox="0 0 1000 10"><path class="s1" d="M0 0h%dv10H0z"/></svg>`, 1000*n/most)
}

// sorted puts the greatest numbers first.
func sorted(rows []barRow) { slices.SortStableFunc(rows, func(a, b barRow) int { return b.n - a.n }) }

// signInTable writes the sign-ins of each day as CSV.
func signInTable(days []shared.SignInDay) string {
	head := []string{"day"}
	for _, m := range signInMethods {
		head = append(head, m.method)
	}
	table := shared.TableRow(head...)
	for _, day := range days {
		cells := []string{day.Day}
		for _, m := range signInMethods {
			cells = append(cells, strconv.Itoa(day.Methods[m.method]))
		}
		table += shared.TableRow(cells...)
	}
	return table
}
