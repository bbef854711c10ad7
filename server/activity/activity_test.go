package activity_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestList reads what an administrator, two browsers and a passkey left behind.
func TestList(t *testing.T) {
	now := began
	s := activity.New(newStore(t, func() time.Time { return now }), 0, slog.New(slog.DiscardHandler))
	chrome := session.Actor{
		User:   store.User{ID: ann, Passkeys: []store.Passkey{{ID: "kept", Name: "Phone"}}},
		Client: store.Client{Browser: "Chrome", Address: "::1", Mark: "of Chrome"},
	}
	bob := store.User{ID: storetest.UserID(2), Name: "bob", DisplayName: "Bob"}
	firefox, administrator := chrome, session.Actor{User: chrome.User, By: bob}
	firefox.Client.Browser, firefox.Client.Mark = "Firefox", "of Firefox"
	happens := func(who session.Actor, kind shared.EventKind, passkeyID string) {
		t.Helper()
		now = now.Add(time.Second)
		event := who.Event(kind, now)
		event.PasskeyID = passkeyID
		if err := s.Store().Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	happens(administrator, shared.EventAccountCreated, "")
	for range 28 {
		happens(chrome, shared.EventSignedIn, "")
	}
	happens(chrome, shared.EventSignedIn, "kept")
	happens(chrome, shared.EventSignedIn, "removed since")
	happens(firefox, shared.EventSignedIn, "")

	first, err := s.List(t.Context(), chrome, "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.List(t.Context(), chrome, first.Next)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("activity comes in pages, newest first", func(t *testing.T) {
		if len(first.Events) != 25 || len(second.Events) != 7 || first.Next == "" || second.Next != "" {
			t.Errorf("pages of %d and %d, next %q and %q", len(first.Events), len(second.Events), first.Next, second.Next)
		}
		if e := second.Events[6]; e.Kind != shared.EventAccountCreated || e.By != "Bob" {
			t.Errorf("oldest %+v, want what Bob did", e)
		}
	})
	t.Run("an event says whether it happened in this browser", func(t *testing.T) {
		if e := first.Events[0]; e.Browser != "Firefox" || e.Here || !first.Events[1].Here {
			t.Errorf("newest %+v, and before it %+v", e, first.Events[1])
		}
		colleague := chrome
		colleague.Client.Mark = "of another Chrome behind the same address"
		theirs, err := s.List(t.Context(), colleague, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range theirs.Events {
			if e.Here {
				t.Errorf("a browser that looks alike is taken for this one: %+v", e)
			}
		}
	})
	t.Run("an event names a passkey by its id while the user has it", func(t *testing.T) {
		if gone, kept := first.Events[1].PasskeyID, first.Events[2].PasskeyID; gone != "" || kept != "kept" {
			t.Errorf("ids %q and %q, want none and kept", gone, kept)
		}
	})
	t.Run("a page that there can't be is refused", func(t *testing.T) {
		for _, before := range []string{"x", "00", strings.Repeat("0", 22), strings.Repeat("0", 20)} {
			if _, err := s.List(t.Context(), chrome, before); shared.CodeOf(err) != shared.CodeInvalidRequest {
				t.Errorf("page %q: %v, want a refusal", before, err)
			}
		}
	})
}
