package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func sessions(b *suite) {
	full := func(f *fixture) store.Session {
		return store.Session{
			ID: store.HashOf("a"), UserID: "1", Method: store.MethodPasskey, PasskeyID: "p1",
			Client:  store.Client{Browser: "Chrome", System: "Linux", Address: "::1", Mark: "0123456789abcdef"},
			Created: f.now(), Seen: f.now(), Authenticated: f.now(), Expires: f.now().Add(time.Hour),
		}
	}
	b.claim("a session comes back whole until it ends", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		got, err := f.Session(f.Context(), store.HashOf("a"))
		f.fails("reading", err, nil)
		f.is("session", got, full(f))
		f.apply(store.EndSession{ID: got.ID})
		_, err = f.Session(f.Context(), got.ID)
		f.fails("after its end", err, store.ErrNotFound)
		f.apply(store.EndSession{ID: got.ID}) // ending it again is nothing
	})
	b.claim("a session comes with its user, or not at all", func(f *fixture) {
		session := full(f)
		f.apply(store.AddSession{Session: session})
		_, _, err := f.SessionUser(f.Context(), session.ID)
		f.fails("without a user", err, store.ErrNotFound)
		f.apply(store.PutUser{User: ann()})
		got, owner, err := f.SessionUser(f.Context(), session.ID)
		f.fails("reading", err, nil)
		f.is("session", got, session)
		f.is("user", owner, f.user("1"))
		_, _, err = f.SessionUser(f.Context(), store.HashOf("b"))
		f.fails("another id", err, store.ErrNotFound)
		f.passes(time.Hour)
		_, _, err = f.SessionUser(f.Context(), session.ID)
		f.fails("after its end", err, store.ErrNotFound)
	})
	b.claim("a session that has expired is not found", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		f.passes(time.Hour - time.Microsecond)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("just before", err, nil)
		f.passes(time.Microsecond)
		_, err = f.Session(f.Context(), s.ID)
		f.fails("on time", err, store.ErrNotFound)
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		s.Expires = f.now().Add(time.Hour)
		f.apply(store.AddSession{Session: s}) // its place is free
	})
	b.claim("where there is room for some only, the least recently seen make it", func(f *fixture) {
		add := func(id string, userID string, most int) {
			f.passes(time.Second)
			s := full(f)
			s.ID, s.UserID = store.HashOf(id), userID
			f.apply(store.AddSession{Session: s, Most: most})
		}
		left := func(userID string) (ids []string) {
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "hers"} {
				if s, err := f.Session(f.Context(), store.HashOf(id)); err == nil && s.UserID == userID {
					ids = append(ids, id)
				}
			}
			return ids
		}
		add("hers", "2", 3)
		add("a", "1", 0)
		add("b", "1", 3)
		add("c", "1", 3)
		f.is("with room", left("1"), []string{"a", "b", "c"})

		f.passes(time.Second)
		seen, err := f.Session(f.Context(), store.HashOf("a"))
		f.fails("reading", err, nil)
		seen.Seen = f.now()
		f.apply(store.ReplaceSession{Old: seen.ID, Session: seen})
		add("d", "1", 3)
		f.is("with one too many", left("1"), []string{"a", "c", "d"})
		add("e", "1", 0)
		f.is("without a bound", left("1"), []string{"a", "c", "d", "e"})
		add("f", "1", 3)
		f.is("with two too many", left("1"), []string{"d", "e", "f"})
		add("g", "1", 1)
		f.is("with room for one", left("1"), []string{"g"})
		f.is("of somebody else", left("2"), []string{"hers"})

		listed, err := f.Sessions(f.Context(), "1", store.Hash{}, 9)
		f.fails("listing", err, nil)
		f.is("listed", len(listed), 1)
	})
	b.claim("a session id is given once", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		f.refuses(store.ErrSessionExists, store.AddSession{Session: full(f)})
	})
	b.claim("a replaced session has its new id only", func(f *fixture) {
		old := full(f)
		f.apply(store.AddSession{Session: old})
		fresh := old
		fresh.ID = store.HashOf("b")
		f.apply(store.ReplaceSession{Old: old.ID, Session: fresh})
		_, err := f.Session(f.Context(), old.ID)
		f.fails("the old id", err, store.ErrNotFound)
		got, err := f.Session(f.Context(), fresh.ID)
		f.fails("the new id", err, nil)
		f.is("the new session", got, fresh)
		listed, _ := f.Sessions(f.Context(), "1", store.Hash{}, 9)
		f.is("listed", listed, []store.Session{fresh})
	})
	b.claim("a session replaced by itself lives longer", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		s.Expires = s.Expires.Add(time.Hour)
		f.apply(store.ReplaceSession{Old: s.ID, Session: s})
		f.passes(90 * time.Minute)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("after its first end", err, nil)
	})
	b.claim("a session that was ended can't be replaced back to life, nor another's place be taken", func(f *fixture) {
		s, other := full(f), full(f)
		other.ID = store.HashOf("other")
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		f.apply(store.AddSession{Session: s}, store.AddSession{Session: other})
		f.refuses(store.ErrSessionExists, store.ReplaceSession{Old: s.ID, Session: other})
	})
	b.claim("all of a user's sessions end but the one excepted, or those of one passkey", func(f *fixture) {
		add := func(token, user, passkey string) store.Hash {
			s := full(f)
			s.ID, s.UserID, s.PasskeyID = store.HashOf(token), user, passkey
			f.apply(store.AddSession{Session: s})
			return s.ID
		}
		lives := func(id store.Hash) bool {
			_, err := f.Session(f.Context(), id)
			return err == nil
		}
		mine, p1, p2, hers := add("mine", "1", ""), add("p1", "1", "p1"), add("p2", "1", "p2"), add("hers", "2", "p1")
		f.apply(store.EndSessions{UserID: "1", Passkey: "p1"})
		f.is("lives", []bool{lives(mine), lives(p1), lives(p2), lives(hers)}, []bool{true, false, true, true})
		f.apply(store.EndSessions{UserID: "1", Except: mine})
		f.is("lives", []bool{lives(mine), lives(p2), lives(hers)}, []bool{true, false, true})
		f.apply(store.EndSessions{UserID: "1"})
		f.is("lives", []bool{lives(mine), lives(hers)}, []bool{false, true})
	})
}

