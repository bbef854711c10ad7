package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func events(b *suite) {
	b.claim("events come back whole, newest first, in pages, one user's only", func(f *fixture) {
		var want []store.Event
		for i := range 5 {
			f.passes(time.Minute)
			event := store.NewEvent(f.now(), id1, shared.EventPasskeyAdded, store.Client{Browser: "Firefox", System: "Linux", Address: "::1", Mark: "0123456789abcdef"})
			event.Method, event.PasskeyID, event.Passkey = store.MethodPasskey, "p1", fmt.Sprint("name ", i)
			event.Provider, event.By, event.About, event.Reason, event.Change, event.Program = "Google", id2, id3, shared.ReasonRemoved, "+group:sales", "Grafana"
			want = append(want, event)
			f.apply(store.AddEvent{Event: event}, store.AddEvent{Event: store.NewEvent(f.now(), id10, shared.EventSignedIn, store.Client{})},
				store.AddEvent{Event: store.NewEvent(f.now(), id0, shared.EventSignedIn, store.Client{})})
		}
		slices.Reverse(want)
		var got []store.Event
		for before := (store.EventID{}); ; {
			page, err := f.Events(f.Context(), id1, before, 2)
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
		first := store.NewEvent(f.now(), id1, shared.EventSignInFailed, store.Client{Address: "::1"})
		hers := store.NewEvent(f.now(), id2, shared.EventSignInFailed, store.Client{})
		hers.ID = first.ID
		f.apply(store.AddEvent{Event: first}, store.AddEvent{Event: hers})
		merged := first
		merged.Count, merged.Last, merged.Client.Address = 12, f.now().Add(time.Minute), "::2"
		merged.Expires = first.Expires.Add(time.Hour)
		f.apply(store.AddEvent{Event: merged})

		got, err := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.fails("listing", err, nil)
		f.is("events", got, []store.Event{merged})
		got, _ = f.Events(f.Context(), id2, store.EventID{}, 9)
		f.is("of somebody else", got, []store.Event{hers})

		f.passes(store.EventsKept) // which goes by the later time
		got, _ = f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(got), 1)
	})
	b.claim("an event that has expired is not listed", func(f *fixture) {
		f.apply(store.AddEvent{Event: store.NewEvent(f.now(), id1, shared.EventSignedIn, store.Client{})})
		f.passes(store.EventsKept)
		got, err := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(got), 0)
		f.fails("listing", err, nil)
	})
}
