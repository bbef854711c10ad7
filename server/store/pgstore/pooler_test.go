package pgstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestPooler keeps every promise behind PgBouncer, which gives each statement whatever
// connection is free.
func TestPooler(t *testing.T) {
	for _, mode := range []string{"transaction", "session"} {
		t.Run(mode, func(t *testing.T) {
			url := pgtest.Pooler(t, pgtest.Database(t), mode)
			storetest.Run(t, func(t *testing.T, now store.Clock) store.Store { return open(t, url, now) })
		})
	}
	t.Run("who waits for changes hears of them", func(t *testing.T) {
		url := pgtest.Pooler(t, pgtest.Empty(t), "transaction")
		a, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()

		received := make(chan string, 16)
		go b.Changes(t.Context(), func(userID string) { received <- userID })
		hears := func(event func() store.Event) {
			t.Helper()
			for range 60 {
				if err := a.Apply(t.Context(), store.Batch{store.AddEvent{Event: event()}}); err != nil {
					t.Fatal(err)
				}
				select {
				case id := <-received:
					if id != storetest.UserID(1) {
						t.Errorf("received a change of %q", id)
					}
					return
				case <-time.After(time.Second):
				}
			}
			t.Error("nothing was received")
		}
		var line store.Event
		hears(func() store.Event { // before it listens nothing is news
			line = store.NewEvent(time.Now(), storetest.UserID(1), shared.EventSignedIn, store.Client{})
			return line
		})
		// One that stands for several is written again, and began long ago.
		line = store.NewEvent(time.Now().Add(-time.Hour), storetest.UserID(1), shared.EventSignedIn, store.Client{})
		line.Count = 1
		for range 3 {
			line.Count, line.Last = line.Count+1, time.Now()
			hears(func() store.Event { return line })
		}
	})
}

// TestPoolerWithoutItsDatabase takes the database away from PgBouncer for a while: whoever asks
// meanwhile waits, and nothing is lost.
func TestPoolerWithoutItsDatabase(t *testing.T) {
	database, through := openGate(t, pgtest.Empty(t))
	url := pgtest.Pooler(t, through, "transaction")
	s, err := pgstore.Open(t.Context(), url, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	database.shuts()
	whatPoolerSays := func() string {
		asking, cancel := context.WithTimeout(t.Context(), time.Second) // it has the first ones wait
		defer cancel()
		conn, err := pgx.Connect(asking, url)
		if err == nil {
			_, err = conn.Exec(asking, "SELECT 1")
			conn.Close(asking)
		}
		return fmt.Sprint(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(whatPoolerSays(), "server_login_retry"); {
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer says %s", whatPoolerSays())
		}
	}
	done := make(chan error, 2)
	user := store.User{ID: storetest.UserID(1), Name: "ann", DisplayName: "Ann", Handle: []byte("handle"), Created: time.Now()}
	go func() { done <- s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}) }()
	go func() { _, err := s.HasAdministrator(t.Context()); done <- err }()
	opened := make(chan error, 1)
	go func() { // a node that starts now waits too
		b, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err == nil {
			b.Close()
		}
		opened <- err
	}()
	for _, asked := range []chan error{done, opened} {
		select {
		case err := <-asked:
			t.Fatalf("it didn't wait: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
	database.opens()
	for _, asked := range []chan error{done, done, opened} {
		if err := <-asked; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.UserByName(t.Context(), "ann"); err != nil {
		t.Errorf("what was answered isn't there: %v", err)
	}
}

// TestPoolerRefuses is what IT reads where PgBouncer isn't set up for this.
func TestPoolerRefuses(t *testing.T) {
	database := pgtest.Empty(t)
	for what, row := range map[string]struct{ mode, more, says string }{
		"a parameter": {"transaction", "&search_path=public", "passes the parameter search_path of the URL on to nobody"},
		"statements":  {"statement", "", "takes no transactions: write pool_mode = transaction"},
	} {
		t.Run(what, func(t *testing.T) {
			s, err := pgstore.Open(t.Context(), pgtest.Pooler(t, database, row.mode)+row.more, "", time.Now)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q", err, row.says)
			}
		})
	}
}

// TestStartsWithItsDatabase starts a node while the database is starting.
func TestStartsWithItsDatabase(t *testing.T) {
	database, url := openGate(t, pgtest.Empty(t))
	database.says("57P03", "the database system is starting up")
	opened := make(chan error, 1)
	go func() {
		s, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err == nil {
			s.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it didn't wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	database.opens()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
