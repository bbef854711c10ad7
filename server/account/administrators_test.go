package account_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestLastAdministrator disables administrators, also by themselves, and at the same time
// on two nodes. One who can sign in stays, in whatever order.
func TestLastAdministrator(t *testing.T) {
	for backend, open := range map[string]func(t *testing.T) (a, b store.Store){
		"memstore": func(*testing.T) (store.Store, store.Store) { s := memstore.New(time.Now); return s, s },
		"boltstore": func(t *testing.T) (store.Store, store.Store) {
			s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s, s
		},
		"pgstore, two nodes": func(t *testing.T) (store.Store, store.Store) {
			url := pgtest.Empty(t)
			var nodes [2]store.Store
			for i := range nodes {
				s, err := pgstore.Open(t.Context(), url, "", time.Now)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				nodes[i] = s
			}
			return nodes[0], nodes[1]
		},
	} {
		t.Run(backend, func(t *testing.T) {
			a, b := open(t)
			nodes := [2]*account.Service{account.New(account.Config{Store: a, Now: time.Now}), account.New(account.Config{Store: b, Now: time.Now})}
			const admins = 8
			for i := range admins {
				user := store.User{ID: store.NewUserID(), Name: fmt.Sprint("admin", i), DisplayName: "A", Handle: []byte{byte(i)}, Role: shared.RoleAdministrator, Password: "a hash"}
				if err := a.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
					t.Fatal(err)
				}
			}
			// These administer nothing: one can't sign in, and one is nobody's administrator.
			if err := a.Apply(t.Context(), store.Batch{
				store.PutUser{User: store.User{ID: store.NewUserID(), Name: "invited", Handle: []byte("i"), Role: shared.RoleAdministrator}},
				store.PutUser{User: store.User{ID: store.NewUserID(), Name: "bob", Handle: []byte("b"), Password: "a hash"}},
			}); err != nil {
				t.Fatal(err)
			}

			var racing sync.WaitGroup
			for n := range 64 {
				racing.Go(func() {
					node := nodes[n%2]
					who, err := node.IT(t.Context(), fmt.Sprint("admin", (n*5)%admins))
					if n%4 > 1 && err == nil { // by one of them
						who.By, err = node.UserByName(t.Context(), fmt.Sprint("admin", n%admins))
					}
					switch {
					case err != nil: // removed
					case n%3 == 0:
						err = node.Disable(t.Context(), who)
					case n%3 == 1:
						_, err = node.Change(t.Context(), who, shared.ChangeMember{Role: new(shared.RoleNone)}, false)
					default:
						err = node.Remove(t.Context(), who, who.User.Name, false)
					}
					if err != nil && !slices.Contains([]shared.Code{shared.CodeLastAdministrator, shared.CodeConflict, shared.CodeNotFound, shared.CodeNotAllowed}, shared.CodeOf(err)) {
						t.Errorf("shutting one out: %v", err)
					}
				})
			}
			racing.Wait()
			var left []string
			users, _, err := a.Users(t.Context(), store.UserQuery{}, 99)
			if err != nil {
				t.Fatal(err)
			}
			for _, user := range users {
				if user.IsAdministrator() && !user.Disabled && user.Password != "" {
					left = append(left, user.Name)
				}
			}
			if len(left) == 0 {
				t.Fatal("nobody is left")
			}
			for ; len(left) > 1; left = left[1:] {
				if err := nodes[0].Disable(t.Context(), it(t, nodes[0], left[0])); err != nil {
					t.Fatalf("shutting out %s of %v: %v", left[0], left, err)
				}
			}
			if err := nodes[1].Disable(t.Context(), it(t, nodes[1], left[0])); shared.CodeOf(err) != shared.CodeLastAdministrator {
				t.Errorf("shutting out the last one: %v", err)
			}
			if err := nodes[1].Disable(t.Context(), it(t, nodes[1], "bob")); err != nil {
				t.Errorf("shutting out somebody else: %v", err)
			}
			if err := nodes[0].DisableEvenTheLast(t.Context(), it(t, nodes[0], left[0])); err != nil {
				t.Errorf("IT may shut out even the last: %v", err)
			}
		})
	}
}

// it acts for the user of this name at the command line.
func it(t *testing.T, accounts *account.Service, name string) session.Actor {
	t.Helper()
	who, err := accounts.IT(t.Context(), name)
	if err != nil {
		t.Errorf("IT doesn't find %s: %v", name, err)
	}
	return who
}
