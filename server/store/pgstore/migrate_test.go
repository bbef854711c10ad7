package pgstore

import (
	"fmt"
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
