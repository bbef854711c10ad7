package pgstore

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Nodes tell each other whose records have changed, so that a page that is open on
// one hears of what happened on another. A node says it right after the commit,
// not within: PostgreSQL lets committing transactions that notify pass one at a
// time. What gets lost so, because a node dies at that moment or has too much to
// say, is found by asking the events, which are written in the same batch as every
// change that a user is told of.

const (
	channel = "keypeg"
	// newsGathers is how long what has changed is collected before it is said.
	newsGathers = 20 * time.Millisecond
	// mostTold bounds one notification, whose text PostgreSQL limits to 8,000 bytes.
	mostTold = 100

	askWhileListening = 5 * time.Second
	askOtherwise      = 500 * time.Millisecond
	// askBack is how far back the events are asked: clocks differ, and a commit
	// comes later than its event's time.
	askBack = 10 * time.Second
)

// news is the text of a notification.
type news struct {
	Organisation string   `json:"o"`
	Users        []string `json:"u"`
}

// change is that of one user.
type change struct{ organisation, user string }

// publish never waits.
func (d *Database) publish(organisation string, users []string) {
	for _, id := range users {
		select {
		case d.news <- change{organisation, id}:
		default: // others will ask the events
		}
	}
}

func (d *Database) publishNews() {
	ctx := context.Background()
	for {
		var first change
		select {
		case <-d.stop:
			return
		case first = <-d.news:
		}
		changed := map[change]bool{first: true}
		for gathering := time.After(newsGathers); gathering != nil && len(changed) < mostTold; {
			select {
			case next := <-d.news:
				changed[next] = true
			case <-gathering:
				gathering = nil
			case <-d.stop:
				return
			}
		}
		sending, cancel := context.WithTimeout(ctx, patience)
		// An engine without it has the events.
		d.pool.Exec(sending, `SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said`, channel, notes(changed))
		cancel()
	}
}

// notes are the texts that tell of changes, one for each organisation.
func notes(changed map[change]bool) (texts []string) {
	users := map[string][]string{}
	for c := range changed {
		users[c.organisation] = append(users[c.organisation], c.user)
	}
	for organisation, ids := range users {
		text, err := json.Marshal(news{organisation, ids})
		if err == nil { // strings can always be encoded
			texts = append(texts, string(text))
		}
	}
	return texts
}

// Changes implements [store.Notifier].
func (s *Store) Changes(ctx context.Context, tell func(userID string)) {
	s.db.changes(ctx, func() []string { return []string{s.organisation} }, func(c change) { tell(c.user) })
}

// Changes tells of the users of all organisations that are open here, as
// [Store.Changes] does of one.
func (d *Database) Changes(ctx context.Context, tell func(organisation, userID string)) {
	d.changes(ctx, d.opened, func(c change) { tell(c.organisation, c.user) })
}

func (d *Database) changes(ctx context.Context, organisations func() []string, tell func(change)) {
	heard := make(chan news)
	listening := make(chan bool)
	if !d.pooled {
		go d.listen(ctx, heard, listening)
	}

	asked := map[seen]time.Time{} // by when they happened
	every := time.NewTicker(askOtherwise)
	defer every.Stop()
	d.ask(ctx, organisations(), asked, func(change) {}) // what was before is no news
	for {
		select {
		case <-ctx.Done():
			return
		case on := <-listening:
			every.Reset(map[bool]time.Duration{true: askWhileListening, false: askOtherwise}[on])
			d.ask(ctx, organisations(), asked, tell) // what came in between
		case said := <-heard:
			if slices.Contains(organisations(), said.Organisation) {
				for _, id := range said.Users {
					tell(change{said.Organisation, id})
				}
			}
		case <-every.C:
			d.ask(ctx, organisations(), asked, tell)
		}
	}
}

// listen hears notifications on a connection of its own, and finds a new one when
// that breaks.
func (d *Database) listen(ctx context.Context, heard chan<- news, listening chan<- bool) {
	say := func(on bool) {
		select {
		case listening <- on:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
		if err == nil {
			if _, err = conn.Exec(ctx, `LISTEN `+channel); err == nil {
				say(true)
			}
			for err == nil {
				var note, text = news{}, ""
				if got, failed := conn.WaitForNotification(ctx); failed != nil {
					err = failed
				} else if text = got.Payload; json.Unmarshal([]byte(text), &note) == nil {
					select {
					case heard <- note:
					case <-ctx.Done():
					}
				}
			}
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			conn.Close(closing)
			cancel()
			say(false)
		}
		select {
		case <-time.After(lastStep):
		case <-ctx.Done():
		}
	}
}

// seen is an event as it was seen: one that stands for several is news with each of them.
type seen struct {
	id    string
	count int64
}

// ask looks for events that weren't seen before.
func (d *Database) ask(ctx context.Context, organisations []string, before map[seen]time.Time, tell func(change)) {
	since := d.now().Add(-askBack)
	for event, at := range before {
		if at.Before(since) {
			delete(before, event)
		}
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := d.pool.Query(asking, `SELECT id, count, coalesce(last, time), organisation, user_id FROM events
		WHERE organisation = ANY ($1) AND (time > $2 OR last > $2) ORDER BY coalesce(last, time)`, organisations, since)
	if err != nil {
		return // the next time will do
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
			tell(c)
		}
	}
}
