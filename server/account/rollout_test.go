package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestRollout signs people in on known days.
func TestRollout(t *testing.T) {
	w := newWorld(t)
	ann := w.add("ann")
	signsIn := func(times int) {
		t.Helper()
		for range times {
			if _, err := w.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: "ann", Password: password}); err != nil {
				t.Fatal(err)
			}
		}
	}
	signsIn(3)
	first := w.now().UTC().Format(time.DateOnly)
	w.passes(24 * time.Hour)
	signsIn(2)
	r, err := w.Rollout(t.Context())
	if err != nil || len(r.Days) != 2 || r.Days[0].Day != first || r.Days[0].Methods["password"] != 3 || r.Days[1].Methods["password"] != 2 {
		t.Errorf("the days are %+v (%v)", r.Days, err)
	}
	if r.Users.All != 1 || r.Users.PasswordOnly != 1 {
		t.Errorf("the users are %+v", r.Users)
	}
	for i, reason := range []shared.FailureReason{shared.ReasonClosed, shared.ReasonClosed, shared.ReasonRemoved, ""} {
		event := store.NewEvent(w.now(), ann.ID, shared.EventSignInFailed, store.Client{Browser: "Firefox"})
		event.Reason, event.Count = reason, uint64(i)
		if err := w.store.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
		w.passes(24 * time.Hour)
	}
	failed := func(want ...shared.FailedCeremonies) {
		t.Helper()
		if r, err := w.Rollout(t.Context()); err != nil || !slices.Equal(r.Failed, want) {
			t.Errorf("failed are %+v (%v), want %+v", r.Failed, err, want)
		}
	}
	failed(shared.FailedCeremonies{Reason: shared.ReasonClosed, Browser: "Firefox", Count: 2}, shared.FailedCeremonies{Reason: shared.ReasonRemoved, Browser: "Firefox", Count: 2})
	w.passes(26 * 24 * time.Hour)
	failed(shared.FailedCeremonies{Reason: shared.ReasonRemoved, Browser: "Firefox", Count: 2}, shared.FailedCeremonies{Reason: shared.ReasonClosed, Browser: "Firefox", Count: 1})
	w.passes(59 * 24 * time.Hour)
	failed()
	if r, err = w.Rollout(t.Context()); err != nil || len(r.Days) != 1 || r.Days[0].Methods["password"] != 2 {
		t.Errorf("90 days later the days are %+v (%v)", r.Days, err)
	}
}

// TestShares keeps the share of users with a passkey, day by day.
func TestShares(t *testing.T) {
	w := newWorld(t)
	keeps := func() {
		t.Helper()
		if err := w.KeepShare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before := func() shared.Rollout {
		t.Helper()
		r, err := w.Rollout(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ann := w.add("ann")
	w.add("bob")
	day := w.now().Format(time.DateOnly)
	keeps()
	ann.Passkeys = []store.Passkey{{ID: "p"}}
	w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}), "")
	keeps() // changes nothing: today is kept
	w.passes(29 * 24 * time.Hour)
	if r := before(); r.Before != nil {
		t.Errorf("after 29 days it compares with %+v", r.Before)
	}
	for range 4 {
		w.passes(24 * time.Hour)
		r := before()
		if points, known := r.Points(); r.Before == nil || *r.Before != (shared.RolloutShare{Day: day, Users: 2}) || !known || points != 50 {
			t.Errorf("it compares with %+v: %d points (%v)", r.Before, points, known)
		}
	}
	w.passes(24 * time.Hour)
	if r := before(); r.Before != nil {
		t.Errorf("after 34 days it compares with %+v", r.Before)
	}
	for range 100 {
		keeps()
		w.passes(24 * time.Hour)
	}
	items, err := w.store.Items(t.Context(), "", "rollout-share", "", 1000)
	if err != nil || len(items) != 90 {
		t.Errorf("%d days are kept (%v)", len(items), err)
	}
}
