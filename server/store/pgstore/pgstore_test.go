package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
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

// ann is the id of a user.
var ann = storetest.UserID(1)

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
	server.Do(t, "postgres", `CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	guest := strings.Replace(server.URL("strict"), "postgres@", "guest@", 1)

	server.Do(t, "postgres", `CREATE ROLE few LOGIN CONNECTION LIMIT 0; CREATE ROLE "Slow" LOGIN SUPERUSER; CREATE ROLE reads LOGIN SUPERUSER; CREATE ROLE lost LOGIN SUPERUSER; CREATE ROLE nameless LOGIN`)
	server.Do(t, "postgres", `ALTER ROLE reads SET default_transaction_read_only = on; ALTER ROLE lost SET search_path = nowhere`)
	server.Do(t, "postgres", `CREATE DATABASE crowded CONNECTION LIMIT 0`)
	as := func(user, database string) string {
		return strings.Replace(server.URL(database), "postgres@", user+"@", 1)
	}

	standby := server.Standby(t)

	newer := pgtest.Empty(t)
	opened, err := pgstore.Open(t.Context(), newer, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	does(t, newer, `INSERT INTO keypeg_schema (number, needs) VALUES (1000, 1000)`)

	for what, test := range map[string]struct{ url, says string }{
		"a URL that is none":                   {"postgres://a b:x/", "write it as postgres://user@host:5432/database"},
		"a port where nobody is":               {change(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "nobody listens at 127.0.0.1:1: check host and port"},
		"a host that isn't there":              {change(func(u *url.URL) { u.Host = "nowhere.invalid" }), `there is no host "nowhere.invalid"`},
		"a database that isn't":                {change(func(u *url.URL) { u.Path = "/nowhere" }), `no database "nowhere"`},
		"a user who isn't":                     {change(func(u *url.URL) { u.User = url.UserPassword("nobody", "a secret") }), `doesn't let "nobody" in`},
		"a user without rights":                {guest, `may not do what Keypeg needs`},
		"a database that is newer":             {newer, "update this program"},
		"a standby":                            {standby.URL("postgres"), "because it is a standby"},
		"one without TLS":                      {change(func(u *url.URL) { u.RawQuery = "sslmode=require" }), "offers no TLS: turn it on there (ssl = on), or write sslmode=disable"},
		"one of another encoding":              {server.URL("ascii"), "the encoding SQL_ASCII, which can't hold all names: make another with createdb --encoding=UTF8"},
		"a search path to a schema that isn't": {as("lost", "strict"), `ALTER ROLE "lost" SET search_path = public`},
		"a search path to what doesn't last":   {server.URL("strict") + "&search_path=pg_temp", "is pg_temp, which leads to no schema where tables can be"},
		"a user who may only read":             {as("reads", "strict"), `ALTER ROLE "reads" SET default_transaction_read_only = off`},
		"a user with too few connections":      {as("few", "strict"), `ALTER ROLE "few" CONNECTION LIMIT -1`},
		"a database with too few connections":  {as("guest", "crowded"), `ALTER DATABASE "crowded" CONNECTION LIMIT -1`},
		"a user without time":                  {as("Slow", "strict") + "&statement_timeout=1", `ALTER ROLE "Slow" SET statement_timeout = 0`},
		"a URL without a database":             {strings.Replace(as("nameless", "strict"), "/strict", "", 1), `there is no database "nameless"`},
		"a certificate that isn't":             {change(func(u *url.URL) { u.RawQuery = "sslmode=verify-full&sslrootcert=%2Fnowhere" }), "sslrootcert in the database URL names no file that can be read"},
		"a file of passwords that isn't":       {change(func(u *url.URL) { u.RawQuery = "passfile=%2Fdev%2Fzero" }), "passfile in the database URL names no file"},
		"a word that isn't one":                {change(func(u *url.URL) { u.RawQuery = "sslmode=a secret" }), "sslmode in the database URL has a value that can't be used"},
		"a number that isn't one":              {change(func(u *url.URL) { u.RawQuery = "pool_max_conns=many" }), "pool_max_conns in the database URL has a value that can't be used"},
		"a folder without a socket":            {"postgres://ann:a%20secret@%2Fnowhere%2Frun:5433/db", "at /nowhere/run can't be reached: no database's socket is in that folder"},
		"standbys only":                        {standby.URL("postgres") + "&target_session_attrs=read-write", "promote a standby"},
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
	t.Run("a variable names what is no file", func(t *testing.T) {
		t.Setenv("PGSSLROOTCERT", os.DevNull)
		if err := pgstore.Check(good); err == nil || !strings.Contains(err.Error(), "PGSSLROOTCERT names no file that can be read") {
			t.Errorf("got %v", err)
		}
	})
	if left := ask[int](t, server.URL("strict"), `SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%keypeg%'`); left != 0 {
		t.Errorf("the user without rights left %d tables", left)
	}
	t.Run("logs don't get it either", func(t *testing.T) {
		for url, want := range map[string]string{
			"postgres://ann:secret@host/db?password=secret&sslmode=disable":          "postgres://ann@host:5432/db",
			"postgresql://ann:s%23cret@h1:1,h2:2/db?target_session_attrs=read-write": "postgres://ann@h1:1,h2:2/db",
			"POSTGRES://ann:secret@[::1]:5433/db":                                    "postgres://ann@[::1]:5433/db",
			"postgres://ann:secret@/db?host=/var/run":                                "postgres://ann@/var/run/db",
			"postgres://ann:secret@%2Fvar%2Frun:5433/db?sslmode=disable":             "postgres://ann@/var/run/db",
			"postgres://%2fvar%2frun/db?user=ann&password=secret":                    "postgres://ann@/var/run/db",
			"postgres://ann:secret@host":                                             "postgres://ann@host:5432/ann",
			"postgres://ann:2024#secret@host/db":                                     "a database URL that can't be read",
		} {
			if got := pgstore.Describe(url); got != want {
				t.Errorf("%s: got %s, want %s", url, got, want)
			}
		}
	})
}

