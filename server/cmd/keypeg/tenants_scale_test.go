package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestThousandTenants starts an installation with a thousand tenants, opens many of them,
// or in make soak each, and logs what that costs.
func TestThousandTenants(t *testing.T) {
	const tenants = 1000
	opened := 200
	if soaking {
		opened = tenants
	}
	if _, err := theProgram(); err != nil { // or building it counts as starting it
		t.Fatal(err)
	}
	for where, database := range map[string]string{
		"files":      filepath.Join(t.TempDir(), "keypeg.db"),
		"PostgreSQL": pgtest.Empty(t),
	} {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database, "--log-level", "warn")
			hasTenants(p, tenants)

			began := time.Now()
			p.starts()
			if status, _ := p.gets("anywhere", "/healthz"); status != 200 {
				t.Fatalf("health: %d", status)
			}
			start := time.Since(began)
			if made, err := filepath.Glob(filepath.Join(filepath.Dir(database), "tenants", "*")); err != nil || len(made) > 0 {
				t.Errorf("the start opened %d tenants (%v)", len(made), err)
			}

			idle := p.memory("VmRSS")
			first, later := make([]time.Duration, opened), make([]time.Duration, opened)
			for _, took := range [][]time.Duration{first, later} {
				for i := range took {
					began := time.Now()
					which := i * tenants / opened
					if status, body := p.gets(p.host(fmt.Sprintf("t%03d", which)), "/sign-in"); status != 200 {
						t.Fatalf("tenant %d: %d %s", which, status, body)
					}
					took[i] = time.Since(began)
				}
				slices.Sort(took)
			}
			each := (p.memory("VmRSS") - idle) / int64(opened)

			began = time.Now()
			p.ends(syscall.SIGTERM)
			t.Logf("start to the first answer %s; first request of a tenant %s (median), %s (99 %%); later ones %s; %d kB for each open idle tenant; stop %s",
				start.Round(time.Millisecond), first[opened/2].Round(time.Microsecond), first[opened*99/100].Round(time.Microsecond), later[opened/2].Round(time.Microsecond),
				each>>10, time.Since(began).Round(time.Millisecond))
			if each > 2<<20 {
				t.Errorf("an open tenant takes %d bytes", each)
			}
		})
	}
}

// hasTenants writes the list of as many tenants. The program must not run.
func hasTenants(p *program, n int) {
	p.Helper()
	tenants := store.Collection[tenant.Tenant]{Name: "tenant"}
	var batch store.Batch
	for i := range n {
		name := fmt.Sprintf("t%03d", i)
		batch = append(batch, tenants.Put(store.Entry[tenant.Tenant]{
			Key: name, Value: tenant.Tenant{Name: name, PublicURL: "http://" + p.host(name), Created: time.Now().UTC()},
		}))
	}
	p.opens(func(db store.Store) {
		if err := errors.Join(tenant.NewRegistry(db, time.Now).Begin(p.Context()), db.Apply(p.Context(), batch)); err != nil {
			p.Fatal(err)
		}
	})
}
