package pgstore_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// wire stands between a store and its database, counts how often the store waits
// for an answer, and can cut the line.
type wire struct {
	url   string
	trips atomic.Int64
	// cutAfter cuts the line once the database has answered so often; 0 never does.
	cutAfter atomic.Int64
	cuts     atomic.Int64
}

func newWire(t *testing.T) *wire {
	t.Helper()
	target, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{}
	through := *target
	through.Host = listener.Addr().String()
	query := through.Query()
	query.Set("pool_max_conns", "1") // so that all goes over one line
	through.RawQuery = query.Encode()
	w.url = through.String()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target.Host)
			if err != nil {
				client.Close()
				continue
			}
			go w.carries(client, server)
		}
	}()
	return w
}

func (w *wire) carries(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	var asked atomic.Bool // something was sent and not answered yet
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := client.Read(buffer)
			if n > 0 {
				asked.Store(true)
				if _, err := server.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	both.Go(func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if n > 0 {
				if asked.Swap(false) {
					w.trips.Add(1)
					if left := w.cutAfter.Load(); left > 0 && w.cutAfter.Add(-1) == 0 {
						w.cuts.Add(1)
						return // the answer is lost
					}
				}
				if _, err := client.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil && !errors.Is(err, io.EOF) || n == 0 {
				return
			}
		}
	})
	both.Wait()
}

// signIn is what a sign-in with a passkey writes.
func signIn(user store.User, n byte) store.Batch {
	user.Passkeys[0].SignCount++
	now := time.Now()
	return store.Batch{
		store.SpendTicket(store.TicketID{n}, now.Add(time.Minute)),
		store.PutUser{User: user},
		store.AddSession{Session: store.Session{ID: storetest.SessionID(user.ID, fmt.Sprint(n)), UserID: user.ID, Created: now, Expires: now.Add(time.Hour)}},
		store.AddEvent{Event: store.NewEvent(now, user.ID, shared.EventSignedIn, store.Client{})},
	}
}

func onWire(t *testing.T) (*wire, *pgstore.Store) {
	t.Helper()
	w := newWire(t)
	s := open(t, w.url, time.Now)
	user := store.User{ID: storetest.UserID(1), Name: "ann", Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte(pgtest.Name())}, {ID: "q", CredentialID: []byte(pgtest.Name())}}}
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		t.Fatal(err)
	}
	return w, s
}

// TestRoundTrips counts what crosses the wire: a sign-in reads once and writes once.
func TestRoundTrips(t *testing.T) {
	w, s := onWire(t)
	read := func() store.User {
		t.Helper()
		user, err := s.User(t.Context(), storetest.UserID(1))
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	// The first time, statements are prepared.
	if err := s.Apply(t.Context(), signIn(read(), 1)); err != nil {
		t.Fatal(err)
	}
	user := read()
	quiet(w)

	before := w.trips.Load()
	if _, err := s.UserByCredential(t.Context(), user.Passkeys[0].CredentialID); err != nil {
		t.Fatal(err)
	}
	prepared := w.trips.Load() - before
	before = w.trips.Load()
	user = read()
	if n := w.trips.Load() - before; n != 1 {
		t.Errorf("a read took %d round trips (one that was new took %d)", n, prepared)
	}
	session := signIn(user, 1)[2].(store.AddSession).Session.ID
	for range 2 { // the first time, the statement is prepared
		before = w.trips.Load()
		if _, _, err := s.SessionUser(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.trips.Load() - before; n != 1 {
		t.Errorf("a session with its user took %d round trips", n)
	}
	before = w.trips.Load()
	if err := s.Apply(t.Context(), signIn(user, 2)); err != nil {
		t.Fatal(err)
	}
	if n := w.trips.Load() - before; n != 1 {
		t.Errorf("a batch took %d round trips", n)
	}
}

// quiet waits until all notifications to other nodes are sent.
func quiet(w *wire) {
	for last := int64(-1); last != w.trips.Load(); time.Sleep(time.Second) {
		last = w.trips.Load()
	}
}

// used has the pool use its connection. One that was idle for a second is asked first whether it is there, and the answer to
// that would be lost.
func used(t *testing.T, s *pgstore.Store) {
	t.Helper()
	if _, err := s.User(t.Context(), storetest.UserID(1)); err != nil {
		t.Fatal(err)
	}
}

// TestLostAnswer cuts the line when the database has written and says so. Nobody
// knows then that it has: the batch fails, and isn't sent again.
func TestLostAnswer(t *testing.T) {
	w, s := onWire(t)
	user, err := s.User(t.Context(), storetest.UserID(1))
	if err != nil {
		t.Fatal(err)
	}
	event := store.AddEvent{Event: store.NewEvent(time.Now(), storetest.UserID(1), shared.EventSignedIn, store.Client{})}
	if err := s.Apply(t.Context(), store.Batch{event}); err != nil {
		t.Fatal(err)
	}
	quiet(w)

	event.Event = store.NewEvent(time.Now(), storetest.UserID(1), shared.EventSignedOut, store.Client{})
	used(t, s)
	w.cutAfter.Store(1)
	if err := s.Apply(t.Context(), store.Batch{event}); err == nil {
		t.Error("a batch whose answer was lost succeeded")
	}
	if w.cuts.Load() != 1 {
		t.Fatalf("the line was cut %d times", w.cuts.Load())
	}
	events, err := s.Events(t.Context(), user.ID, store.EventID{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 {
		t.Errorf("%d events, want 2: it was written, once", len(events))
	}

	// A read that loses its answer asks again.
	quiet(w)
	used(t, s)
	w.cutAfter.Store(1)
	if _, err := s.User(t.Context(), storetest.UserID(1)); err != nil {
		t.Errorf("a read whose answer was lost: %v", err)
	}
	if w.cuts.Load() != 2 {
		t.Errorf("the line was cut %d times", w.cuts.Load())
	}
}
