package e2e

import (
	"strings"
	"testing"
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
	ann.readsIn(".event .row-name", "A sign-in failed")
	ann.seesNo(".event .mark:not(.bad)")

	ann.opens("/audit?kind=failures&find=bob") // as a colleague does who was sent the address
	ann.reads("No such event in the last 7 days.")
	ann.clicks("#events-wider")
	ann.isAt("/audit?days=30&find=bob&kind=failures")
	ann.opens("/audit?find=carl")
	ann.reads("Nobody is called that.")
	ann.opens("/audit?kind=nothing")
	ann.reads("There is no such kind of event.")

	ann.opens("/audit?find=bob")
	ann.clicks("#events-export")
	ann.sees("#export-table")
	table := value[string](ann, `fetch(document.querySelector("#export-table").href).then((r) => r.text())`)
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != 2 || !strings.Contains(lines[1], ",account_created,") || !strings.Contains(lines[1], ",bob,") {
		t.Errorf("the table is\n%s", table)
	}
	ann.presses("\x1b")
	ann.seesNo("#export")
	ann.hasFocusOn("#events-export")
}
