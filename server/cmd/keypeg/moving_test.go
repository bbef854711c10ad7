package main

import (
	"bytes"
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

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
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
	batch := store.Batch{store.AddSecret{Name: "ticket-key", Value: []byte("a key of thirty-two bytes or so.")}}
	for i := range users {
		id := fmt.Sprintf("id%06d", i)
		batch = append(batch,
			store.PutUser{User: store.User{ID: id, Name: fmt.Sprintf("user%06d", i), Handle: []byte(id), Created: time.Now(), Passkeys: []store.Passkey{
				{ID: "a", CredentialID: []byte("a" + id), PublicKey: bytes.Repeat([]byte{1}, 77), Name: "Laptop"}, {ID: "b", CredentialID: []byte("b" + id), Name: "Phone"},
			}}},
			store.AddSession{Session: store.Session{ID: store.HashOf(id), UserID: id, Created: time.Now(), Expires: time.Now().Add(24 * time.Hour)}},
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

// command is one of the program's, as IT types it.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// isKilled runs a command, kills it at a random moment, and tells whether it had
// ended by itself before, which it must have done well.
func isKilled(t *testing.T, atMost time.Duration, args ...string) (killed bool) {
	t.Helper()
	c := command(t, args...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
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
		t.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, said.String())
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
				} else if strings.Contains(string(out), "user0") {
					t.Errorf("the half target is used:\n%.300s", out)
				}
				if fingerprint(t, source) != before {
					t.Fatal("the source was changed")
				}
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

// isRefusedAsHalf tells whether a command said that its database isn't one yet: a copy may
// have been killed in its midst, or before it wrote anything.
func isRefusedAsHalf(said string) bool {
	for _, why := range []string{"is a copy that was not finished", "was cut off", "there is nothing of Keypeg", "there is no database at"} {
		if strings.Contains(said, why) {
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

// TestRestoreKilled kills restores. There is no database, or a whole one.
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
		if _, err := boltstore.Check(database); err != nil {
			t.Error(err)
		}
		if out, err := command(t, "signals", "status", "--database", database).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "off: ") {
			t.Errorf("password managers may be told: %v, %s", err, out)
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

// TestMoves takes one installation from a file to PostgreSQL, by a backup and back:
// whoever was signed in still is, and passkeys sign in.
func TestMoves(t *testing.T) {
	url := pgtest.Empty(t)
	first := newProgram(t)
	_, token := first.hasUser("ann")
	first.starts()
	device := passkeytest.New(first.url)
	if _, err := first.opensTab(device, token).steps.Register(t.Context(), "Laptop"); err != nil {
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
