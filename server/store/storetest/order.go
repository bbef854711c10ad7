package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func order(b *suite) {
	kinds := []shared.EventKind{shared.EventSignedIn, shared.EventPasskeyAdded, shared.EventSignInFailed}
	// write adds n events, of ten users and three kinds, each later than the one before.
	write := func(f *fixture, n int) (written []store.Event) {
		for i := range n {
			f.passes(time.Second)
			event := store.NewEvent(f.now(), UserID(i*7%10), kinds[i%3], store.Client{Browser: fmt.Sprint("b", i)})
			written = append(written, event)
			f.apply(store.AddEvent{Event: event})
		}
		slices.Reverse(written)
		return written
	}
	all := func(f *fixture, query store.EventQuery, limit int) (found []store.Event) {
		f.Helper()
		for {
			page, err := f.AllEvents(f.Context(), query, limit)
			f.fails("a page", err, nil)
			found = append(found, page...)
			if len(page) < limit {
				return found
			}
			query.Before = page[limit-1].Mark()
		}
	}
	b.claim("events of all users come newest first, in pages", func(f *fixture) {
		want := write(f, 700)
		f.same("in one", all(f, store.EventQuery{}, 1000), want)
		f.same("in pages", all(f, store.EventQuery{}, 13), want)
		some, err := f.AllEvents(f.Context(), store.EventQuery{}, 0)
		f.fails("none", err, nil)
		f.is("none", len(some), 0)
	})
	b.claim("events of all users come from a time on, and by kind", func(f *fixture) {
		want := write(f, 300)
		middle := want[150].Time
		f.same("from a time", all(f, store.EventQuery{Before: store.MarkOf(middle)}, 20), want[151:])
		f.same("from the next moment", all(f, store.EventQuery{Before: store.MarkOf(middle.Add(1))}, 20), want[150:])
		is := func(kinds ...shared.EventKind) (found []store.Event) {
			for _, event := range want {
				if slices.Contains(kinds, event.Kind) {
					found = append(found, event)
				}
			}
			return found
		}
		f.same("of a kind", all(f, store.EventQuery{Kinds: kinds[1:2]}, 7), is(kinds[1]))
		f.same("of two kinds", all(f, store.EventQuery{Kinds: kinds[:2]}, 7), is(kinds[0], kinds[1]))
		f.same("of a kind without any", all(f, store.EventQuery{Kinds: []shared.EventKind{shared.EventDisabled}}, 7), []store.Event(nil))
	})
	b.claim("events that come late, and events of one moment, have their place", func(f *fixture) {
		want := write(f, 200)
		early := store.NewEvent(want[100].Time.Add(time.Nanosecond), id3, shared.EventSignedIn, store.Client{})
		early.Time, early.Expires = want[100].Time, want[100].Expires
		twins := []store.Event{want[50], want[50]}
		twins[0].UserID, twins[1].UserID = UserID(98), UserID(99)
		f.apply(store.AddEvent{Event: early}, store.AddEvent{Event: twins[0]}, store.AddEvent{Event: twins[1]})
		want = slices.Insert(want, 100, early)
		want = slices.Insert(want, 50, twins[1], twins[0])
		f.same("all", all(f, store.EventQuery{}, 9), want)
	})
	b.claim("an event that is replaced stays in its place, also if its kind is another", func(f *fixture) {
		want := write(f, 200)
		for _, at := range []int{0, 199} {
			want[at].Count, want[at].Kind, want[at].Client.Browser = 5, shared.EventSignInFailed, "later"
			f.apply(store.AddEvent{Event: want[at]})
		}
		f.same("all", all(f, store.EventQuery{}, 30), want)
		f.is("by kind", slices.ContainsFunc(all(f, store.EventQuery{Kinds: kinds[2:]}, 30), func(v store.Event) bool { return v.ID == want[199].ID }), true)
	})
	b.claim("events of a user who was removed, and expired ones, are gone", func(f *fixture) {
		want := write(f, 200)
		f.apply(store.RemoveUser{ID: UserID(7)})
		want = slices.DeleteFunc(want, func(v store.Event) bool { return v.UserID == UserID(7) })
		f.same("after a removal", all(f, store.EventQuery{}, 30), want)
		f.passes(store.EventsKept - 100*time.Second)
		want = slices.DeleteFunc(want, func(v store.Event) bool { return !f.now().Before(v.Expires) })
		f.same("after some have expired", all(f, store.EventQuery{}, 30), want)
		f.passes(store.EventsKept)
		f.is("after all have", len(all(f, store.EventQuery{}, 30)), 0)
	})
}