func events(b *suite) {
	b.claim("events come back whole, newest first, in pages, one user's only", func(f *fixture) {
		var want []store.Event
		for i := range 5 {
			f.passes(time.Minute)
			event := store.NewEvent(f.now(), "1", shared.EventPasskeyAdded, store.Client{Browser: "Firefox", System: "Linux", Address: "::1", Mark: "0123456789abcdef"})
			event.Method, event.PasskeyID, event.Passkey = store.MethodPasskey, "p1", fmt.Sprint("name ", i)
			want = append(want, event)
			f.apply(store.AddEvent{Event: event}, store.AddEvent{Event: store.NewEvent(f.now(), "10", shared.EventSignedIn, store.Client{})},
				store.AddEvent{Event: store.NewEvent(f.now(), "0", shared.EventSignedIn, store.Client{})})
		}
		slices.Reverse(want)
		var got []store.Event
		for before := (store.EventID{}); ; {
			page, err := f.Events(f.Context(), "1", before, 2)
			f.fails("a page", err, nil)
			got = append(got, page...)
			if len(page) < 2 {
				break
			}
			before = page[len(page)-1].ID
		}
		f.is("events", got, want)
	})
	b.claim("an event takes the place of the one with its id", func(f *fixture) {
		first := store.NewEvent(f.now(), "1", shared.EventSignInFailed, store.Client{Address: "::1"})
		hers := store.NewEvent(f.now(), "2", shared.EventSignInFailed, store.Client{})
		hers.ID = first.ID
		f.apply(store.AddEvent{Event: first}, store.AddEvent{Event: hers})
		merged := first
		merged.Count, merged.Last, merged.Client.Address = 12, f.now().Add(time.Minute), "::2"
		merged.Expires = first.Expires.Add(time.Hour)
		f.apply(store.AddEvent{Event: merged})

		got, err := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.fails("listing", err, nil)
		f.is("events", got, []store.Event{merged})
		got, _ = f.Events(f.Context(), "2", store.EventID{}, 9)
		f.is("of somebody else", got, []store.Event{hers})

		f.passes(store.EventsKept) // which goes by the later time
		got, _ = f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(got), 1)
	})
	b.claim("an event that has expired is not listed", func(f *fixture) {
		f.apply(store.AddEvent{Event: store.NewEvent(f.now(), "1", shared.EventSignedIn, store.Client{})})
		f.passes(store.EventsKept)
		got, err := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(got), 0)
		f.fails("listing", err, nil)
	})
}
