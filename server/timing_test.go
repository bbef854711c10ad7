package server_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Nobody may learn who has an account. An attacker who can't tell by the answer must
// not be able to tell by the time that it takes either.

// slowDisk is a store on a disk that takes its time to write. It notes what it is asked.
type slowDisk struct {
	store.Store
	mu    sync.Mutex
	asked []string
	takes time.Duration
}

func (d *slowDisk) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, what)
}

// during returns what the store was asked while do ran.
func (d *slowDisk) during(do func()) []string {
	d.mu.Lock()
	d.asked = nil
	d.mu.Unlock()
	do()
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

func (d *slowDisk) Apply(ctx context.Context, batch store.Batch) error {
	d.note("Apply")
	d.mu.Lock()
	takes := d.takes
	d.mu.Unlock()
	time.Sleep(takes)
	return d.Store.Apply(ctx, batch)
}

func (d *slowDisk) User(ctx context.Context, id string) (store.User, error) {
	d.note("User")
	return d.Store.User(ctx, id)
}

func (d *slowDisk) UserByName(ctx context.Context, name string) (store.User, error) {
	d.note("UserByName")
	return d.Store.UserByName(ctx, name)
}

func (d *slowDisk) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	d.note("Item of " + collection)
	return d.Store.Item(ctx, owner, collection, key)
}

func (d *slowDisk) HasAdministrator(ctx context.Context) (bool, error) {
	d.note("HasAdministrator")
	return d.Store.HasAdministrator(ctx)
}

// population adds a hundred users with nothing in common: every fourth has recovery codes
// and a password, has only codes, is disabled, or has been invited. It returns their
// names.
func (s *site) population() (names []string) {
	s.Helper()
	ann := s.user("ann")
	into[shared.RecoveryCodes](ann, ann.sends("POST", shared.PathRecoveryCodes, nil), 200)
	like, err := s.store.UserByName(s.Context(), "ann")
	if err != nil {
		s.Fatal(err)
	}
	var batch store.Batch
	for i := range 100 {
		user := like
		user.Revision, user.ID, user.Name = 0, store.NewUserID(), fmt.Sprintf("somebody%03d", i)
		switch i % 4 {
		case 1:
			user.Password = ""
		case 2:
			user.Disabled = true
		case 3:
			user.Password, user.RecoveryCodes = "", nil
		}
		names = append(names, user.Name)
		batch = append(batch, store.PutUser{User: user})
	}
	if err := s.store.Apply(s.Context(), batch); err != nil {
		s.Fatal(err)
	}
	return names
}

func (s *site) idOf(name string) string {
	s.Helper()
	user, err := s.store.UserByName(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return user.ID
}

func TestNamesStaySecret(t *testing.T) {
	disk := &slowDisk{}
	s := newSite(t, func(t *testing.T, now store.Clock) store.Store {
		disk.Store = stores["boltstore"](t, now)
		return disk
	}, nil)
	known := s.population()
	unknown := make([]string, len(known))
	for i := range unknown {
		unknown[i] = fmt.Sprintf("nobody%05d", i)
	}
	const slow = 40 * time.Millisecond
	disk.mu.Lock()
	disk.takes = slow
	disk.mu.Unlock()

	probes := 0
	attacks := func(try func(*visitor, string, string) answer, name string) {
		probes++
		a := try(s.visitor(), name, fmt.Sprintf("198.51.%d.%d", probes/250, probes%250))
		if a.status != 401 {
			t.Fatalf("%s: %s", name, a)
		}
	}
	for way, try := range map[string]func(v *visitor, name, address string) answer{
		"password":      func(v *visitor, name, address string) answer { return v.guesses(name, "wrong", from(address)) },
		"recovery code": func(v *visitor, name, address string) answer { return v.recovers(name, "AAAAA-AAAAA", from(address)) },
		"password, without a script": func(v *visitor, name, address string) answer {
			return v.submits(shared.PageSignIn, url.Values{"name": {name}, "password": {"wrong"}}, from(address))
		},
		"recovery code, without a script": func(v *visitor, name, address string) answer {
			return v.submits(shared.PageRecovery, url.Values{"name": {name}, "code": {"AAAAA-AAAAA"}}, from(address))
		},
	} {
		t.Run(way, func(t *testing.T) {
			// What the store does before the answer is the same, and so takes as long on any disk.
			s.accounts.Activity().Flush(t.Context())
			work := map[string]bool{}
			for i := range 4 {
				for _, name := range []string{known[i], unknown[i]} {
					work[strings.Join(disk.during(func() { attacks(try, name) }), " ")] = true
				}
			}
			if len(work) != 1 {
				t.Errorf("the store works differently for different names: %v", work)
			}
			for asked := range work {
				if strings.Contains(asked, "Apply") {
					t.Errorf("a refused sign-in writes: %s", asked)
				}
			}

			// Who measures tries three times and takes what was fastest, since all else is noise.
			guessed := 0
			for i := range known {
				for _, name := range []string{known[i], unknown[i]} {
					fastest := time.Hour
					for range 3 {
						began := time.Now()
						attacks(try, name)
						fastest = min(fastest, time.Since(began))
					}
					if (fastest > slow) == (name == known[i]) {
						guessed++
					}
				}
			}
			if guessed >= 120 {
				t.Errorf("%d of 200 names can be told apart by the time", guessed)
			}
			s.accounts.Activity().Flush(t.Context())
		})
	}

	t.Run("link", func(t *testing.T) {
		work := map[string]bool{}
		for _, id := range []string{s.idOf(known[0]), s.idOf(known[2]), s.idOf(known[3]), store.NewUserID()} {
			token := "recovery_link." + id + ".AAAA"
			work[strings.Join(disk.during(func() {
				if _, err := s.accounts.Enrolment(t.Context(), token); shared.CodeOf(err) != shared.CodeNotFound {
					t.Errorf("%s: %v", token, err)
				}
			}), " ")] = true
		}
		if len(work) != 1 || work["Apply"] {
			t.Errorf("the store works differently: %v", work)
		}
	})
	t.Run("set-up link and begin write nothing", func(t *testing.T) {
		asked := disk.during(func() {
			s.accounts.CheckSetupLink(t.Context(), "AAAA")
			into[shared.Ceremony](s.visitor(), s.visitor().sends("POST", shared.PathSignInBegin, nil), 200)
		})
		if slices.Contains(asked, "Apply") {
			t.Errorf("the store was asked %v", asked)
		}
	})
}
