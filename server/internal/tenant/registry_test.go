package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// onEveryStore holds a claim against every backend.
func onEveryStore(t *testing.T, test func(*testing.T, *tenant.Registry)) {
	for name, open := range map[string]func(*testing.T) (store.Store, error){
		"memstore": func(*testing.T) (store.Store, error) { return memstore.New(time.Now), nil },
		"boltstore": func(t *testing.T) (store.Store, error) {
			return boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
		},
		"pgstore": func(t *testing.T) (store.Store, error) {
			return pgstore.Open(t.Context(), pgtest.Database(t), pgtest.Name(), time.Now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			test(t, tenant.NewRegistry(s, time.Now))
		})
	}
}

func names(t *testing.T, r *tenant.Registry) string {
	t.Helper()
	all, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tenant := range all {
		names = append(names, tenant.Name)
	}
	return strings.Join(names, " ")
}

func adds(t *testing.T, r *tenant.Registry, name, url string) tenant.Tenant {
	t.Helper()
	added, err := r.Add(t.Context(), tenant.Tenant{Name: name, PublicURL: url})
	if err != nil {
		t.Fatalf("adding %s at %s: %v", name, url, err)
	}
	return added
}

func says(t *testing.T, what string, err error, sentence string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), sentence) {
		t.Errorf("%s: got %v, want a sentence that says %q", what, err, sentence)
	}
}

