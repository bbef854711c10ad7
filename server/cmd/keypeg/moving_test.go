package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// filledDatabase is a file with so many users, who have passkeys, sessions and events.
func filledDatabase(t *testing.T, users int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "full.db")
	db, err := boltstore.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	batch := store.Batch{store.Secrets.Put(store.Entry[[]byte]{Key: "ticket-key", Value: []byte("a key of thirty-two bytes or so.")})}
	for i := range users {
		id := storetest.UserID(i)
		batch = append(batch,
			store.PutUser{User: store.User{ID: id, Name: fmt.Sprintf("user%06d", i), Handle: []byte(id), Created: time.Now(), Passkeys: []store.Passkey{
				{ID: "a", CredentialID: []byte("a" + id), PublicKey: bytes.Repeat([]byte{1}, 77), Name: "Laptop"}, {ID: "b", CredentialID: []byte("b" + id), Name: "Phone"},
			}}},
			store.AddSession{Session: store.Session{ID: storetest.SessionID(id, ""), UserID: id, Created: time.Now(), Expires: time.Now().Add(24 * time.Hour)}},
			store.AddEvent{Event: store.NewEvent(time.Now(), id, shared.EventSignedIn, store.Client{Browser: "Firefox", Address: "::1"})})
		if len(batch) > 3000 || i == users-1 {
			if err := db.Apply(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTally checks how IT reads what a backup has.
func TestTally(t *testing.T) {
	for want, counts := range map[string]map[store.Kind]int{
		"nothing, as there is nothing":                           {store.KindUser: 0},
		"1 user, 1 session, 1 event, 1 other record":             {store.KindUser: 1, store.KindSession: 1, store.KindEvent: 1, store.KindItem: 1},
		"1200 users, 9 sessions, 34000 events, 61 other records": {store.KindUser: 1200, store.KindSession: 9, store.KindEvent: 34000, store.KindItem: 61},
	} {
		if got := tally(counts); got != want {
			t.Errorf("%v: got %q, want %q", counts, got, want)
		}
	}
}

// command is one of the program's, as IT types it.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// isKilled runs a command, kills it at a random moment, and reports whether it had
// ended by itself before, which it must have done well.
func isKilled(t *testing.T, atMost time.Duration, args ...string) (killed bool) {
	t.Helper()
	c := command(t, args...)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(rand.N(atMost), func() { c.Process.Kill() })
	defer timer.Stop()
	err := c.Wait()
	if exit, is := errors.AsType[*exec.ExitError](err); is && exit.Sys().(syscall.WaitStatus).Signaled() {
		return true
	}
	if err != nil {
		t.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, output.String())
	}
	return false
}

func fingerprint(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(content)
}

// TestCopyKilled kills a copy again and again. Until it is done nothing uses its
// target, and the source stays as it is.
func TestCopyKilled(t *testing.T) {
	users := 4000
	if soaking {
		users = 100_000
	}
	source := filledDatabase(t, users)
	before := fingerprint(t, source)
	for name, target := range map[string]string{
		"into a file":     filepath.Join(t.TempDir(), "copy.db"),
		"into PostgreSQL": pgtest.Empty(t),
	} {
		t.Run(name, func(t *testing.T) {
			kills, refused := 0, 0
			patience := 100 * time.Millisecond
			for isKilled(t, patience, "store", "copy", "--from", source, "--to", target) {
				kills++
				patience += patience / 5 // or it might never come to an end
				if out, err := command(t, "user", "list", "--database", target).CombinedOutput(); err != nil {
					refused++
					if !isRefusedAsHalf(string(out)) {
						t.Errorf("the half target: %s", out)
					}
				} else if n := bytes.Count(out, []byte("\nuser")); n == users {
					break // it was killed when all was done
				} else if n > 0 {
					t.Errorf("the half target is used, with %d users:\n%.300s", n, out)
				}
				if fingerprint(t, source) != before {
					t.Fatal("the source was changed")
				}
			}
			if fingerprint(t, source) != before {
				t.Error("the source was changed")
			}
			out, err := command(t, "user", "list", "--database", target).Output()
			if n := bytes.Count(out, []byte("\n")) - 1; err != nil || n != users {
				t.Errorf("%d users after %d kills (%v), want %d", n, kills, err, users)
			}
			t.Logf("%d kills, %d times the target was refused", kills, refused)
			if kills == 0 {
				t.Error("it was never killed: this test shows nothing")
			}
		})
	}
}

// isRefusedAsHalf reports whether a command printed that its database isn't one yet: a copy may
// have been killed in its midst, or before it wrote anything.
func isRefusedAsHalf(output string) bool {
	for _, why := range []string{"is a copy that was not finished", "was cut off", "there is nothing of Keypeg", "there is no database at"} {
		if strings.Contains(output, why) {
			return true
		}
	}
	return false
}

// TestBackupKilled backs a running server up, and kills the backups. What is at
// the backup's name is whole, and the server goes on.
func TestBackupKilled(t *testing.T) {
	p := newProgram(t, "--confirm-after", "24h")
	people := witnesses(p, "user", 4)
	p.starts()
	var working sync.WaitGroup
	enough := make(chan struct{})
	for _, w := range people {
		working.Go(func() { w.works(enough) })
	}
	moreAnswers(t, people)

	folder := t.TempDir()
	kills, whole := 0, 0
	within := 80 * time.Millisecond
	for round := 0; kills < 10 || whole < 3; round++ {
		backup := filepath.Join(folder, fmt.Sprint(round))
		killed := isKilled(t, within, "backup", backup, "--database", p.database)
		if killed {
			kills++
		}
		if _, err := os.Stat(backup); errors.Is(err, os.ErrNotExist) && killed {
			within += within / 10 // a busy machine takes longer
			continue
		}
		whole++
		if out, err := command(t, "backup", "verify", backup).CombinedOutput(); err != nil || !strings.Contains(string(out), "is whole: 4 users") {
			t.Errorf("a backup: %v\n%s", err, out)
		}
		if round > 1000 {
			t.Fatalf("%d kills, %d backups", kills, whole)
		}
	}
	moreAnswers(t, people)
	close(enough)
	working.Wait()
	p.ends(syscall.SIGTERM)
	p.opens(func(db store.Store) {
		for _, w := range people {
			w.compares(db)
		}
	})
	t.Logf("%d kills, %d whole backups", kills, whole)
}

// TestRestoreKilled kills restores. Afterwards there is no database, or a whole one.
func TestRestoreKilled(t *testing.T) {
	backup := filledDatabase(t, 4000)
	before := fingerprint(t, backup)
	folder := t.TempDir()
	kills, whole := 0, 0
	within := 250 * time.Millisecond
	for round := 0; kills < 10 || whole < 2; round++ {
		database := filepath.Join(folder, fmt.Sprint(round), "keypeg.db")
		killed := isKilled(t, within, "restore", backup, "--database", database)
		if killed {
			kills++
		}
		if _, err := os.Stat(database); errors.Is(err, os.ErrNotExist) && killed {
			within += within / 10 // a busy machine takes longer
			continue
		}
		whole++
		if _, err := boltstore.Check(database, time.Now()); err != nil {
			t.Error(err)
		}
		if out, err := command(t, "signals", "status", "--database", database).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "off: ") {
			t.Errorf("the page may signal: %v, %s", err, out)
		}
		if fingerprint(t, backup) != before {
			t.Fatal("the backup was changed")
		}
		if round > 1000 {
			t.Fatalf("%d kills, %d restores", kills, whole)
		}
	}
	t.Logf("%d kills, %d whole databases", kills, whole)
}

// TestMoves takes one installation from a file to PostgreSQL, by a backup and back.
// Sessions go on, and passkeys sign in.
func TestMoves(t *testing.T) {
	url := pgtest.Empty(t)
	first := newProgram(t)
	_, token := first.hasUser("ann")
	first.starts()
	device := passkeytest.New(first.url)
	if _, err := first.opensTab(device, token).steps.Register(t.Context(), "Laptop", ""); err != nil {
		t.Fatal(err)
	}
	done := func(args ...string) {
		t.Helper()
		if out, err := command(t, args...).CombinedOutput(); err != nil {
			t.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	folder := t.TempDir()
	running, backup, restored := filepath.Join(folder, "running.db"), filepath.Join(folder, "backup.db"), filepath.Join(folder, "restored.db")
	done("backup", running, "--database", first.database)
	done("backup", "verify", running)
	first.ends(syscall.SIGTERM)
	done("store", "copy", "--from", first.database, "--to", url)
	done("backup", backup, "--database", url)
	done("restore", backup, "--database", restored)
	for _, database := range []string{running, url, backup, restored} {
		next := newProgramOn(t, database, first.url)
		next.starts()
		// The sessions of a backup end where it is restored.
		if _, err := next.opensTab(device, token).Passkeys(t.Context()); (err == nil) != (database != restored) {
			t.Errorf("the session in %s: %v", database, err)
		}
		if _, err := next.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
			t.Errorf("the passkey in %s: %v", database, err)
		}
		next.ends(syscall.SIGTERM)
	}
}

// TestDatabaseRefused types databases that can't be used.
func TestDatabaseRefused(t *testing.T) {
	full, other := filledDatabase(t, 3), filledDatabase(t, 1)
	empty := filepath.Join(t.TempDir(), "new.db")
	text := filepath.Join(t.TempDir(), "diary.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear diary.\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		`no kind of database called "mysql"`:          {"serve", "--database", "mysql://host/x"},
		"nobody listens at 127.0.0.1:1":               {"serve", "--database", "postgres://nobody@127.0.0.1:1/x"},
		"isn't a Keypeg database":                     {"serve", "--database", text},
		"the target isn't empty":                      {"store", "copy", "--from", full, "--to", other},
		"no such file":                                {"store", "copy", "--from", empty, "--to", empty + "2"},
		"there is a database at " + full + " already": {"restore", other, "--database", full},
		"there is something at " + full + " already":  {"backup", full, "--database", other},
		"isn't a Keypeg database: choose":             {"backup", "verify", text},
	} {
		before := [...]any{fingerprint(t, full), fingerprint(t, other), fingerprint(t, text)}
		out, err := command(t, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) || strings.Contains(string(out), "goroutine") || strings.Count(string(out), "\n") > 2 {
			t.Errorf("keypeg %s: %v\n%s\nwant a failure that says %q", strings.Join(args, " "), err, out, says)
		}
		if after := [...]any{fingerprint(t, full), fingerprint(t, other), fingerprint(t, text)}; after != before {
			t.Errorf("keypeg %s: something was written", strings.Join(args, " "))
		}
		if _, err := os.Stat(empty); err == nil {
			t.Errorf("keypeg %s: a file was made", strings.Join(args, " "))
		}
	}
}

// halfCopy begins to fill a database with those of a file's records that a restore takes.
func halfCopy(t *testing.T, file, database string) {
	t.Helper()
	nothingExpires := func() time.Time { return time.Unix(0, 0) }
	from, err := boltstore.OpenReadOnly(file, nothingExpires)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := installation.OpenStore(t.Context(), database, "", nothingExpires)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	killed, kill := context.WithCancel(t.Context())
	if _, err := transfer.Copy(killed, without{from, []store.Kind{store.KindSession}}, to, func(int, int) { kill() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("it wasn't interrupted: %v", err)
	}
}

// TestOnlyRead names databases to commands that read them, or refuse to fill them. They
// make nothing there, and bring nothing up to date.
func TestOnlyRead(t *testing.T) {
	backup, folder := filledDatabase(t, 3), t.TempDir()
	made := filepath.Join(folder, "made.db")
	// asks runs a statement in a database, and returns what it says.
	asks := func(t *testing.T, url, sql string) (answer string) {
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
	refuses := func(t *testing.T, says string, args ...string) {
		t.Helper()
		out, err := command(t, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("keypeg %s: %v\n%s\nwant a refusal that says %q", strings.Join(args, " "), err, out, says)
		}
		if left, _ := filepath.Glob(made + "*"); len(left) > 0 {
			t.Errorf("keypeg %s made %q", strings.Join(args, " "), left)
			os.Remove(made)
		}
	}
	// filled copies a file into a PostgreSQL database.
	filled := func(t *testing.T, from string, args ...string) (url string) {
		t.Helper()
		url = pgtest.Empty(t)
		if out, err := command(t, append([]string{"store", "copy", "--from", from, "--to", url}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return url
	}
	const (
		tables  = `SELECT count(*)::text FROM information_schema.tables WHERE table_schema = 'public'`
		version = `SELECT coalesce(max(number), 0)::text FROM keypeg_schema`
		outdate = `DELETE FROM keypeg_schema WHERE number = (SELECT max(number) FROM keypeg_schema) RETURNING number::text`
	)

	t.Run("a database that isn't Keypeg's", func(t *testing.T) {
		url := pgtest.Empty(t)
		refuses(t, "there is nothing of Keypeg", "restore", backup, "--database", made, "--previous", url)
		refuses(t, "there is nothing of Keypeg", "store", "copy", "--from", url, "--to", made)
		refuses(t, "there is nothing of Keypeg", "store", "copy", "--from", url, "--to", made, "--edition", "cloud")
		refuses(t, "there is nothing of Keypeg", "backup", made, "--database", url)
		refuses(t, "there is nothing of Keypeg", "backup", made, "--database", url, "--edition", "cloud", "--tenant", "acme")
		if n := asks(t, url, tables); n != "0" {
			t.Errorf("there are %s tables", n)
		}
	})
	t.Run("one of an earlier version", func(t *testing.T) {
		for edition, more := range map[string][]string{"on-premise": nil, "cloud": {"--edition", "cloud"}} {
			from := backup
			if edition == "cloud" {
				p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
				p.begins()
				p.adds("acme")
				from = p.database
			}
			url := filled(t, from, more...)
			latest := asks(t, url, outdate)
			const why = "is of an earlier version"
			refuses(t, why, append([]string{"store", "copy", "--from", url, "--to", made}, more...)...)
			refuses(t, why, append([]string{"store", "copy", "--from", from, "--to", url}, more...)...)
			if edition == "cloud" {
				refuses(t, why, "backup", made, "--database", url, "--edition", "cloud", "--tenant", "acme")
				refuses(t, why, "backup", made, "--database", url, "--edition", "cloud", "--tenant-list")
			} else {
				refuses(t, why, "restore", backup, "--database", made, "--previous", url)
				refuses(t, why, "restore", backup, "--database", url)
				refuses(t, why, "backup", made, "--database", url)
			}
			if now := asks(t, url, version); now == latest {
				t.Errorf("%s: it was brought up to date", edition)
			}
		}
	})
	t.Run("a copy that wasn't finished", func(t *testing.T) {
		file := filepath.Join(folder, "half.db")
		for _, half := range []string{file, pgtest.Empty(t)} {
			halfCopy(t, backup, half)
			const why = "was not finished"
			refuses(t, why, "store", "copy", "--from", half, "--to", made)
			refuses(t, why, "backup", made, "--database", half)
			refuses(t, why, "restore", backup, "--database", made, "--previous", half)
		}
		refuses(t, "was not finished", "backup", "verify", file)
		refuses(t, "was not finished", "restore", file, "--database", made)
	})
	t.Run("a previous database without users", func(t *testing.T) {
		empty := filepath.Join(folder, "empty.db")
		newProgramOn(t, empty, "").opens(func(store.Store) {})
		refuses(t, "there are no users in the previous database", "restore", backup, "--database", made, "--previous", empty)
	})
}
