package account_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// opens reads a recovery link of Ann's, without using it.
func (w *world) opens(link account.Link) account.Enrolment {
	w.Helper()
	e, err := w.Enrolment(w.Context(), link.Token)
	w.wants(err, "")
	return e
}

func TestLinks(t *testing.T) {
	recoveryLink := func(w *world) account.Link {
		w.Helper()
		link, err := w.NewRecoveryLink(w.Context(), w.it("ann"))
		w.wants(err, "")
		return link
	}
	use := func(w *world, e account.Enrolment) error {
		return w.EnrolPassword(w.Context(), session.Actor{}, e, "another long passphrase")
	}
	for what, end := range map[string]func(*world, account.Enrolment){
		"used":     func(w *world, e account.Enrolment) { w.wants(use(w, e), "") },
		"replaced": func(w *world, _ account.Enrolment) { recoveryLink(w) },
		"withdrawn": func(w *world, _ account.Enrolment) {
			withdrew, err := w.WithdrawLinks(w.Context(), w.it("ann"))
			if w.wants(err, ""); !withdrew {
				w.Error("there was none to withdraw")
			}
		},
		"ended, because its user was disabled and enabled,": func(w *world, _ account.Enrolment) {
			w.wants(w.DisableEvenTheLast(w.Context(), w.it("ann")), "")
			w.wants(w.Enable(w.Context(), w.it("ann")), "")
		},
		"ended, because its user was removed,": func(w *world, e account.Enrolment) {
			w.wants(w.store.Apply(w.Context(), store.Batch{store.RemoveUser{ID: e.User.ID}}), "")
		},
	} {
		t.Run("a link that was "+what+" after it was opened is gone", func(t *testing.T) {
			w := newWorld(t)
			w.add("ann")
			link := recoveryLink(w)
			e := w.opens(link)
			end(w, w.opens(link))
			before, _ := w.store.UserByName(t.Context(), "ann")
			w.wants(use(w, e), shared.CodeNotFound)
			if after, _ := w.store.UserByName(t.Context(), "ann"); after.Revision != before.Revision {
				t.Error("it has changed its user")
			}
			_, err := w.Enrolment(t.Context(), link.Token)
			w.wants(err, shared.CodeNotFound)
		})
	}
	t.Run("of many who use a link at once exactly one does", func(t *testing.T) {
		w := newWorld(t)
		w.add("ann")
		e := w.opens(recoveryLink(w))
		var won atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := use(w, e); err == nil {
					won.Add(1)
				} else {
					w.wants(err, shared.CodeNotFound)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d did, want 1", won.Load())
		}
	})
	t.Run("the store has no token of a link", func(t *testing.T) {
		w := newWorld(t)
		setup, err := w.NewSetupLink(t.Context())
		w.wants(err, "")
		w.add("ann")
		secret := recoveryLink(w).Token
		secret = secret[strings.LastIndex(secret, ".")+1:]
		items, err := w.store.Records(t.Context(), store.KindItem, nil, 99)
		if w.wants(err, ""); len(items) == 0 {
			t.Fatal("there are no items")
		}
		links := 0
		for _, record := range items {
			if account.IsLinkOfAPerson(record.Op.(store.PutItem).Item) {
				links++
			}
			for _, token := range []string{setup.Token, secret} {
				if strings.Contains(string(record.Key)+string(record.Encode()), token) {
					t.Errorf("it is in %q", record.Key)
				}
			}
		}
		if links != 2 {
			t.Errorf("%d links of people, want the set-up link and the recovery link", links)
		}
	})
}

// TestLinksOfWhoMayNoMore has a helper make links and keep them. They end with the right by which they
// were made, and come back with it. IT can withdraw one meanwhile.
func TestLinksOfWhoMayNoMore(t *testing.T) {
	for what, change := range map[string]struct {
		of string
		do func(*store.User)
	}{
		"the user is an administrator now": {"ann", func(u *store.User) { u.Role = shared.RoleAdministrator }},
		"the user has left the group":      {"ann", func(u *store.User) { u.Groups = []string{"it"} }},
		"the helper has no role":           {"hal", func(u *store.User) { u.Role, u.Helps = shared.RoleNone, nil }},
		"the helper helps another group":   {"hal", func(u *store.User) { u.Helps = []string{"it"} }},
		"the helper is disabled":           {"hal", func(u *store.User) { u.Disabled = true }},
		"the helper is removed":            {"hal", nil},
	} {
		for _, kind := range []store.Method{store.MethodInvitation, store.MethodRecoveryLink} {
			withdrawn := kind == store.MethodRecoveryLink
			t.Run(string(kind)+", and "+what, func(t *testing.T) {
				w := newWorld(t)
				w.store.Apply(t.Context(), store.Batch{
					store.PutUser{User: store.User{ID: store.NewUserID(), Name: "hal", Handle: []byte("h"), Password: "a hash", Role: shared.RoleHelper, Helps: []string{"sales"}}},
					store.PutUser{User: store.User{ID: store.NewUserID(), Name: "ann", Handle: []byte("a"), Groups: []string{"sales"}}},
				})
				who := w.it("ann")
				who.By = w.it("hal").User
				link, err := w.NewRecoveryLink(t.Context(), who)
				if kind == store.MethodInvitation {
					link, err = w.InviteAgain(t.Context(), who, false)
				}
				w.wants(err, "")
				opened := w.opens(link)
				before := w.it(change.of).User
				if change.do == nil {
					w.wants(w.store.Apply(t.Context(), store.Batch{store.RemoveUser{ID: before.ID}}), "")
				} else {
					user := before
					change.do(&user)
					w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}), "")
				}
				use := func() error {
					return w.EnrolPassword(t.Context(), session.Actor{}, opened, "another long passphrase")
				}
				_, err = w.Enrolment(t.Context(), link.Token)
				w.wants(err, shared.CodeNotFound)
				w.wants(use(), shared.CodeNotFound)
				if until, err := w.LinkUntil(t.Context(), w.it("ann").User); err != nil || until != nil {
					t.Errorf("it is shown until %v (%v)", until, err)
				}
				if change.do == nil {
					return
				}
				restored := func() {
					before.Revision = w.it(change.of).User.Revision
					w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: before}}), "")
				}
				if withdrawn {
					withdrew, err := w.WithdrawLinks(t.Context(), w.it("ann"))
					if w.wants(err, ""); !withdrew {
						t.Error("there was none to withdraw")
					}
					restored()
					w.wants(use(), shared.CodeNotFound)
					return
				}
				restored()
				w.wants(use(), "")
			})
		}
	}
}