func TestAdd(t *testing.T) {
	onEveryStore(t, func(t *testing.T, r *tenant.Registry) {
		if exists, err := r.Exists(t.Context()); exists || err != nil {
			t.Errorf("a new store has a list of tenants: %t (%v)", exists, err)
		}
		if err := r.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if exists, err := r.Exists(t.Context()); !exists || err != nil {
			t.Errorf("the list was begun, and there is one: %t (%v)", exists, err)
		}
		adds(t, r, "beta", "https://ID.beta.example:443/")
		added, err := r.Add(t.Context(), tenant.Tenant{Name: "acme", PublicURL: "https://id.acme.example", RPID: " Acme.Example. ", Product: " Acme ", Contact: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := r.Tenant(t.Context(), "acme")
		if err != nil || kept.RPID != "acme.example" || kept.Product != "Acme" || kept.Contact != "desk" || !kept.IsActive() || !kept.Created.Equal(added.Created) {
			t.Errorf("kept %+v (%v), added %+v", kept, err, added)
		}
		if beta, err := r.Tenant(t.Context(), "beta"); err != nil || beta.PublicURL != "https://id.beta.example" {
			t.Errorf("kept %+v (%v)", beta, err)
		}
		// Hosts that only look alike are apart.
		adds(t, r, "notacme", "https://notacme.example")
		adds(t, r, "local-a", "http://a.localhost:8080")
		adds(t, r, "local-b", "http://b.localhost:8080")
		if books := adds(t, r, "books", "https://Bücher.example"); books.PublicURL != "https://xn--bcher-kva.example" {
			t.Errorf("books is at %s", books.PublicURL)
		}
		adds(t, r, "hub-a", "https://a.github.io")
		adds(t, r, "hub-b", "https://b.github.io")
		before := names(t, r)

		for _, test := range []struct{ name, url, rpID, says string }{
			{"", "https://x.example", "", "can't name a tenant"},
			{"Acme", "https://x.example", "", "can't name a tenant"},
			{"../acme", "https://x.example", "", "can't name a tenant"},
			{"-acme", "https://x.example", "", "can't name a tenant"},
			{"a.b", "https://x.example", "", "can't name a tenant"},
			{strings.Repeat("a", 41), "https://x.example", "", "can't name a tenant"},
			{"acme", "https://x.example", "", "there is a tenant acme already, at https://id.acme.example"},
			{"x", "x.example", "", "write https://x.example"},
			{"x", "http://x.example", "", "write https://x.example"},
			{"x", "https://10.0.0.1", "", "write a host name"},
			{"x", "https://x.example", "y.example", "doesn't belong to"},
			// The same host, however it is written, and whatever its port.
			{"x", "https://id.acme.example", "", "belongs to the tenant acme already"},
			{"x", "https://ID.ACME.example", "", "belongs to the tenant acme already"},
			{"x", "https://id.acme.example:8443", "", "belongs to the tenant acme already"},
			{"x", "https://id.acme.example.", "", "belongs to the tenant acme already"},
			{"x", "http://a.localhost:9090", "", "belongs to the tenant local-a already"},
			{"x", "http://A.LOCALHOST.", "", "belongs to the tenant local-a already"},
			{"x", "https://BÜCHER.example", "", "belongs to the tenant books already"},
			{"x", "https://xn--bcher-kva.example.:443", "", "belongs to the tenant books already"},
			{"x", "https://b%C3%BCcher.example", "", "belongs to the tenant books already"},
			// What no browser opens.
			{"x", "https://x_y.example", "", "write https://x-y.example"},
			{"x", "https://x.example:0", "", "write https://x.example"},
			{"x", "https://com", "", "other people's domains lie under com"},
			{"x", "https://c.github.io", "github.io", `write "c.github.io"`},
			// Another host, but browsers would offer acme's passkeys there.
			{"x", "https://acme.example", "", "would be offered at id.acme.example too"},
			{"x", "https://shop.acme.example", "", "would be offered at shop.acme.example too"},
			{"x", "https://id.acme.example.acme.example", "", "passkeys of the tenant acme"},
			{"x", "https://shop.acme.example", "acme.example", "belongs to the tenant acme"},
			// Or its own at a tenant's.
			{"x", "https://beta.example", "", "would be offered at id.beta.example too, which belongs to the tenant beta"},
			{"x", "https://login.beta.example", "beta.example", "would be offered at id.beta.example too"},
		} {
			_, err := r.Add(t.Context(), tenant.Tenant{Name: test.name, PublicURL: test.url, RPID: test.rpID})
			says(t, fmt.Sprintf("%q at %s with %q", test.name, test.url, test.rpID), err, test.says)
		}
		// Siblings that share no relying party id are apart.
		adds(t, r, "login", "https://login.beta.example")
		if after := names(t, r); after != "acme beta books hub-a hub-b local-a local-b login notacme" || before != "acme beta books hub-a hub-b local-a local-b notacme" {
			t.Errorf("before %q, after %q", before, after)
		}
	})
}

func TestAddAtTheSameTime(t *testing.T) {
	onEveryStore(t, func(t *testing.T, r *tenant.Registry) {
		// Many hosts by many who add, and each of the first ten by two.
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, err := r.Add(t.Context(), tenant.Tenant{Name: fmt.Sprint("t", i), PublicURL: fmt.Sprintf("https://h%d.example", i%10)})
				if err == nil {
					won.Add(1)
				} else if !strings.Contains(err.Error(), "belongs to the tenant") {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(strings.Fields(names(t, r))); won.Load() != 10 || n != 10 {
			t.Errorf("%d got that they won, %d tenants are there, want 10", won.Load(), n)
		}
	})
}

func TestDisable(t *testing.T) {
	onEveryStore(t, func(t *testing.T, r *tenant.Registry) {
		adds(t, r, "acme", "https://id.acme.example")
		says(t, "an unknown tenant", r.SetSuspended(t.Context(), "acne", true), `no such tenant as "acne"`)
		for _, disabled := range []bool{true, true, false, false, true} {
			if err := r.SetSuspended(t.Context(), "acme", disabled); err != nil {
				t.Fatal(err)
			}
			if kept, err := r.Tenant(t.Context(), "acme"); err != nil || kept.IsActive() == disabled {
				t.Errorf("disabled %t: %+v (%v)", disabled, kept, err)
			}
		}
	})
}

func TestRemove(t *testing.T) {
	onEveryStore(t, func(t *testing.T, r *tenant.Registry) {
		adds(t, r, "acme", "https://id.acme.example")
		adds(t, r, "beta", "https://id.beta.example")
		erased := 0
		erase := func(context.Context, tenant.Tenant) error { erased++; return nil }
		says(t, "an unknown one", r.Remove(t.Context(), "acne", erase), "no such tenant")
		says(t, "one that is on", r.Remove(t.Context(), "acme", erase), "run keypeg tenant disable acme first")
		if erased != 0 {
			t.Fatal("records were deleted")
		}
		if err := r.SetSuspended(t.Context(), "acme", true); err != nil {
			t.Fatal(err)
		}

		// Interrupted, it can be neither used nor added, and removing it again mends it.
		says(t, "an interrupted one", r.Remove(t.Context(), "acme", func(context.Context, tenant.Tenant) error { return errors.New("disk on fire") }),
			"disk on fire; run keypeg tenant remove acme again")
		says(t, "enabling half a tenant", r.SetSuspended(t.Context(), "acme", false), "is being removed")
		_, err := r.Add(t.Context(), tenant.Tenant{Name: "acme", PublicURL: "https://new.example"})
		says(t, "adding half a tenant", err, "is being removed")
		_, err = r.Add(t.Context(), tenant.Tenant{Name: "gamma", PublicURL: "https://id.acme.example"})
		says(t, "its host", err, "belongs to the tenant acme")
		if err := r.Remove(t.Context(), "acme", erase); err != nil || erased != 1 {
			t.Errorf("again: %v, erased %d times", err, erased)
		}
		if left := names(t, r); left != "beta" {
			t.Errorf("left: %s", left)
		}
		adds(t, r, "acme", "https://id.acme.example")
	})
}
