package account_test

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
)

// TestRollout signs people in on known days.
func TestRollout(t *testing.T) {
	w := newWorld(t)
	if _, err := w.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
		t.Fatal(err)
	}
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
	w.passes(89 * 24 * time.Hour)
	if r, err = w.Rollout(t.Context()); err != nil || len(r.Days) != 1 || r.Days[0].Methods["password"] != 2 {
		t.Errorf("90 days later the days are %+v (%v)", r.Days, err)
	}
}