func TestHasPassword(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://ann@host/db":                                  false,
		"postgres://ann@host/db?sslcert=%2Fcert&sslkey=%2Fkey":    false,
		"/srv/password=x":                                         false,
		"postgres://ann:secret@host/db":                           true,
		"postgresql://host/db?user=ann&password=secret":           true,
		"postgres://ann:secret@%2Fvar%2Frun/db":                   true,
		"postgres://ann@host/db?sslkey=%2Fkey&sslpassword=secret": true,
	} {
		if got := pgstore.HasPassword(url); got != want {
			t.Errorf("%s: %t", url, got)
		}
	}
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
				if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: storetest.UserID(i), Name: fmt.Sprint(i)}}}); err != nil {
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
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: ann, Name: "ann"}}}); err != nil {
			t.Error(err)
		}
		if _, err := s.User(t.Context(), ann); err != nil {
			t.Error(err)
		}
	})
}

func TestOrganisations(t *testing.T) {
	one, two := open(t, pgtest.Database(t), time.Now), open(t, pgtest.Database(t), time.Now)
	user := store.User{ID: ann, Name: "ann", Role: shared.RoleAdministrator, Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte("c")}}}
	session := store.Session{ID: storetest.SessionID(ann, "x"), UserID: ann, Expires: time.Now().Add(time.Hour)}
	batch := store.Batch{store.PutUser{User: user}, store.AddSession{Session: session}, store.PutItem{Item: store.Item{Collection: "note", Value: []byte("1")}}}
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
	if err := two.Apply(t.Context(), store.Batch{store.EndSessions{UserID: ann}}); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Session(t.Context(), session.ID); err != nil {
		t.Errorf("ending another organisation's sessions ended this one's: %v", err)
	}
}

