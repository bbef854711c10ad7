package pgstore

import (
	"context"
	"time"
)

const (
	sweepEvery = time.Minute
	// sweepStep bounds what one statement removes, so that nobody waits for it.
	sweepStep = 500
)

// sweepNowAndThen removes what has expired. Each node does, and none minds that
// another was there before.
func (s *Store) sweepNowAndThen() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			for _, table := range sweepable {
				// A fault now is a fault next minute.
				for removed, err := int64(sweepStep), error(nil); removed == sweepStep && err == nil && !s.stopped(); {
					removed, err = s.sweep(table)
				}
			}
		}
	}
}

// sweepable are the tables whose rows expire, with their keys.
var sweepable = []struct{ name, key string }{
	{"sessions", "organisation, id"},
	{"spent_tickets", "organisation, id"},
	{"links", "organisation, key"},
	{"events", "organisation, user_id, id"},
}

func (s *Store) sweep(table struct{ name, key string }) (removed int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done, err := s.pool.Exec(ctx, `DELETE FROM `+table.name+` WHERE (`+table.key+`) IN
		(SELECT `+table.key+` FROM `+table.name+` WHERE organisation = $1 AND expires <= $2 ORDER BY expires LIMIT $3) AND expires <= $2`,
		s.organisation, s.now(), sweepStep)
	return done.RowsAffected(), err
}
