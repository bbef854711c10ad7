package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
		return open(t, pgtest.Database(t), now)
	})
}

func open(t testing.TB, url string, now store.Clock) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), url, pgtest.Name(), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestOpen holds what IT reads when a database can't be used.
func TestOpen(t *testing.T) {
	good := pgtest.Database(t)
	parts, err := url.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	change := func(how func(*url.URL)) string {
		changed := *parts
		how(&changed)
		return changed.String()
	}
	server := pgtest.Start(t)
	server.Do(t, "postgres", `CREATE ROLE guest LOGIN`)
	server.Do(t, "postgres", `CREATE DATABASE strict`)
	guest := strings.Replace(server.URL("strict"), "postgres@", "guest@", 1)

	standby := server.Standby(t)

	newer := pgtest.Empty(t)
	opened, err := pgstore.Open(t.Context(), newer, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	does(t, newer, `INSERT INTO keypeg_schema (number, needs) VALUES (1000, 1000)`)

	for what, test := range map[string]struct{ url, says string }{
		"a URL that is none":       {"postgres://a b:x/", "write it as postgres://user@host:5432/database"},
		"a port where nobody is":   {change(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "can't be reached: check host and port"},
		"a host that isn't there":  {change(func(u *url.URL) { u.Host = "nowhere.invalid" }), "can't be reached"},
		"a database that isn't":    {change(func(u *url.URL) { u.Path = "/nowhere" }), `no database "nowhere"`},
		"a user who isn't":         {change(func(u *url.URL) { u.User = url.UserPassword("nobody", "a secret") }), `doesn't let "nobody" in`},
		"a user without rights":    {guest, `may not do what Keypeg needs`},
		"a database that is newer": {newer, "update this program"},
		"a standby":                {standby.URL("postgres"), "it may be a standby"},
		"standbys only":            {standby.URL("postgres") + "&target_session_attrs=read-write", "promote a standby"},
	} {
		t.Run(what+" gets a sentence, without the password", func(t *testing.T) {
			s, err := pgstore.Open(t.Context(), test.url, "", time.Now)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "a secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
		})
	}
	if left := ask[int](t, server.URL("strict"), `SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%keypeg%'`); left != 0 {
		t.Errorf("the user without rights left %d tables", left)
	}
	t.Run("logs don't get it either", func(t *testing.T) {
		got := pgstore.Redacted("postgres://ann:secret@host/db?password=secret&sslmode=disable")
		if strings.Contains(got, "secret") || !strings.Contains(got, "ann@host/db") {
			t.Error(got)
		}
	})
}

func does(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func ask[T any](t *testing.T, url, sql string) (answer T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func TestMigrations(t *testing.T) {
	t.Run("of many nodes that start at once each finds its tables", func(t *testing.T) {
		empty := pgtest.Empty(t)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				s, err := pgstore.Open(t.Context(), empty, "", time.Now)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: fmt.Sprint(i), Name: fmt.Sprint(i)}}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := ask[int](t, empty, `SELECT count(*) FROM users`); n != 8 {
			t.Errorf("%d users", n)
		}
	})
	t.Run("a database that is further, and says that we can live with it, is used as it is", func(t *testing.T) {
		further := pgtest.Empty(t)
		s, err := pgstore.Open(t.Context(), further, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		does(t, further, `INSERT INTO keypeg_schema (number, needs) SELECT max(number) + 1, 1 FROM keypeg_schema; ALTER TABLE users ADD COLUMN nickname text NOT NULL DEFAULT ''`)
		s, err = pgstore.Open(t.Context(), further, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: "1", Name: "ann"}}}); err != nil {
			t.Error(err)
		}
		if _, err := s.User(t.Context(), "1"); err != nil {
			t.Error(err)
		}
	})
}

func TestOrganisations(t *testing.T) {
	one, two := open(t, pgtest.Database(t), time.Now), open(t, pgtest.Database(t), time.Now)
	user := store.User{ID: "1", Name: "ann", Admin: true, Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte("c")}}}
	session := store.Session{ID: store.HashOf("x"), UserID: "1", Expires: time.Now().Add(time.Hour)}
	batch := store.Batch{store.PutUser{User: user}, store.AddSession{Session: session}, store.AddSecret{Name: "s", Value: []byte("one")},
		store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: time.Now().Add(time.Hour)}}}
	if err := one.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if _, err := two.UserByCredential(t.Context(), []byte("c")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a passkey of another organisation: %v", err)
	}
	if has, err := two.HasAdministrator(t.Context()); has || err != nil {
		t.Errorf("its administrator: %t, %v", has, err)
	}
	if err := two.Apply(t.Context(), batch); err != nil {
		t.Errorf("the same names and ids in another organisation: %v", err)
	}
	if err := two.Apply(t.Context(), store.Batch{store.EndSessions{UserID: "1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Session(t.Context(), session.ID); err != nil {
		t.Errorf("ending another organisation's sessions ended this one's: %v", err)
	}
}

// TestMovedWhileEnded lets sessions get new ids while all of their user's end.
func TestMovedWhileEnded(t *testing.T) {
	s := open(t, pgtest.Database(t), time.Now)
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: "1", Name: "ann"}}}); err != nil {
		t.Fatal(err)
	}
	for round := range 200 {
		session := store.Session{ID: store.HashOf(fmt.Sprint("old", round)), UserID: "1", Expires: time.Now().Add(time.Hour)}
		if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
			t.Fatal(err)
		}
		moved := session
		moved.ID = store.HashOf(fmt.Sprint("new", round))
		var both sync.WaitGroup
		both.Go(func() {
			err := s.Apply(t.Context(), store.Batch{store.ReplaceSession{Old: session.ID, Session: moved}})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
		})
		both.Go(func() {
			if err := s.Apply(t.Context(), store.Batch{store.EndSessions{UserID: "1"}}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if left, err := s.Sessions(t.Context(), "1", store.Hash{}, 9); err != nil || len(left) != 0 {
			t.Fatalf("round %d: %d sessions live on (%v)", round, len(left), err)
		}
	}
}

// TestChanges lets one node hear of what happens on another.
func TestChanges(t *testing.T) {
	organisation := pgtest.Name()
	opens := func() *pgstore.Store {
		s, err := pgstore.Open(t.Context(), pgtest.Database(t), organisation, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	here, there, stranger := opens(), opens(), open(t, pgtest.Database(t), time.Now)
	heard := make(chan string, 1000)
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { there.Changes(ctx, func(id string) { heard <- id }) })
	t.Cleanup(func() { stop(); listening.Wait() })

	happens := func(s *pgstore.Store, user string) {
		t.Helper()
		event := store.NewEvent(time.Now(), user, shared.EventSignedIn, store.Client{})
		if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	hears := func(user string) {
		t.Helper()
		for deadline := time.After(20 * time.Second); ; {
			select {
			case id := <-heard:
				if id == user {
					return
				}
				if id == "stranger" {
					t.Error("another organisation's change was heard")
				}
			case <-deadline:
				t.Fatalf("never heard of %s", user)
			}
		}
	}
	happens(stranger, "stranger")
	happens(here, "ann")
	hears("ann")
	happens(here, "bob")
	hears("bob")
	// Without notifications, and with its connection cut, it hears all the same.
	does(t, pgtest.Database(t), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`)
	happens(here, "carol")
	hears("carol")
}
