package pgstore

import (
	"context"
	"encoding/json"
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

// publish never waits.
func (s *Store) publish(users []string) {
	for _, id := range users {
		select {
		case s.news <- id:
		default: // others will ask the events
		}
	}
}

func (s *Store) publishNews() {
	ctx := context.Background()
	for {
		var first string
		select {
		case <-s.stop:
			return
		case first = <-s.news:
		}
		users := map[string]bool{first: true}
		for gathering := time.After(newsGathers); gathering != nil && len(users) < mostTold; {
			select {
			case id := <-s.news:
				users[id] = true
			case <-gathering:
				gathering = nil
			case <-s.stop:
				return
			}
		}
		said := news{Organisation: s.organisation}
		for id := range users {
			said.Users = append(said.Users, id)
		}
		text, err := json.Marshal(said)
		if err != nil {
			continue // strings can always be encoded
		}
		sending, cancel := context.WithTimeout(ctx, patience)
		s.pool.Exec(sending, `SELECT pg_notify($1, $2)`, channel, string(text)) // an engine without it has the events
		cancel()
	}
}

// Changes tells of every user whose records have changed, on any node, until ctx
// ends. It may tell of one more than once, and of one where nothing that matters
// has changed.
func (s *Store) Changes(ctx context.Context, tell func(userID string)) {
	heard := make(chan news)
	listening := make(chan bool)
	go s.listen(ctx, heard, listening)

	asked := map[string]time.Time{} // events that were seen, by when they happened
	every := time.NewTicker(askOtherwise)
	defer every.Stop()
	s.ask(ctx, asked, func(string) {}) // what was before is no news
	for {
		select {
		case <-ctx.Done():
			return
		case on := <-listening:
			every.Reset(map[bool]time.Duration{true: askWhileListening, false: askOtherwise}[on])
			s.ask(ctx, asked, tell) // what came in between
		case said := <-heard:
			if said.Organisation == s.organisation {
				for _, id := range said.Users {
					tell(id)
				}
			}
		case <-every.C:
			s.ask(ctx, asked, tell)
		}
	}
}

// listen hears notifications on a connection of its own, and finds a new one when
// that breaks.
func (s *Store) listen(ctx context.Context, heard chan<- news, listening chan<- bool) {
	say := func(on bool) {
		select {
		case listening <- on:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
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

// ask looks for events that it hasn't seen.
func (s *Store) ask(ctx context.Context, seen map[string]time.Time, tell func(userID string)) {
	since := s.now().Add(-askBack)
	for id, at := range seen {
		if at.Before(since) {
			delete(seen, id)
		}
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := s.pool.Query(asking, `SELECT id, user_id, time FROM events WHERE organisation = $1 AND time > $2 ORDER BY time`, s.organisation, since)
	if err != nil {
		return // the next time will do
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var userID string
		var happened time.Time
		if rows.Scan(&id, &userID, &happened) != nil {
			return
		}
		if _, before := seen[string(id)]; !before {
			seen[string(id)] = happened
			tell(userID)
		}
	}
}
