package pgstore

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// Nodes notify each other of the users whose records have changed, so that a page that is
// open on one node shows a change of another. A node notifies right after the commit and not
// within it, because PostgreSQL commits transactions with notifications one at a time. A
// notification may get lost, because a node dies at that moment or has too many of them. Such
// a change is found in the events: every change that a page shows is written in one batch with
// an event.

const (
	channel = "keypeg"
	// gatherFor is how long changes are collected before they are sent.
	gatherFor = 20 * time.Millisecond
	// mostNotified bounds the users of one notification. PostgreSQL limits its text to 8,000
	// bytes.
	mostNotified = 100

	readWhileListening = 5 * time.Second
	readOtherwise      = 500 * time.Millisecond
	// readBack is how far back events are read. Clocks differ, and a commit is later than
	// the time of its event.
	readBack = 10 * time.Second
)

// notification is the content of a notification.
type notification struct {
	Organisation string   `json:"o"`
	Users        []string `json:"u"`
}

// change names a user whose records have changed.
type change struct{ organisation, user string }

// publish queues changes for other nodes. It never waits.
func (d *Database) publish(organisation string, users []string) {
	for _, id := range users {
		select {
		case d.changed <- change{organisation, id}:
		default: // other nodes find it in the events
		}
	}
}

func (d *Database) sendNotifications() {
	ctx := context.Background()
	for {
		var first change
		select {
		case <-d.stop:
			return
		case first = <-d.changed:
		}
		changed := map[change]bool{first: true}
		for gathering := time.After(gatherFor); gathering != nil && len(changed) < mostNotified; {
			select {
			case next := <-d.changed:
				changed[next] = true
			case <-gathering:
				gathering = nil
			case <-d.stop:
				return
			}
		}
		sending, cancel := context.WithTimeout(ctx, patience)
		// On an engine without NOTIFY, nodes read the events.
		d.pool.Exec(sending, `SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload`, channel, notificationTexts(changed))
		cancel()
	}
}

// notificationTexts returns the texts of the notifications, one for each organisation.
func notificationTexts(changed map[change]bool) (texts []string) {
	users := map[string][]string{}
	for c := range changed {
		users[c.organisation] = append(users[c.organisation], c.user)
	}
	for organisation, ids := range users {
		text, err := json.Marshal(notification{organisation, ids})
		if err == nil { // strings can always be encoded
			texts = append(texts, string(text))
		}
	}
	return texts
}

// Changes implements [store.Notifier].
func (s *Store) Changes(ctx context.Context, notify func(userID string)) {
	s.db.changes(ctx, func() []string { return []string{s.organisation} }, func(c change) { notify(c.user) })
}

// Changes notifies of the users of all open organisations, as [Store.Changes] does for one.
func (d *Database) Changes(ctx context.Context, notify func(organisation, userID string)) {
	d.changes(ctx, d.opened, func(c change) { notify(c.organisation, c.user) })
}

func (d *Database) changes(ctx context.Context, organisations func() []string, notify func(change)) {
	received := make(chan notification)
	listening := make(chan bool)
	if !d.pooled {
		go d.listen(ctx, received, listening)
	}

	before := map[seen]time.Time{} // with the time of each
	every := time.NewTicker(readOtherwise)
	defer every.Stop()
	d.readEvents(ctx, organisations(), before, func(change) {}) // earlier events aren't notified
	for {
		select {
		case <-ctx.Done():
			return
		case on := <-listening:
			every.Reset(map[bool]time.Duration{true: readWhileListening, false: readOtherwise}[on])
			d.readEvents(ctx, organisations(), before, notify) // events since the connection was lost
		case sent := <-received:
			if slices.Contains(organisations(), sent.Organisation) {
				for _, id := range sent.Users {
					notify(change{sent.Organisation, id})
				}
			}
		case <-every.C:
			d.readEvents(ctx, organisations(), before, notify)
		}
	}
}

// listen receives notifications on a connection of its own, and connects again if that
// breaks.
func (d *Database) listen(ctx context.Context, received chan<- notification, listening chan<- bool) {
	report := func(on bool) {
		select {
		case listening <- on:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
		if err == nil {
			if _, err = conn.Exec(ctx, `LISTEN `+channel); err == nil {
				report(true)
			}
			for err == nil {
				var sent notification
				if got, failed := conn.WaitForNotification(ctx); failed != nil {
					err = failed
				} else if json.Unmarshal([]byte(got.Payload), &sent) == nil {
					select {
					case received <- sent:
					case <-ctx.Done():
					}
				}
			}
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			conn.Close(closing)
			cancel()
			report(false)
		}
		select {
		case <-time.After(lastStep):
		case <-ctx.Done():
		}
	}
}

// seen is an event that was notified. An event that stands for several is notified with each
// of them.
type seen struct {
	id    string
	count int64
}

// recentEvents is the query for events since a time, by ids from the mark of that time on, and for
// those that stand for several, of which the last was since then.
const recentEvents = `SELECT id, count, coalesce(last, time), organisation, user_id FROM events
	WHERE organisation = ANY ($1) AND (id >= $2 OR last > $3) ORDER BY coalesce(last, time)`

// readEvents reads recent events and notifies of those that weren't seen before.
func (d *Database) readEvents(ctx context.Context, organisations []string, before map[seen]time.Time, notify func(change)) {
	since := d.now().Add(-readBack)
	for event, at := range before {
		if at.Before(since) {
			delete(before, event)
		}
	}
	reading, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	mark := store.MarkOf(since)
	rows, err := d.pool.Query(reading, recentEvents, organisations, mark.ID[:], since)
	if err != nil {
		return // the next call finds them
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var event seen
		var c change
		var happened time.Time
		if rows.Scan(&id, &event.count, &happened, &c.organisation, &c.user) != nil {
			return
		}
		event.id = string(id)
		if _, is := before[event]; !is {
			before[event] = happened
			notify(c)
		}
	}
}
