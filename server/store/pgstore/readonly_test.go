package pgstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
)

func TestOpenReadOnly(t *testing.T) {
	// schema is every column that there is.
	schema := func(t *testing.T, url string) string {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		rows, err := conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(columns, " ")
	}
	refuses := func(t *testing.T, url, why string) {
		t.Helper()
		before := schema(t, url)
		if _, err := OpenReadOnly(t.Context(), url, "", time.Now); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("opened: %v, want a refusal that says %q", err, why)
		}
		if after := schema(t, url); after != before {
			t.Errorf("the tables changed from %q to %q", before, after)
		}
	}
	// filled is a database with a user.
	filled := func(t *testing.T) (url string) {
		url = pgtest.Empty(t)
		s, err := Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: storetest.UserID(1), Name: "ann", Handle: []byte("h")}}}); err != nil {
			t.Fatal(err)
		}
		return url
	}

	t.Run("a database that isn't Keypeg's stays as it is", func(t *testing.T) {
		url := pgtest.Empty(t)
		do(t, url, `CREATE TABLE invoices (number integer)`)
		refuses(t, url, "there is nothing of Keypeg in the database postgres://")
	})
	t.Run("one of an earlier version isn't brought up to date", func(t *testing.T) {
		list, err := migrations()
		if err != nil {
			t.Fatal(err)
		}
		url := pgtest.Empty(t)
		do(t, url, createSchemaTable)
		for _, m := range list[:len(list)-1] {
			do(t, url, m.sql)
			do(t, url, fmt.Sprintf(`INSERT INTO keypeg_schema (number, needs) VALUES (%d, %d)`, m.number, m.needs))
		}
		refuses(t, url, "is of an earlier version of Keypeg")
	})
	t.Run("nor one that a newer program must have", func(t *testing.T) {
		url := filled(t)
		do(t, url, `INSERT INTO keypeg_schema (number, needs) VALUES (9999, 9999)`)
		refuses(t, url, errNewer.Error())
	})
	t.Run("what is there can be read, and nothing written", func(t *testing.T) {
		direct := filled(t)
		for way, url := range map[string]string{
			"straight":                        direct,
			"on a host that must take writes": direct + "&target_session_attrs=read-write",
			"behind a pooler":                 pgtest.Pooler(t, direct, "transaction"),
		} {
			s, err := OpenReadOnly(t.Context(), url, "", time.Now)
			if err != nil {
				t.Errorf("%s: %v", way, err)
				continue
			}
			if user, err := s.User(t.Context(), storetest.UserID(1)); err != nil || user.Name != "ann" {
				t.Errorf("%s: found %+v, %v", way, user, err)
			}
			if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: storetest.UserID(1)}}); err == nil {
				t.Errorf("%s: a user was removed", way)
			}
			isRefused := false
			if _, err := s.db.pool.Exec(t.Context(), `UPDATE users SET name = name`); err != nil {
				isRefused = strings.Contains(err.Error(), readOnlyTransaction)
			}
			if want := way != "behind a pooler"; isRefused != want {
				t.Errorf("%s: the connection refuses writes: %t, want %t", way, isRefused, want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// do runs statements, as IT would in psql.
func do(t *testing.T, url, sql string) {
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