func counts(b *suite) {
	counted := func(f *fixture, want store.Counts) {
		f.Helper()
		got, err := f.Counts(f.Context())
		f.fails("counting", err, nil)
		f.is("counts", got, want)
	}
	b.claim("an empty store counts nothing", func(f *fixture) { counted(f, store.Counts{}) })
	b.claim("users and passkeys count by their state", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()}, store.PutUser{User: store.User{ID: id3, Name: "carol"}})
		counted(f, store.Counts{
			store.CountWithPasskey: 2, store.CountInvited: 1, store.CountAdministrators: 1, store.CountSynced: 1, store.CountDeviceBound: 1,
			store.CountOneDevice: 1, store.CountGroup("it"): 1, store.CountGroup("sales"): 1, store.CountEnrolledLater: 1,
		})
		u := f.user(id1)
		u.Disabled = true
		f.apply(store.PutUser{User: u})
		u = f.user(id2)
		u.Password, u.Passkeys = "$argon2id$", nil
		f.apply(store.PutUser{User: u})
		counted(f, store.Counts{
			store.CountDisabled: 1, store.CountWithoutPasskey: 1, store.CountInvited: 1, store.CountAdministrators: 1, store.CountSynced: 1,
			store.CountPasswordOnly: 1, store.CountGroup("it"): 1, store.CountGroup("sales"): 1, store.CountEnrolledLater: 1,
		})
		f.apply(store.RemoveUser{ID: id1}, store.RemoveUser{ID: id2}, store.RemoveUser{ID: id3})
		counted(f, store.Counts{})
	})
	b.claim("users count by the time between their invitation and their first passkey", func(f *fixture) {
		for i, within := range []time.Duration{-time.Hour, time.Hour, time.Hour + 1000, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 31 * 24 * time.Hour} {
			f.apply(store.PutUser{User: store.User{ID: UserID(i), Name: fmt.Sprint(i), Invited: f.now(), FirstPasskey: f.now().Add(within)}})
		}
		f.apply(store.PutUser{User: store.User{ID: UserID(8), Name: "invited", Invited: f.now()}}, store.PutUser{User: store.User{ID: UserID(9), Name: "not invited", FirstPasskey: f.now()}})
		counted(f, store.Counts{
			store.CountInvited: 9, store.CountEnrolledHour: 2, store.CountEnrolledDay: 2, store.CountEnrolledWeek: 1, store.CountEnrolledMonth: 1, store.CountEnrolledLater: 1,
		})
	})
	b.claim("failed ceremonies count by day, reason and browser, and leave the count with their user or after a year", func(f *fixture) {
		fails := func(userID string, reason shared.FailureReason, browser string, count uint64) {
			event := store.NewEvent(f.now(), userID, shared.EventSignInFailed, store.Client{Browser: browser})
			event.Reason, event.Count = reason, count
			f.apply(store.AddEvent{Event: event})
		}
		first := f.now()
		for _, browser := range []string{"Firefox", "", "a stranger's 1", "a stranger's 2"} {
			fails(id1, shared.ReasonClosed, browser, 0)
		}
		fails(id2, shared.ReasonClosed, "Firefox", 40)
		fails(id2, "", "Firefox", 0)
		fails(id2, "unheard of", "Firefox", 0)
		f.passes(24 * time.Hour)
		second := f.now()
		fails(id2, shared.ReasonRemoved, "Samsung Browser", 0)
		want := store.Counts{
			store.CountFailed(first, shared.ReasonClosed, "Firefox"): 41, store.CountFailed(first, shared.ReasonClosed, ""): 3,
			store.CountFailed(second, shared.ReasonRemoved, "Samsung Browser"): 1,
		}
		counted(f, want)
		f.is("the list", len(want.Failed()), 3)
		f.is("of one day", slices.Contains(want.Failed(), store.Failed{Day: second.Format(time.DateOnly), Reason: shared.ReasonRemoved, Browser: "Samsung Browser", N: 1}), true)
		f.apply(store.RemoveUser{ID: id1})
		counted(f, store.Counts{store.CountFailed(first, shared.ReasonClosed, "Firefox"): 40, store.CountFailed(second, shared.ReasonRemoved, "Samsung Browser"): 1})
		f.passes(store.EventsKept - 24*time.Hour)
		counted(f, store.Counts{store.CountFailed(second, shared.ReasonRemoved, "Samsung Browser"): 1})
	})
	b.claim("sign-ins count by day and method, and leave the count with their user or after a year", func(f *fixture) {
		signIn := func(userID string, method store.Method) store.Event {
			event := store.NewEvent(f.now(), userID, shared.EventSignedIn, store.Client{})
			event.Method = method
			f.apply(store.AddEvent{Event: event}, store.AddEvent{Event: store.NewEvent(f.now(), userID, shared.EventSignedOut, store.Client{})})
			return event
		}
		first := f.now()
		signIn(id1, store.MethodPasskey)
		signIn(id1, store.MethodPasskey)
		again := signIn(id2, store.MethodPassword)
		f.apply(store.AddEvent{Event: again}) // replaces itself
		shared := signIn(id3, store.MethodSSO)
		shared.Count = 40 // stands for so many
		f.apply(store.AddEvent{Event: shared})
		counted(f, store.Counts{
			store.CountSignIns(first, store.MethodPasskey): 2, store.CountSignIns(first, store.MethodPassword): 1, store.CountSignIns(first, store.MethodSSO): 40,
		})
		f.apply(store.RemoveUser{ID: id3})
		f.passes(24 * time.Hour)
		second := f.now()
		signIn(id2, store.MethodPasskey)
		counted(f, store.Counts{
			store.CountSignIns(first, store.MethodPasskey): 2, store.CountSignIns(first, store.MethodPassword): 1, store.CountSignIns(second, store.MethodPasskey): 1,
		})
		late := again
		late.ID, late.UserID = store.NewEvent(first, id3, "", store.Client{}).ID, id3
		f.apply(store.AddEvent{Event: late}) // as a copy of a store does
		f.apply(store.RemoveUser{ID: id1})
		counted(f, store.Counts{store.CountSignIns(first, store.MethodPassword): 2, store.CountSignIns(second, store.MethodPasskey): 1})
		again.Method = store.MethodSSO
		f.apply(store.AddEvent{Event: again})
		counted(f, store.Counts{
			store.CountSignIns(first, store.MethodPassword): 1, store.CountSignIns(first, store.MethodSSO): 1, store.CountSignIns(second, store.MethodPasskey): 1,
		})
		f.passes(store.EventsKept - 24*time.Hour)
		counted(f, store.Counts{store.CountSignIns(second, store.MethodPasskey): 1})
		f.passes(24 * time.Hour)
		counted(f, store.Counts{})
	})
	b.claim("an earlier day counts on after the newest one has no sign-in any more", func(f *fixture) {
		signIn := func(userID string, at time.Time) {
			event := store.NewEvent(at, userID, shared.EventSignedIn, store.Client{})
			event.Method = store.MethodPasskey
			f.apply(store.AddEvent{Event: event})
		}
		for range 20 { // a backend may write the numbers of a batch in any order
			first := f.now()
			category := store.CountSignIns(first, store.MethodPasskey)
			signIn(id1, first)
			signIn(id2, first)
			f.passes(24 * time.Hour)
			signIn(id1, f.now())
			f.apply(store.RemoveUser{ID: id1}) // the only one on the newest day
			counted(f, store.Counts{category: 1})
			signIn(id3, first)
			counted(f, store.Counts{category: 2})
			f.apply(store.RemoveUser{ID: id2}, store.RemoveUser{ID: id3})
			counted(f, store.Counts{})
		}
	})
}

