package store_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

func TestIDs(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	later := now.Add(time.Millisecond)
	t.Run("ids of a later moment lie behind", func(t *testing.T) {
		for range 100 {
			for what, pair := range map[string][2][]byte{
				"session": {sessionID(store.NewSessionToken(now)), sessionID(store.NewSessionToken(later))},
				"ticket":  {ticketID(now), ticketID(later)},
				"event":   {eventID(now), eventID(later)},
			} {
				if bytes.Compare(pair[0], pair[1]) >= 0 {
					t.Fatalf("%s: %x isn't before %x", what, pair[0], pair[1])
				}
			}
		}
	})
	t.Run("no two are alike", func(t *testing.T) {
		seen := map[string]bool{}
		for range 1000 {
			for _, id := range [][]byte{sessionID(store.NewSessionToken(now)), ticketID(now), eventID(now), []byte(store.NewUserID())} {
				if seen[string(id)] {
					t.Fatalf("%x was there before", id)
				}
				seen[string(id)] = true
			}
		}
	})
	t.Run("a session is found by its whole token and by nothing else", func(t *testing.T) {
		token := store.NewSessionToken(now)
		if len(token) != store.SessionTokenLength {
			t.Fatalf("a token of %d characters, want %d", len(token), store.SessionTokenLength)
		}
		for at := range len(token) {
			for _, other := range []string{token[:at], token[:at] + "%" + token[at+1:], token[:at] + swapped(token[at]) + token[at+1:]} {
				if store.SessionID(other) == store.SessionID(token) {
					t.Errorf("%q leads to the session of %q", other, token)
				}
			}
		}
		if store.SessionID(token+"A") == store.SessionID(token) || store.SessionID(strings.Repeat("A", 10_000)) == store.SessionID(token) {
			t.Error("a longer text leads to the session")
		}
	})
	t.Run("the store has nothing of a token but its time", func(t *testing.T) {
		token := store.NewSessionToken(now)
		id, whole := store.SessionID(token), store.HashOf(token)
		if !bytes.Equal(id[6:], whole[6:]) {
			t.Errorf("the id %x isn't the hash %x behind the time", id, whole)
		}
	})
	t.Run("the id of a user is 32 hexadecimal digits in lower case", func(t *testing.T) {
		ann := store.NewUserID()
		for id, want := range map[string]bool{
			ann: true, strings.Repeat("0", 32): true, strings.Repeat("f", 32): true,
			"": false, "1": false, ann[:31]: false, ann + "0": false, strings.Repeat("F", 32): false,
			strings.Repeat("g", 32): false, "\x00" + ann[1:]: false, " " + ann[1:]: false,
		} {
			if store.IsUserID(id) != want {
				t.Errorf("%q is a user's id: want %v", id, want)
			}
		}
	})
}

func sessionID(token string) []byte { id := store.SessionID(token); return id[:] }
func ticketID(now time.Time) []byte { id := store.NewTicketID(now); return id[:] }
func eventID(now time.Time) []byte {
	id := store.NewEvent(now, "1", "", store.Client{}).ID
	return id[:]
}

func swapped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
