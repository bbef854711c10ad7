package store_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

func TestIDs(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	ann := store.NewUserID()
	t.Run("ids of a later moment lie behind", func(t *testing.T) {
		later := now.Add(time.Microsecond)
		for range 100 {
			for what, pair := range map[string][2][]byte{
				"ticket":           {ticketID(now), ticketID(later)},
				"ticket of a text": {ticketIDOf(now, "a"), ticketIDOf(later, "a")},
				"event":            {eventID(now), eventID(later)},
			} {
				if bytes.Compare(pair[0], pair[1]) >= 0 {
					t.Fatalf("%s: %x isn't before %x", what, pair[0], pair[1])
				}
			}
		}
	})
	t.Run("events of one moment have the order in which they were made", func(t *testing.T) {
		for range 100 {
			first, second := eventID(now), eventID(now)
			if first[8] == 0xff && second[8] == 0 {
				continue // the number began again
			}
			if bytes.Compare(first, second) >= 0 {
				t.Fatalf("%x isn't before %x", first, second)
			}
		}
	})
	t.Run("no two are alike", func(t *testing.T) {
		seen := map[string]bool{}
		for range 1000 {
			for _, id := range [][]byte{sessionID(store.NewSessionToken(ann)), ticketID(now), eventID(now), []byte(store.NewUserID())} {
				if seen[string(id)] {
					t.Fatalf("%x was there before", id)
				}
				seen[string(id)] = true
			}
		}
	})
	t.Run("a session is found by its whole token and by nothing else", func(t *testing.T) {
		token := store.NewSessionToken(ann)
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
	t.Run("the store has nothing of a token but its user", func(t *testing.T) {
		token := store.NewSessionToken(ann)
		id, whole := store.SessionID(token), store.HashOf(token)
		if user := hex.EncodeToString(id[:16]); user != ann || store.UserOfSession(id) != ann {
			t.Errorf("the session is of %s, want %s", user, ann)
		}
		if !bytes.Equal(id[16:], whole[:16]) {
			t.Errorf("the id %x has more than the hash %x behind the user", id, whole)
		}
	})
	t.Run("a hash is a text of hexadecimal digits in JSON, and nothing else is one", func(t *testing.T) {
		hash := store.HashOf("token")
		text, err := json.Marshal(hash)
		if want := `"` + hex.EncodeToString(hash[:]) + `"`; err != nil || string(text) != want {
			t.Errorf("got %s (%v), want %s", text, err, want)
		}
		var back store.Hash
		if err := json.Unmarshal(text, &back); err != nil || back != hash {
			t.Errorf("it comes back as %s (%v), want %s", back, err, hash)
		}
		for _, damaged := range []string{`""`, `"00"`, `"` + strings.Repeat("0", 63) + `"`, `"` + strings.Repeat("g", 64) + `"`, `"` + strings.Repeat("0", 66) + `"`} {
			if err := json.Unmarshal([]byte(damaged), &back); err == nil {
				t.Errorf("%s is taken for a hash", damaged)
			}
		}
	})
	t.Run("the id of a user is 32 hexadecimal digits in lower case", func(t *testing.T) {
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
func ticketIDOf(now time.Time, text string) []byte {
	id := store.TicketIDOf(now, text)
	return id[:]
}
func eventID(now time.Time) []byte {
	id := store.NewEvent(now, store.NewUserID(), "", store.Client{}).ID
	return id[:]
}

func swapped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
