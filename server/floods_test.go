package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
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

		s.accounts.Activity().Flush(t.Context())
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

// TestFloodOfSuccesses runs a program that is signed in as Ann and changes things all day.
// She still sees how it began and that it goes on, and the file grows by a little.
func TestFloodOfSuccesses(t *testing.T) {
	const flood = 300
	onEveryStore(t, func(s *site) {
		ann, bob := s.user("ann"), s.user("bob")
		stays := ann.registers("stays")
		before := ann.everyPage()
		lines := s.count(store.KindEvent)

		for i := range flood {
			s.passes(time.Second)
			into[shared.Passkey](ann, ann.sends("PATCH", shared.PathPasskey+stays.ID, shared.RenamePasskey{Name: fmt.Sprint("name ", i)}), 200)
		}
		tell := func() (renames, all int, counted uint64, newest shared.Event) {
			events := ann.everyPage()
			for _, e := range events {
				if e.Kind != shared.EventPasskeyRenamed {
					continue
				}
				renames++
				counted += max(1, e.Count)
				if newest.ID == "" {
					newest = e
				}
			}
			return renames, len(events), counted, newest
		}
		renames, all, counted, newest := tell()
		if renames != 51 || all != len(before)+51 || counted != flood {
			t.Errorf("the activity has %d lines, %d of renames, which count %d", all, renames, counted)
		}
		if newest.Count != flood-50 || newest.Last == nil || newest.Passkey != fmt.Sprint("name ", flood-1) {
			t.Errorf("the newest line says %+v", newest)
		}
		if grown := s.count(store.KindEvent) - lines; grown != 51 {
			t.Errorf("the store has %d more events", grown)
		}
		t.Run("others have lines of their own, and she on the next day", func(t *testing.T) {
			his := bob.registers("his")
			s.passes(time.Second)
			into[shared.Passkey](bob, bob.sends("PATCH", shared.PathPasskey+his.ID, shared.RenamePasskey{Name: "mine"}), 200)
			if e := bob.everyPage()[0]; e.Kind != shared.EventPasskeyRenamed || e.Count != 0 {
				t.Errorf("Bob's line says %+v", e)
			}
			s.passes(24 * time.Hour)
			ann.signsInWithPassword()
			s.passes(time.Second)
			into[shared.Passkey](ann, ann.sends("PATCH", shared.PathPasskey+stays.ID, shared.RenamePasskey{Name: "morning"}), 200)
			if e := ann.everyPage()[0]; e.Kind != shared.EventPasskeyRenamed || e.Count != 0 || e.Passkey != "morning" {
				t.Errorf("her line says %+v", e)
			}
		})
	})
}

// TestFloodOfSuccessesAtAHost runs a program that signs in all day, where the host keeps
// the sessions.
func TestFloodOfSuccessesAtAHost(t *testing.T) {
	const flood = 120
	onEveryStoreOfAHost(t, func(s *site, host *crib) {
		ann := s.hostUser(host, "1")
		ann.registers("hers")
		lines := s.count(store.KindEvent)
		for range flood {
			s.passes(time.Second)
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
		}
		if grown := s.count(store.KindEvent) - lines; grown != 51 {
			t.Errorf("%d sign-ins left %d lines, want 51", flood, grown)
		}
	})
}

// TestFloodOfPasskeys runs a program that adds and removes passkeys. Each leaves a
// tombstone.
func TestFloodOfPasskeys(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann, bob := s.user("ann"), s.user("bob")
		ann.device = passkeytest.New(origin)
		last := ann.registers("last")
		removes := func(id string) {
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+id, nil), 200)
		}
		for range 199 { // two hundred at once, which the limiter has
			removes(last.ID)
			ann.device = passkeytest.New(origin)
			last = ann.registers("next")
		}
		refused := ann.sends("POST", shared.PathRegisterBegin, nil)
		ann.refused(refused, 429, shared.CodeTooManyAttempts)
		if wait := ann.waits(refused); wait <= 0 || wait > 2*time.Minute {
			t.Errorf("she waits %s", wait)
		}
		// Nobody else waits, and all that isn't adding goes on.
		bob.registers("his")
		into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
		removes(last.ID)
		s.passes(2 * time.Minute)
		ann.signsInWithPassword()
		ann.device = passkeytest.New(origin)
		ann.registers("later")
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 429, shared.CodeTooManyAttempts)
	})
}
