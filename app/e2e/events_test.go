package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestEvents: an administrator finds what happened in the organisation, sends a colleague what is shown,
// and exports it.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	stranger := openBrowser(t, s)
	stranger.triesPassword("ann", "not the password")
	ann.opensUsers()
	const day = `(() => { const d = new Date(); return [d.getFullYear(), d.getMonth() + 1, d.getDate()].map((n) => String(n).padStart(2, "0")).join("-") })()`
	begin := value[string](ann, day)
	ann.invites("bob", "Bob Smith")
	ann.clicks(`.tabs a[href="/audit"]`)
	ann.isAt("/audit")
	ann.readsIn("h1", "Events")
	ann.readsIn(".event .note", "Bob Smith, by Ann Admin")
	ann.reads("A sign-in failed") // live

	ann.clicks(".event summary")
	ann.reads("Ann Admin (ann)")
	value[bool](ann, `(() => { const kind = document.querySelector("#events-kind"); kind.value = "failures"; return kind.dispatchEvent(new Event("change", { bubbles: true })) })()`)
	ann.isAt("/audit?kind=failures")
	ann.showsChoice("#events-kind", "Failures")
	ann.showsChoice("#events-by", "By anybody")
	ann.showsChoice("#events-days", "Last 7 days")
	ann.readsIn(".event .row-name", "A sign-in failed")
	ann.seesNo(".event .mark:not(.warn)")

	ann.opens("/audit?kind=failures&find=bob") // as a colleague does who was sent the address
	ann.reads("No such event in the last 7 days.")
	ann.clicks("#events-wider")
	ann.isAt("/audit?days=30&find=bob&kind=failures")
	ann.showsChoice("#events-days", "Last 30 days")
	ann.showsChoice("#events-kind", "Failures")
	ann.chooses("#events-days", "Dates")
	ann.isAt("/audit?days=dates&find=bob&kind=failures")
	today := value[string](ann, day)
	ann.sets("#events-from", today)
	ann.isAt("/audit?days=dates&find=bob&from=" + today + "&kind=failures")
	ann.reads("No such event on these days.")
	ann.opens("/audit?days=dates&from=" + begin + "&to=" + today)
	ann.waitsFor("the dates of the address", `document.querySelector("#events-to")?.value === `+quoted(today))
	ann.readsIn(".event .note", "Bob Smith, by Ann Admin")
	ann.sets("#events-to", "2026-01-01")
	ann.reads("These times are the wrong way round: the first must be before the second.")
	ann.opens("/audit?days=dates&from=yesterday")
	ann.reads("This is no time.")
	ann.opens("/audit?find=carl")
	ann.reads("Nobody is called that.")
	ann.opens("/audit?kind=nothing")
	ann.reads("There is no such kind of event.")

	ann.opens("/audit?kind=invited&days=14")
	ann.showsChoice("#events-kind", "invited") // what has no text of its own
	ann.showsChoice("#events-days", "14")

	ann.opens("/audit?find=bob")
	ann.clicks(".event summary")
	ann.clicks(`.event dd a[href^="/users/"]:has(bdi)`)
	ann.readsIn("h1 bdi", "Ann Admin")
	ann.goes("back")
	ann.isAt("/audit?find=bob")
	ann.clicks("#events-export")
	ann.sees("#export-table")
	table := value[string](ann, `fetch(document.querySelector("#export-table").href).then((r) => r.text())`)
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != 2 || !strings.Contains(lines[1], ",account_created,") || !strings.Contains(lines[1], ",bob,") {
		t.Errorf("the table is\n%s", table)
	}
	ann.presses("\x1b")
	ann.seesNo("#export")
	ann.hasFocusOn("#events-export")

	s.command(t, "", "user", "disable", "bob")
	ann.opens("/audit?kind=signed_in")
	ann.showsChoice("#events-kind", "Signed in")
	ann.opens("/audit?by=command-line")
	ann.readsIn(".event .note", "Bob Smith, by the command line")
}

// sets changes an input of a kind that has a dialog of the browser's own.
func (b *browser) sets(selector, to string) {
	b.t.Helper()
	b.sees(selector)
	value[bool](b, `(() => { const e = document.querySelector(`+quoted(selector)+`); e.value = `+quoted(to)+`; return e.dispatchEvent(new Event("change", { bubbles: true })) })()`)
}

// TestDaysOfTheReader has the days of the filter begin when they begin where the reader is, in summer and
// in winter.
func TestDaysOfTheReader(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	if _, err := chromedp.Call(ann.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"}); err != nil {
		t.Fatal(err)
	}
	ann.setsUp()
	for _, days := range [][2]string{{"2026-01-15", "2026-01-16"}, {"2026-07-15", "2026-07-16"}, {"2026-03-28", "2026-03-29"}, {"2026-10-25", "2026-10-26"}} {
		ann.opens("/audit?days=dates&from=" + days[0] + "&to=" + days[0])
		ann.waitsFor("the events of "+days[0], `(async () => {
			const begins = (day) => new Date(day + "T00:00").toISOString().replace(".000", "");
			const asked = [...performance.getEntriesByType("resource").map((e) => e.name), ...Object.keys(JSON.parse(await keypegArrives))]
				.map((address) => new URL(address, location)).filter(({ pathname }) => pathname === "/api/v1/audit");
			return asked.length && asked.every(({ searchParams }) => searchParams.get("from") === begins(`+quoted(days[0])+`) && searchParams.get("to") === begins(`+quoted(days[1])+`));
		})()`)
	}
	ann.hasNoComplaints()
}
