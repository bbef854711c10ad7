package activity_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// backends are all stores, empty.
var backends = map[string]func(*testing.T) store.Store{
	"memstore": func(*testing.T) store.Store { return memstore.New(time.Now) },
	"boltstore": func(t *testing.T) store.Store {
		s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"pgstore": func(t *testing.T) store.Store {
		s, err := pgstore.Open(t.Context(), pgtest.Empty(t), "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

// TestPresent removes users while events of theirs are written. Nothing of a removed user comes back,
// and the rest of each batch is written.
func TestPresent(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() { db.Close() })
			service := activity.New(db, 0, slog.New(slog.DiscardHandler))
			rules := service.Store()
			event := func(userID string) store.AddEvent {
				return store.AddEvent{Event: store.NewEvent(time.Now(), userID, shared.EventSignedOut, store.Client{Address: "192.0.2.1"})}
			}
			adds := func(id, name string) {
				t.Helper()
				user := store.User{ID: id, Name: name, DisplayName: name, Handle: []byte(id)}
				if err := rules.Apply(t.Context(), store.Batch{store.PutUser{User: user}, event(id)}); err != nil {
					t.Fatal(err)
				}
			}
			lines := func(id string) int {
				t.Helper()
				events, err := db.Events(t.Context(), id, store.EventID{}, 100)
				if err != nil {
					t.Fatal(err)
				}
				return len(events)
			}
			adds(ann, "ann")

			t.Run("the event of nobody isn't written", func(t *testing.T) {
				other := event(store.Organisation)
				other.Event.By, other.Event.Client = ann, store.Client{}
				if err := rules.Apply(t.Context(), store.Batch{event(carl), event(ann), other}); err != nil {
					t.Fatal(err)
				}
				if lines(carl) != 0 || lines(ann) != 2 || lines(store.Organisation) != 1 {
					t.Errorf("carl has %d, ann %d, the organisation %d", lines(carl), lines(ann), lines(store.Organisation))
				}
				if err := rules.Apply(t.Context(), store.Batch{event(carl)}); err != nil || lines(carl) != 0 {
					t.Errorf("carl has %d (%v)", lines(carl), err)
				}
			})
			t.Run("another condition still refuses all", func(t *testing.T) {
				session := store.Session{ID: store.SessionID(store.NewSessionToken(ann)), UserID: ann}
				err := rules.Apply(t.Context(), store.Batch{event(carl), event(ann), store.ReplaceSession{Old: session.ID, Session: session}})
				if !errors.Is(err, store.ErrNotFound) || lines(ann) != 2 {
					t.Errorf("got %v, and ann has %d events", err, lines(ann))
				}
			})
			t.Run("a failed attempt of a user who is removed before it is written", func(t *testing.T) {
				fails := func(id string) {
					failed := event(id).Event
					failed.Kind = shared.EventSignInFailed
					service.Failed(failed)
				}
				before, id := lines(ann), store.NewUserID()
				adds(id, "emil")
				fails(id)
				service.Flush(t.Context())
				if lines(id) != 2 {
					t.Fatalf("emil has %d events", lines(id))
				}
				fails(id)
				fails(ann)
				applies(t, rules, store.RemoveUser{ID: id})
				service.Flush(t.Context())
				if lines(id) != 0 || lines(ann) != before+1 {
					t.Errorf("emil has %d events, ann %d more", lines(id), lines(ann)-before)
				}
			})
			t.Run("a removal at the same moment", func(t *testing.T) {
				for range 50 {
					id := store.NewUserID()
					adds(id, "dora")
					var racing sync.WaitGroup
					for range 4 {
						racing.Go(func() { applies(t, rules, event(id), event(ann)) })
					}
					racing.Go(func() { applies(t, rules, store.RemoveUser{ID: id}) })
					racing.Wait()
					if n := lines(id); n != 0 {
						t.Fatalf("%d events of a removed user are there", n)
					}
				}
			})
		})
	}
}

func applies(t *testing.T, s store.Store, batch ...store.Op) {
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Error(err)
	}
}