// TestDatabase serves several organisations in one process.
func TestDatabase(t *testing.T) {
	url := pgtest.Empty(t)
	db, err := pgstore.OpenDatabase(t.Context(), url+"&application_name=shared&pool_max_conns=2", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	stores := make([]*pgstore.Store, 50)
	for i := range stores {
		stores[i] = db.Organisation(fmt.Sprint("org-", i))
		later := time.Now().Add(time.Hour)
		err := stores[i].Apply(t.Context(), store.Batch{
			store.PutUser{User: store.User{ID: ann, Name: "ann", Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte("c")}},
				Identities: []store.Identity{{ID: "i", Issuer: "https://login.example.com", Subject: "1"}}}},
			store.AddSession{Session: store.Session{ID: storetest.SessionID(ann, "x"), UserID: ann, Expires: later}},
			store.AddEvent{Event: store.NewEvent(time.Now(), ann, shared.EventSignedIn, store.Client{})},
			store.PutItem{Item: store.Item{Owner: ann, Collection: "note", Value: []byte("1")}},
			store.SpendTicket(store.TicketID{1}, later),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rowsOf := func(organisation string) (n int) {
		t.Helper()
		for _, table := range []string{"users", "passkeys", "identities", "sessions", "events", "items", "counts"} {
			n += ask[int](t, url, `SELECT count(*) FROM `+table+` WHERE organisation = '`+organisation+`'`)
		}
		return n
	}

	t.Run("they share connections, and hear of their own changes", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		received := make(chan [2]string, 1000)
		var listening sync.WaitGroup
		listening.Go(func() { db.Changes(ctx, func(organisation, user string) { received <- [2]string{organisation, user} }) })
		defer func() { stop(); listening.Wait() }()
		// What happened before it began to listen is not notified, so it happens until a change is received.
		late, again := time.After(2*time.Minute), time.NewTicker(50*time.Millisecond)
		for waiting := map[[2]string]bool{{"org-3", storetest.UserID(3)}: true, {"org-7", storetest.UserID(7)}: true}; len(waiting) > 0; {
			select {
			case <-again.C:
				for _, i := range []int{3, 7} {
					event := store.NewEvent(time.Now(), storetest.UserID(i), shared.EventSignedIn, store.Client{})
					if err := stores[i].Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
						t.Fatal(err)
					}
				}
			case sent := <-received:
				delete(waiting, sent)
				if sent == [2]string{"org-3", storetest.UserID(7)} || sent == [2]string{"org-7", storetest.UserID(3)} {
					t.Errorf("a change was sent to another organisation: %v", sent)
				}
			case <-late:
				t.Fatalf("no change of %v was received", waiting)
			}
		}
		if n := ask[int](t, url, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shared'`); n > 3 {
			t.Errorf("%d organisations have %d connections, want two and the one that listens", len(stores), n)
		}
	})
	t.Run("closing one leaves the others open", func(t *testing.T) {
		stores[0].Close()
		if _, err := stores[0].User(t.Context(), ann); err == nil {
			t.Error("a closed store still answers")
		}
		if err := stores[0].Apply(t.Context(), store.Batch{store.EndSessions{UserID: ann}}); err == nil {
			t.Error("a closed store still writes")
		}
		if _, err := stores[1].User(t.Context(), ann); err != nil {
			t.Errorf("another one: %v", err)
		}
		again := db.Organisation("org-0")
		defer again.Close()
		if _, err := again.Session(t.Context(), storetest.SessionID(ann, "x")); err != nil {
			t.Errorf("opened again: %v", err)
		}
	})
	t.Run("removing one removes all of its rows, and no other's", func(t *testing.T) {
		before := rowsOf("org-2")
		for range 2 { // the second finds nothing
			if err := db.Remove(t.Context(), "org-1"); err != nil {
				t.Fatal(err)
			}
			if n := rowsOf("org-1"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		}
		if n := rowsOf("org-2"); n != before || n < 8 {
			t.Errorf("another had %d rows, and has %d", before, n)
		}
	})
	t.Run("every table of organisations has the column that Remove looks for", func(t *testing.T) {
		tables := ask[int](t, url, `SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> 'keypeg_schema'`)
		with := ask[int](t, url, `SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'organisation'`)
		if tables != with {
			t.Errorf("%d tables, of which %d have it", tables, with)
		}
	})
}

// TestMovedWhileEnded lets sessions get new ids while all of their user's end.
func TestMovedWhileEnded(t *testing.T) {
	s := open(t, pgtest.Database(t), time.Now)
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: ann, Name: "ann"}}}); err != nil {
		t.Fatal(err)
	}
	for round := range 200 {
		session := store.Session{ID: storetest.SessionID(ann, fmt.Sprint("old", round)), UserID: ann, Expires: time.Now().Add(time.Hour)}
		if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
			t.Fatal(err)
		}
		moved := session
		moved.ID = storetest.SessionID(ann, fmt.Sprint("new", round))
		var both sync.WaitGroup
		both.Go(func() {
			err := s.Apply(t.Context(), store.Batch{store.ReplaceSession{Old: session.ID, Session: moved}})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
		})
		both.Go(func() {
			if err := s.Apply(t.Context(), store.Batch{store.EndSessions{UserID: ann}}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if left, err := s.Sessions(t.Context(), ann, store.Hash{}, 9); err != nil || len(left) != 0 {
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
	received := make(chan string, 1000)
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { there.Changes(ctx, func(id string) { received <- id }) })
	t.Cleanup(func() { stop(); listening.Wait() })

	early, other, bob, carol := storetest.UserID(2), storetest.UserID(3), storetest.UserID(4), storetest.UserID(5)
	happens := func(s *pgstore.Store, user string) {
		t.Helper()
		event := store.NewEvent(time.Now(), user, shared.EventSignedIn, store.Client{})
		if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	hears := func(user string) {
		t.Helper()
		for deadline := time.After(2 * time.Minute); ; {
			select {
			case id := <-received:
				if id == user {
					return
				}
				if id == other {
					t.Error("another organisation's change was received")
				}
			case <-deadline:
				t.Fatalf("no change of %s was received", user)
			}
		}
	}
	// What happened before it listened it doesn't hear of.
	for listens := false; !listens; {
		happens(here, early)
		select {
		case <-received:
			listens = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	happens(stranger, other)
	happens(here, ann)
	hears(ann)
	happens(here, bob)
	hears(bob)
	// Without notifications, and with its connection cut, it hears all the same.
	does(t, pgtest.Database(t), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`)
	happens(here, carol)
	hears(carol)
}
