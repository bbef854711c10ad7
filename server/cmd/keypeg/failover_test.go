package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// TestFailover kills the primary of two nodes' database under load, and promotes
// its standby. The nodes find it by themselves, and everything is there that was
// answered, with the counts and the order of all events.
func TestFailover(t *testing.T) {
	rounds := 1
	if soaking {
		rounds = 20
	}
	for range rounds {
		failover(t)
	}
}

func failover(t *testing.T) {
	primary := pgtest.Start(t, "synchronous_standby_names = '*'")
	standby := primary.Standby(t, "synchronous_standby_names = ''")
	database := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write&connect_timeout=2", primary.Port, standby.Port)
	public := "http://" + proxytest.FreeAddress(t)
	a, b := newProgramOn(t, database, public, "--confirm-after", "24h"), newProgramOn(t, database, public, "--confirm-after", "24h")
	a.starts()
	b.starts()
	people := append(witnesses(a, "user", 8), witnesses(b, "other", 8)...)
	_, token := a.hasUser("probe")
	device := passkeytest.New(a.url)
	if _, err := a.opensTab(device, token).steps.Register(t.Context(), "", ""); err != nil {
		t.Fatal(err)
	}

	var working sync.WaitGroup
	never := make(chan struct{})
	for _, w := range people {
		w.doubts = true
		working.Go(func() { w.works(never) })
	}
	moreAnswers(t, people)
	began := time.Now()
	primary.Kill()
	standby.Promote(t)

	// Each node lets somebody in again, without a command.
	for _, node := range []*program{a, b} {
		for deadline := time.Now().Add(patience); ; {
			_, err := node.opensTab(device, "").steps.SignIn(t.Context())
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("a node doesn't recover: %v", err)
			}
		}
	}
	outage := time.Since(began)
	// Those whose request was under way have seen it fail, and stopped; the others
	// have gone on.
	close(never)
	working.Wait()

	answered := 0
	a.opens(func(db store.Store) {
		for _, w := range people {
			answered += w.answers()
			w.compares(db)
		}
		if err := storetest.Consistent(t.Context(), db, time.Now()); err != nil {
			t.Error(err)
		}
	})
	t.Logf("the outage lasted %s; %d answered changes are all there", outage.Round(time.Millisecond), answered)

	// And everybody can go on, also after a connection that had died unseen.
	enough := make(chan struct{})
	stop := sync.OnceFunc(func() { close(enough); working.Wait() })
	t.Cleanup(stop)
	for _, w := range people {
		working.Go(func() {
			for {
				w.works(enough)
				select {
				case <-enough:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	moreAnswers(t, people)
	stop()
}
