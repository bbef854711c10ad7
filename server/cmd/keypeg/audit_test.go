package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestAudit reads, exports and verifies what two commands have done.
func TestAudit(t *testing.T) {
	t.Run("a file", func(t *testing.T) { testAudit(t, newDatabase(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		database := pgtest.Empty(t)
		db, err := pgstore.Open(t.Context(), database, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		testAudit(t, database)
	})
}

func testAudit(t *testing.T, database string) {
	at := func(args ...string) []string { return append(args, "--database", database) }
	succeeds(t, "correct horse battery\n", at("user", "add", "ann", "--display-name", "=Ann")...)
	succeeds(t, "", at("user", "disable", "ann")...)

	tail := succeeds(t, "", at("audit", "tail")...)
	if lines := strings.Split(strings.TrimSpace(tail), "\n"); len(lines) != 2 || !strings.Contains(lines[0], "account_created  ann") || !strings.Contains(lines[1], "account_disabled  ann") {
		t.Errorf("tail: %s", tail)
	}
	if one := succeeds(t, "", at("audit", "tail", "-n", "1", "--kind", "account_created", "--user", "ann", "--json")...); strings.Count(one, "\n") != 1 || !strings.Contains(one, `"kind":"account_created"`) {
		t.Errorf("tail --json: %s", one)
	}
	failsWith(t, "there is no kind of event nothing: it is one of account_created, ", "", at("audit", "tail", "--kind", "passkeys,nothing")...)
	failsWith(t, "These times are the wrong way round: the first must be before the second.", "", at("audit", "tail", "--from", "2026-12-01", "--to", "2026-11-01")...)
	if tail := succeeds(t, "", at("audit", "tail", "--to", "2026-01-01")...); tail != "" {
		t.Errorf("tail before both: %s", tail)
	}
	failsWith(t, "Nobody is called that.", "", at("audit", "export", "--user", "carl")...)

	lines := succeeds(t, "", at("audit", "export")...)
	var newest shared.AuditEvent
	if err := json.NewDecoder(strings.NewReader(lines)).Decode(&newest); err != nil || newest.Kind != shared.EventDisabled || strings.Count(lines, "\n") != 2 {
		t.Errorf("export: %s (%v)", lines, err)
	}
	if table := succeeds(t, "", at("audit", "export", "--csv")...); !strings.HasPrefix(table, "id,time,kind,") || !strings.Contains(table, ",'=Ann,") {
		t.Errorf("export --csv: %s", table)
	}
	testVerify(t, database, newest)
}

func testVerify(t *testing.T, database string, newest shared.AuditEvent) {
	at := func(args ...string) []string { return append(args, "--database", database) }
	withStore := func(do func(store.Store)) {
		db, err := installation.OpenStore(t.Context(), database, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		do(db)
	}
	if early := succeeds(t, "", at("audit", "verify")...); !strings.Contains(early, "2 events aren't sealed yet") {
		t.Errorf("before the chain began: %s", early)
	}
	withStore(func(s store.Store) {
		if err := (chain.Sealer{Store: s, Now: func() time.Time { return time.Now().Add(time.Hour) }}).Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	var report chain.Report
	if err := json.Unmarshal([]byte(succeeds(t, "", at("audit", "verify", "--json")...)), &report); err != nil || report.Events != 2 || report.Head == (chain.Hash{}) {
		t.Fatalf("got %+v (%v)", report, err)
	}
	if text := succeeds(t, "", at("audit", "verify", "--head", report.Head.String())...); !strings.Contains(text, "2 events are as they were sealed.") || !strings.Contains(text, report.Head.String()) {
		t.Errorf("verify: %s", text)
	}
	folder := t.TempDir()
	backup, restored, copied := filepath.Join(folder, "backup.db"), filepath.Join(folder, "restored.db"), filepath.Join(folder, "copied.db")
	succeeds(t, "", at("backup", backup)...)
	succeeds(t, "", "restore", backup, "--database", restored)
	succeeds(t, "", "store", "copy", "--from", database, "--to", copied)
	for _, moved := range []string{backup, restored, copied} {
		if text := succeeds(t, "", "audit", "verify", "--head", report.Head.String(), "--database", moved); !strings.Contains(text, "2 events are as they were sealed.") {
			t.Errorf("verify in %s: %s", moved, text)
		}
	}
	failsWith(t, "sealed: 1 finding", "", at("audit", "verify", "--head", strings.Repeat("0", 63)+"1")...)
	failsWith(t, "of 64 hexadecimal digits", "", at("audit", "verify", "--head", "0")...)

	withStore(func(s store.Store) {
		all, err := s.AllEvents(t.Context(), store.EventQuery{}, 2)
		if err != nil {
			t.Fatal(err)
		}
		all[0].Kind = shared.EventEnabled
		all[1].Expires = time.Now()
		if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: all[0]}, store.AddEvent{Event: all[1]}}); err != nil {
			t.Fatal(err)
		}
	})
	code, out, errOut := types(t, "", at("audit", "verify")...)
	when := newest.Time.Format("2006-01-02 15:04:05.000000 UTC")
	for _, want := range []string{"changed  " + when + "  account_enabled  event " + newest.ID + "  user " + newest.User.ID, "removed  "} {
		if !strings.Contains(out, want) {
			t.Errorf("verify says\n%s\nand lacks %q", out, want)
		}
	}
	if code != 1 || !strings.Contains(errOut, "2 findings") {
		t.Errorf("exit %d, %s", code, errOut)
	}
}

// TestFollow prints what happens while it waits.
func TestFollow(t *testing.T) {
	database := servedDatabase(t) // two commands have it at the same time
	succeeds(t, "correct horse battery\n", "user", "add", "ann", "--database", database)
	ctx, stop := context.WithCancel(t.Context())
	from, to := io.Pipe()
	ended := make(chan int)
	go func() {
		code := run(ctx, []string{"audit", "tail", "--follow", "--lines", "1", "--database", database}, terminal{Out: to, Err: io.Discard})
		to.Close()
		ended <- code
	}()
	printed := bufio.NewScanner(from)
	for _, name := range []string{"ann", "bob"} {
		if name == "bob" {
			succeeds(t, "correct horse battery\n", "user", "add", "bob", "--database", database)
		}
		if !printed.Scan() || !strings.Contains(printed.Text(), "account_created  "+name) {
			t.Fatalf("got %q, want %s", printed.Text(), name)
		}
	}
	stop()
	if code := <-ended; code != 0 || printed.Scan() {
		t.Errorf("exit %d, and %q", code, printed.Text())
	}
}
