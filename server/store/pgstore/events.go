package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const eventColumns = `user_id, id, kind, time, method, passkey_id, passkey, browser, system, address, expires, provider, by_user, count, last, mark, about, reason, change, program`

// behindAll is greater than the id of any event.
var behindAll = bytes.Repeat([]byte{0xff}, len(store.EventID{})+1)

// Events implements [store.Store].
func (s *Store) Events(ctx context.Context, userID string, before store.EventID, limit int) ([]store.Event, error) {
	if !store.IsUserID(userID) {
		return nil, nil
	}
	until := before[:]
	if (before == store.EventID{}) {
		until = behindAll
	}
	return query(ctx, s, `SELECT `+eventColumns+` FROM events
		WHERE organisation = $1 AND user_id = $2 AND id < $3 AND expires > $4 ORDER BY id DESC LIMIT $5`,
		[]any{s.organisation, userID, until, s.now(), limit}, many(scanEvent))
}

// AllEvents implements [store.Store].
func (s *Store) AllEvents(ctx context.Context, which store.EventQuery, limit int) ([]store.Event, error) {
	sql, args := allEventsQuery(s.organisation, s.now(), which, limit)
	return query(ctx, s, sql, args, many(scanEvent))
}

// allEventsQuery returns the query for a page of the events of all users. A page by kind has one
// page of each kind as its source, so that it never reads past the events of other kinds: most
// events are sign-ins, and a page may be about what is rare.
func allEventsQuery(organisation string, now time.Time, which store.EventQuery, limit int) (sql string, args []any) {
	const page = `SELECT ` + eventColumns + ` FROM events WHERE organisation = $1 AND (id, user_id) < ($2, $3) AND expires > $4 %sORDER BY id DESC, user_id DESC LIMIT $5`
	until := which.Before.ID[:]
	if (which.Before == store.EventMark{}) {
		until = behindAll
	}
	args = []any{organisation, until, which.Before.UserID, now, limit}
	if len(which.Kinds) == 0 {
		return fmt.Sprintf(page, ""), args
	}
	kinds := make([]string, len(which.Kinds))
	for i, kind := range which.Kinds {
		kinds[i] = string(kind)
	}
	return `SELECT e.* FROM unnest($6::text[]) AS wanted (kind), LATERAL (` + fmt.Sprintf(page, "AND kind = wanted.kind ") + `) e
		ORDER BY id DESC, user_id DESC LIMIT $5`, append(args, kinds)
}

func scanEvent(rows pgx.Rows) (v store.Event, err error) {
	var id []byte
	var kind string
	var at, expires, last pgtype.Timestamptz
	var count int64
	err = rows.Scan(&v.UserID, &id, &kind, &at, &v.Method, &v.PasskeyID, &v.Passkey, &v.Client.Browser, &v.Client.System, &v.Client.Address, &expires, &v.Provider, &v.By, &count, &last, &v.Client.Mark, &v.About, &v.Reason, &v.Change, &v.Program)
	copy(v.ID[:], id)
	v.Count, v.Last = uint64(count), moment(last)
	v.Kind, v.Time, v.Expires = shared.EventKind(kind), moment(at), moment(expires)
	return v, err
}

// addEvents adds the statements that write events. They are the last ones of a batch, so that
// the count of the day's sign-ins is locked for a short time. They have the order of what they
// count, so that batches don't wait for each other: see 0001_records.sql.
func (w *writer) addEvents() {
	slices.SortStableFunc(w.events, func(a, b store.Event) int { return cmp.Compare(categoryOf(a), categoryOf(b)) })
	for _, v := range w.events {
		counted := []string{}
		if category := categoryOf(v); category != "" {
			counted = append(counted, category)
		}
		w.add(nil, putEvent, v.UserID, v.ID[:], string(v.Kind), at(v.Time), v.Method, v.PasskeyID, v.Passkey, v.Client.Browser, v.Client.System, v.Client.Address,
			at(v.Expires), v.Provider, v.By, int64(v.Count), at(v.Last), v.Client.Mark, v.About, string(v.Reason), v.Change, v.Program, counted)
	}
}

func categoryOf(v store.Event) string {
	category, _ := v.Counted()
	return category
}

var putEvent = `INSERT INTO events (organisation, ` + eventColumns + `, counted)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
	ON CONFLICT (organisation, user_id, id) DO UPDATE SET ` + excluded(eventColumns+", counted")
