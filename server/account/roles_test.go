package account_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// meanwhile is a store to which somebody else writes just before the next batch.
type meanwhile struct {
	store.Store
	once   *sync.Once
	writes func()
}

func (m meanwhile) Apply(ctx context.Context, batch store.Batch) error {
	m.once.Do(m.writes)
	return m.Store.Apply(ctx, batch)
}

// TestGroupTakenAway lets a helper invite somebody into two groups, at the moment at which the helper
// loses one.
func TestGroupTakenAway(t *testing.T) {
	db := memstore.New(time.Now)
	accounts := account.New(account.Config{Store: db, Now: time.Now})
	hal := store.User{ID: store.NewUserID(), Name: "hal", Handle: []byte("h"), Password: "a hash", Role: shared.RoleHelper, Helps: []string{"it", "sales"}}
	if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: hal}}); err != nil {
		t.Fatal(err)
	}
	invites := func(s *account.Service, name string) error {
		who := accounts.Actor(store.User{})
		who.By = it(t, accounts, "hal").User
		_, _, err := s.Invite(t.Context(), who, shared.Invite{Name: name, Groups: []string{"it", "sales"}})
		return err
	}
	if err := invites(accounts, "ann"); err != nil {
		t.Fatal(err)
	}
	racing := account.New(account.Config{Now: time.Now, Store: meanwhile{db, new(sync.Once), func() {
		less := it(t, accounts, "hal").User
		less.Helps = []string{"sales"}
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: less}}); err != nil {
			t.Error(err)
		}
	}}})
	if err := invites(racing, "bob"); shared.CodeOf(err) != shared.CodeNotAllowed {
		t.Errorf("got %v", err)
	}
	if _, err := accounts.UserByName(t.Context(), "bob"); shared.CodeOf(err) != shared.CodeNotFound {
		t.Errorf("bob: %v", err)
	}
}

// TestRoleTakenAway lets a helper act at the very moment at which the role is taken away, or at which the
// user gets one. Nothing is done then, and without such a change it is.
func TestRoleTakenAway(t *testing.T) {
	for what, change := range map[string]struct {
		of string
		do func(*store.User)
	}{
		"the helper has no role any more":  {"hal", func(u *store.User) { u.Role, u.Helps = shared.RoleNone, nil }},
		"the helper helps another group":   {"hal", func(u *store.User) { u.Helps = []string{"it"} }},
		"the helper is disabled":           {"hal", func(u *store.User) { u.Disabled = true }},
		"the user is an administrator now": {"ann", func(u *store.User) { u.Role = shared.RoleAdministrator }},
		"the user has left the group":      {"ann", func(u *store.User) { u.Groups = nil }},
		"nothing":                          {"ann", nil},
	} {
		for act, do := range map[string]func(context.Context, *account.Service, session.Actor, string) error{
			"ends a session": func(ctx context.Context, s *account.Service, who session.Actor, id string) error {
				return s.EndSession(ctx, who, id)
			},
			"ends all": func(ctx context.Context, s *account.Service, who session.Actor, _ string) error {
				return s.EndSessions(ctx, who)
			},
			"disables": func(ctx context.Context, s *account.Service, who session.Actor, _ string) error {
				return s.Disable(ctx, who)
			},
			"makes a link": func(ctx context.Context, s *account.Service, who session.Actor, _ string) error {
				_, err := s.NewRecoveryLink(ctx, who)
				return err
			},
			"withdraws links": func(ctx context.Context, s *account.Service, who session.Actor, _ string) error {
				_, err := s.WithdrawLinks(ctx, who)
				return err
			},
			"takes a passkey": func(ctx context.Context, s *account.Service, who session.Actor, _ string) error {
				return s.RemovePasskey(ctx, who, "p")
			},
		} {
			t.Run(what+", and the helper "+act, func(t *testing.T) {
				db := memstore.New(time.Now)
				accounts := account.New(account.Config{Store: db, Now: time.Now})
				for _, user := range []store.User{
					{ID: store.NewUserID(), Name: "hal", Handle: []byte("h"), Password: "a hash", Role: shared.RoleHelper, Helps: []string{"sales"}},
					{ID: store.NewUserID(), Name: "ann", Handle: []byte("a"), Password: "a hash", Groups: []string{"sales"}, Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte("p")}}},
				} {
					if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
						t.Fatal(err)
					}
				}
				who := it(t, accounts, "ann")
				who.User.LastSignIn = time.Now()
				_, opened := accounts.Sessions().Open(who, session.SignIn{Method: store.MethodPassword})
				if err := db.Apply(t.Context(), opened); err != nil {
					t.Fatal(err)
				}
				withdraws := act == "withdraws links"
				if withdraws {
					if _, err := accounts.NewRecoveryLink(t.Context(), it(t, accounts, "ann")); err != nil {
						t.Fatal(err)
					}
				}
				who = it(t, accounts, "ann")
				who.By = it(t, accounts, "hal").User
				list, err := accounts.Sessions().List(t.Context(), who)
				if err != nil || len(list.Sessions) != 1 {
					t.Fatalf("sessions: %+v (%v)", list, err)
				}
				racing := account.New(account.Config{Now: time.Now, Store: meanwhile{db, new(sync.Once), func() {
					if change.do == nil {
						return
					}
					user := it(t, accounts, change.of).User
					change.do(&user)
					if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
						t.Error(err)
					}
				}}})

				err = do(t.Context(), racing, who, list.Sessions[0].ID)
				ann := it(t, accounts, "ann")
				left, listed := accounts.Sessions().List(t.Context(), ann)
				if listed != nil {
					t.Fatal(listed)
				}
				links, looked := accounts.RecoveryLinkUntil(t.Context(), ann.User)
				if looked != nil {
					t.Fatal(looked)
				}
				done := len(left.Sessions) == 0 || ann.User.Disabled || (links != nil) != withdraws || len(ann.User.Passkeys) == 0
				if change.do == nil {
					if err != nil || !done {
						t.Errorf("got %v, and it is done: %t", err, done)
					}
				} else if shared.CodeOf(err) != shared.CodeNotAllowed || done {
					t.Errorf("got %v, and it is done: %t", err, done)
				}
			})
		}
	}
}