// same compares two lists of events, and shows the first difference only.
func (f *fixture) same(what string, got, want []store.Event) {
	f.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			f.Errorf("%s: event %d is %+v, want %+v", what, i, got[i], want[i])
			return
		}
	}
	f.is("number "+what, len(got), len(want))
}

// Consistent compares the order of all events and the counts of a store with all its records. It
// returns an error that names a difference.
func Consistent(ctx context.Context, s store.Store, now time.Time) error {
	var events []store.Event
	counts := store.Counts{}
	var users []store.User
	for _, kind := range []store.Kind{store.KindUser, store.KindEvent} {
		for after := []byte(nil); ; {
			page, err := s.Records(ctx, kind, after, 1000)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Key
			for _, record := range page {
				switch op := record.Op.(type) {
				case store.PutUser:
					users = append(users, op.User)
					for _, category := range op.User.Counted() {
						counts[category]++
					}
				case store.AddEvent:
					events = append(events, op.Event)
					if category, n := op.Event.Counted(); category != "" && store.IsCounted(category, now) {
						counts[category] += n
					}
				}
			}
		}
	}
	got, err := s.Counts(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(got, counts) {
		return fmt.Errorf("counts %v, want %v", got, counts)
	}
	if err := listsRightly(ctx, s, users); err != nil {
		return err
	}
	slices.SortFunc(events, func(a, b store.Event) int { return b.Mark().Compare(a.Mark()) })
	for query := (store.EventQuery{}); ; {
		page, err := s.AllEvents(ctx, query, 1000)
		if err != nil {
			return err
		}
		if len(page) == 0 && len(events) > 0 || len(page) > len(events) {
			return fmt.Errorf("the order of all events has another length: %d are left, and a page has %d", len(events), len(page))
		}
		if len(page) == 0 {
			return nil
		}
		for i, event := range page {
			if event.Mark() != events[i].Mark() {
				return fmt.Errorf("in the order of all events %v is in the place of %v", event, events[i])
			}
		}
		events, query.Before = events[len(page):], page[len(page)-1].Mark()
	}
}
