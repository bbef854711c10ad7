package account_test

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestDates reads when users got what they have.
func TestDates(t *testing.T) {
	member := func(w *world, user store.User) shared.Member {
		t.Helper()
		user, err := w.UserByID(t.Context(), user.ID)
		if err != nil {
			t.Fatal(err)
		}
		return w.Member(user)
	}
	t.Run("a password has the time when it was set, and not when it was hashed anew", func(t *testing.T) {
		w := newWorld(t)
		ann, began := w.add("ann"), w.now()
		w.passes(time.Hour)
		w.Service = w.service(account.Cost{MemoryKiB: 128, Time: 1, Threads: 1})
		w.signedIn("ann")
		if got := member(w, ann).PasswordSet; !got.Equal(began) {
			t.Errorf("set at %v, want %v", got, began)
		}
		w.wants(w.SetPassword(t.Context(), w.it("ann"), "another "+password), "")
		if got := member(w, ann).PasswordSet; !got.Equal(w.now()) {
			t.Errorf("set at %v, want %v", got, w.now())
		}
	})
	t.Run("an invitation has its first time and who made it, and a password by its link a time", func(t *testing.T) {
		w := newWorld(t)
		bob := session.Actor{By: w.add("bob")}
		bob.By.Role = shared.RoleAdministrator
		w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: bob.By}}), "")
		bob.By.Revision++
		carl, _, err := w.Invite(t.Context(), bob, shared.Invite{Name: "carl"})
		w.wants(err, "")
		began := w.now()
		w.passes(time.Hour)
		link, err := w.InviteAgain(t.Context(), w.it("carl"), false)
		w.wants(err, "")
		if m := member(w, carl); !m.InvitedAt.Equal(began) || !m.PasswordSet.IsZero() {
			t.Errorf("got %+v", m)
		}
		if carl, err = w.UserByID(t.Context(), carl.ID); err != nil || carl.InvitedBy != bob.By.ID {
			t.Errorf("invited by %q (%v)", carl.InvitedBy, err)
		}
		enrolment, err := w.Enrolment(t.Context(), link.Token)
		w.wants(err, "")
		w.wants(w.EnrolPassword(t.Context(), session.Actor{}, enrolment, password), "")
		if m := member(w, carl); !m.PasswordSet.Equal(w.now()) {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("who wasn't invited and has no password has neither time", func(t *testing.T) {
		w := newWorld(t)
		dora := store.User{ID: store.NewUserID(), Name: "dora", Passkeys: []store.Passkey{{ID: "p", Verified: true}}}
		w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: dora}}), "")
		w.wants(w.SetPassword(t.Context(), w.it("dora"), password), "")
		w.wants(w.RemovePassword(t.Context(), w.it("dora")), "")
		if m := member(w, dora); !m.PasswordSet.IsZero() || !m.InvitedAt.IsZero() || !m.FirstPasskey.IsZero() {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("an account is held until its time, and no longer", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		ann.HeldUntil = w.now().Add(time.Hour)
		w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}), "")
		if m := member(w, ann); !m.HeldUntil.Equal(ann.HeldUntil) {
			t.Errorf("got %+v", m)
		}
		w.passes(time.Hour)
		if m := member(w, ann); !m.HeldUntil.IsZero() {
			t.Errorf("later %+v", m)
		}
	})
}
