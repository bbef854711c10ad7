package pgstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// node is a step of a plan, as EXPLAIN describes it.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Actual Rows"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Loops    float64 `json:"Actual Loops"`
	Plans    []node
}

// read counts the rows of tables that a plan has looked at, and collects the types of its steps.
func (n node) read() (rows float64, types []string) {
	types = []string{n.Type}
	if n.Relation != "" && n.Type != "ModifyTable" {
		rows = (n.Rows + n.Filtered) * n.Loops
	}
	for _, child := range n.Plans {
		more, below := child.read()
		rows, types = rows+more, append(types, below...)
	}
	return rows, types
}

// TestPlans holds that pages of a large table are read as ranges of an index: with plans for
// these values, and with those that a statement gets when it was prepared and ran often.
func TestPlans(t *testing.T) {
	url := pgtest.Empty(t)
	now := time.Now()
	s, err := Open(t.Context(), url, "acme", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// Events of a year, of 1,000 users. One in 20,000 is of a rare kind.
	do(t, url, `INSERT INTO events (organisation, `+eventColumns+`, counted)
		SELECT 'acme', lpad(to_hex(i * 7919 % 1000), 32, '0'), int8send((extract(epoch FROM at) * 1000000)::bigint * 1000) || '\x0000',
			CASE WHEN i % 20000 = 0 THEN 'account_disabled' WHEN i % 10 = 0 THEN 'signed_out' ELSE 'signed_in' END,
			at, '', '', '', '', '', '', at + interval '365 days', '', '', 0, CASE WHEN i % 1000 = 0 THEN at END, '', '', '', '', '', '{}'
		FROM (SELECT i, now() - interval '364 days' * i / 100000 AS at FROM generate_series(1, 100000) i) events`)
	do(t, url, `INSERT INTO items (organisation, `+itemColumns+`)
		SELECT 'acme', '', 'ticket', lpad(to_hex(i), 32, '0'), '{}', i, now() + interval '5 minutes' FROM generate_series(1, 100000) i`)
	do(t, url, `INSERT INTO users (organisation, id, revision, `+strings.Join(writtenOfUser, ", ")+`)
		SELECT 'acme', lpad(to_hex(i), 32, '0'), 1, 'user ' || i, '', '', false, now(), NULL, '', '{}', NULL,
			'', NULL, false, false, '', '{}', '', '{}', '', NULL, NULL, '', NULL, NULL, NULL, '{}', ARRAY[E'users/invited\x01user ' || i, ' user u' || i, ' u' || i || ' user'] FROM generate_series(1, 20000) i`)
	do(t, url, `INSERT INTO passkeys SELECT organisation, id, 'p', 0, sha256(id::bytea), '', '', gen_random_uuid(), '', '', '{}', 0, 0, true, '', false, now(), now() FROM users`)
	do(t, url, `INSERT INTO identities SELECT organisation, id, 'i', 0, 'https://login.example.com', id, '', now(), now() FROM users`)
	do(t, url, `INSERT INTO sessions SELECT organisation, decode(id, 'hex') || decode(id, 'hex'), id, '', '', '', '', '', '', '', now(), now(), now(), now() + interval '1 day', '', '', false, NULL FROM users`)
	do(t, url, `VACUUM ANALYZE`)

	organisations := []string{"acme"}
	middle := store.EventQuery{Before: store.MarkOf(now.Add(-180 * 24 * time.Hour))}
	recent := store.MarkOf(now.Add(-readBack))
	invited := store.ListOf(store.CountInvited)
	sql := func(sql string, args ...any) []any { return append([]any{sql}, args...) }
	all := func(which store.EventQuery, kinds ...shared.EventKind) []any {
		which.Kinds = kinds
		text, args := allEventsQuery("acme", now, which, 20)
		return sql(text, args...)
	}
	page := func(kind store.Kind, after []byte) []any {
		text, args, _ := recordsQuery("acme", now, kind, after, 20)
		return sql(text, args...)
	}
	for what, row := range map[string]struct {
		statement []any
		most      float64 // rows that it may look at
		sorts     bool
	}{
		"a user by name":                {sql(userByName, "acme", "user 500"), 4, true},
		"a session with its user":       {sql(sessionUser, "acme", bytes.Repeat([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xf4"), 2), now), 4, true},
		"users from the middle on":      {sql(allNames, "acme", "user 5", 20), 20, true},
		"users of a category":           {sql(entriesOfList, "acme", invited+"user 5", 20, "", invited), 20, true},
		"users by a frequent word":      {sql(entriesOfList, "acme", " user u5", 20, storetest.UserID(5), " us"), 20, true},
		"users by a rare word":          {sql(entriesOfList, "acme", " u19999", 20, "", " u19999"), 2, true},
		"how frequent a word is":        {sql(countEntries, "acme", " us", 256), 256, true},
		"the users of a page":           {sql(usersOfPage, "acme", []string{storetest.UserID(5), storetest.UserID(6), storetest.UserID(70)}), 12, true},
		"the newest events":             {all(store.EventQuery{}), 20, false},
		"events from the middle on":     {all(middle), 20, false},
		"events of a rare kind":         {all(middle, shared.EventDisabled), 20, true},
		"events of a frequent kind":     {all(middle, shared.EventSignedIn), 20, true},
		"events of several kinds":       {all(middle, shared.EventSignedIn, shared.EventDisabled, shared.EventSignedOut), 60, true},
		"records of events":             {page(store.KindEvent, store.EventKey(storetest.UserID(500), middle.Before.ID)), 300, true},
		"records of items":              {page(store.KindItem, store.ItemKey("", "ticket", fmt.Sprintf("%032x", 50_000))), 20, false},
		"what is new on other nodes":    {sql(recentEvents, organisations, recent.ID[:], now.Add(-readBack)), 20, true},
		"a sweep of events":             {sql(sweeps[2].sql(), append([]any{organisations, sweepStep}, sweeps[2].limits(now)...)...), 0, true},
		"a sweep of items":              {sql(sweeps[1].sql(), append([]any{organisations, sweepStep}, sweeps[1].limits(now)...)...), 0, true},
		"a sweep of events, of a month": {sql(sweeps[2].sql(), append([]any{organisations, sweepStep}, sweeps[2].limits(now.Add(30*24*time.Hour))...)...), 10_000, true},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			rows, types := explained(t, url, mode, row.statement)
			if rows > row.most {
				t.Errorf("%s, %s: it looks at %v rows, want at most %v: %q", what, mode, rows, row.most, types)
			}
			if slices.Contains(types, "Seq Scan") || !row.sorts && slices.Contains(types, "Sort") {
				t.Errorf("%s, %s: %q", what, mode, types)
			}
		}
	}
}

// explained runs a statement, rolls it back, and returns what its plan looked at.
func explained(t *testing.T, url, mode string, statement []any) (rows float64, types []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = `+mode); err != nil {
		t.Fatal(err)
	}
	var text []byte
	if err := tx.QueryRow(t.Context(), `EXPLAIN (ANALYZE, FORMAT JSON) `+statement[0].(string), statement[1:]...).Scan(&text); err != nil {
		t.Fatalf("%s: %v", statement[0], err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan.read()
}
