package pgstore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestMigrateWaits starts while others hold what a migration needs, and while the database
// is slow.
func TestMigrateWaits(t *testing.T) {
	const within = 50 * time.Millisecond
	connects := func(t *testing.T, url string) *pgx.Conn {
		config, err := parse(url)
		if err != nil {
			t.Fatal(err)
		}
		conn, _, err := connectFirst(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { disconnect(conn) })
		return conn
	}
	does := func(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("a lock that is held is waited for, and then told of", func(t *testing.T) {
		url := pgtest.Empty(t)
		if err := migrateIfAble(t.Context(), connects(t, url), lockWithin); err != nil {
			t.Fatal(err)
		}
		for who, lock := range map[string]string{
			"another node that migrates": fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock),
			"who holds a table":          `LOCK TABLE keypeg_schema IN ACCESS EXCLUSIVE MODE`,
		} {
			other, conn := connects(t, url), connects(t, url)
			does(t, other, `BEGIN`)
			does(t, other, lock)
			err := sentence(conn.Config(), migrateIfAble(t.Context(), conn, within))
			if err == nil || !strings.Contains(err.Error(), "holds Keypeg's tables") || !strings.Contains(err.Error(), "wait until it is done, and start again") {
				t.Errorf("%s: got %v", who, err)
			}
			does(t, other, `ROLLBACK`)
			if err := migrateIfAble(t.Context(), conn, lockWithin); err != nil {
				t.Errorf("%s, once it is done: %v", who, err)
			}
		}
	})
	t.Run("a migration that takes long isn't cut off", func(t *testing.T) {
		url := pgtest.Empty(t)
		conn := connects(t, url)
		does(t, conn, `CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
			IF tg_tag = 'CREATE TABLE' THEN PERFORM pg_sleep(0.2); END IF; END $$`)
		does(t, conn, `CREATE EVENT TRIGGER slow ON ddl_command_start EXECUTE FUNCTION slow()`)
		if err := migrateIfAble(t.Context(), conn, within); err != nil {
			t.Error(err)
		}
	})
}

// TestEarlierProgram finds the tables of a Keypeg before the first release: it says so, and
// changes nothing.
func TestEarlierProgram(t *testing.T) {
	url := pgtest.Empty(t)
	do(t, url, createSchemaTable+`;
		INSERT INTO keypeg_schema (number, needs) SELECT n, 0 FROM generate_series(1, 7) n;
		CREATE TABLE users (organisation text, id text, name text);
		INSERT INTO users VALUES ('', '1', 'ann');
		CREATE TABLE links (organisation text, key text);
		CREATE TABLE secrets (organisation text, name text, value bytea);
		CREATE TABLE spent_tickets (organisation text, id bytea)`)
	before := contents(t, url)
	for how, opens := range map[string]func() (*Store, error){
		"open":      func() (*Store, error) { return Open(t.Context(), url, "", time.Now) },
		"read only": func() (*Store, error) { return OpenReadOnly(t.Context(), url, "", time.Now) },
	} {
		s, err := opens()
		if err == nil {
			s.Close()
		}
		if err == nil || err.Error() != errOlder.Error() {
			t.Errorf("%s: got %v, want %v", how, err, errOlder)
		}
		if after := contents(t, url); !slices.Equal(after, before) {
			t.Errorf("%s: the database changed from %q to %q", how, before, after)
		}
	}
}

// contents returns every row of every table as text, as a dump has it.
func contents(t *testing.T, url string) (rows []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	read := func(sql string) []string {
		t.Helper()
		found, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, table := range read(`SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1`) {
		rows = append(rows, read(`SELECT '`+table+` ' || t::text FROM `+pgx.Identifier{table}.Sanitize()+` t ORDER BY 1`)...)
	}
	return rows
}
