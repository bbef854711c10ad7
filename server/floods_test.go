package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// everyPage is all of somebody's activity.
func (v *visitor) everyPage() (events []shared.Event) {
	v.Helper()
	for before := ""; ; {
		page := into[shared.Activity](v, v.sends("GET", shared.PathActivity+"?before="+before, nil), 200)
		events = append(events, page.Events...)
		if before = page.Next; before == "" {
			return events
		}
	}
}

func TestFloodOfFailures(t *testing.T) {
	const flood = 1000
	address := func(i int) string { return fmt.Sprintf("198.51.%d.%d", i/250, i%250) }
	onEveryStoreScene(t, func(s *scene) {
		codes := s.makesCodes(s.ann)
		before := len(s.ann.everyPage())
		n, began := s.writes.count(), time.Now()
		page := s.config.Live.Listen(s.record(s.ann).ID, "")
		woken := 0
		wakes := func() {
			select {
			case <-page.C:
				woken++
			default:
			}
		}

		answers := map[int]int{}
		for i := range flood {
			answers[s.visitor().recovers("ann", fmt.Sprintf("AAAAA-%05d", i), from(address(i))).status]++
			wakes()
			s.visitor().guesses("ann", "wrong", from(address(i)))
			wakes()
		}
		page.Close()
		if most := 1 + int(time.Since(began)/(5*time.Second)); woken > most {
			t.Errorf("an open page was woken %d times, want at most %d", woken, most)
		}
		// The limit is for wrong codes; a right one is taken, from a browser that nobody knows.
		if answers[401] != 100 || answers[429] != flood-100 {
			t.Errorf("answers to wrong codes: %v", answers)
		}
		stranded := s.visitor()
		into[shared.SignedIn](stranded, stranded.recovers("ann", codes[0], from("203.0.113.9")), 200)
		stranded.refused(stranded.recovers("ann", "AAAAA-AAAAA", from("203.0.113.9")), 401, shared.CodeSignInRefused) // known by now

		// What is written is not by the failure, and so no page is woken by each.
		written := slices.DeleteFunc(s.writes.since(n), func(op store.Op) bool {
			add, is := op.(store.AddEvent)
			return !is || add.Event.Kind != shared.EventSignInFailed
		})
		if most := 2 * (1 + int(time.Since(began)/(5*time.Second))); len(written) > most {
			t.Errorf("%d writes tell of failures, want at most %d", len(written), most)
		}

		s.accounts.Failures.Flush(t.Context())
		events := s.ann.everyPage()
		failed := map[string]uint64{}
		for _, e := range events {
			if e.Kind == shared.EventSignInFailed {
				failed[e.Method] += max(1, e.Count)
				if e.Count > 1 && (e.Last == nil || e.Address == "") {
					t.Errorf("a line of several says %+v", e)
				}
			}
		}
		if len(events)-before != 3 { // the two, and the sign-in
			t.Errorf("the activity has %d more lines: %+v", len(events)-before, events)
		}
		if failed["recovery_code"] != 101 || failed["password"] != 10 {
			t.Errorf("the lines count %v", failed)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann, bob := s.user("ann"), s.user("bob")
		first, used := s.visitor(), s.visitor()
		for _, v := range []*visitor{first, used} {
			s.passes(time.Second)
			v.name = "ann"
			v.signsInWithPassword()
		}
		s.passes(2 * time.Hour) // so that a use is noted
		into[shared.Account](used, used.sends("GET", shared.PathAccount, nil), 200)
		for range 99 {
			s.passes(time.Second)
			v := s.visitor()
			v.name = "ann"
			v.signsInWithPassword()
		}

		list := into[shared.SessionList](used, used.sends("GET", shared.PathSessions, nil), 200)
		if len(list.Sessions) != 100 {
			t.Errorf("%d sessions, want 100", len(list.Sessions))
		}
		for _, v := range []*visitor{ann, first} {
			v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		}
		into[shared.Account](bob, bob.sends("GET", shared.PathAccount, nil), 200)
	})
}
