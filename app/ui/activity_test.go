package ui

import (
	"testing"

	"github.com/keypeg/keypeg/shared"
)

func TestAlarming(t *testing.T) {
	for _, test := range []struct {
		claim string
		event shared.Event
		want  bool
	}{
		{"a sign-in from elsewhere may have been somebody else's", shared.Event{Kind: shared.EventSignedIn, Browser: "Firefox"}, true},
		{"a sign-in from this browser was the user's", shared.Event{Kind: shared.EventSignedIn, Browser: "Firefox", Here: true}, false},
		{"a failed sign-in from elsewhere may be somebody else's", shared.Event{Kind: shared.EventSignInFailed, Browser: "Firefox"}, true},
		{"a failed sign-in from this browser was the user's", shared.Event{Kind: shared.EventSignInFailed, Browser: "Firefox", Here: true}, false},
		{"new recovery codes let somebody in", shared.Event{Kind: shared.EventRecoveryCodesMade, Browser: "Firefox"}, true},
		{"a password that is gone shuts out its user", shared.Event{Kind: shared.EventPasswordRemoved, Browser: "Firefox"}, true},
		{"another e-mail address takes mails away", shared.Event{Kind: shared.EventEmailChanged, Browser: "Firefox"}, true},
		{"another name misleads", shared.Event{Kind: shared.EventProfileChanged, Browser: "Firefox"}, true},
		{"a download tells everything", shared.Event{Kind: shared.EventDataExported, Browser: "Firefox"}, true},
		{"an administrator's change alarms nobody", shared.Event{Kind: shared.EventPasskeyRemoved, Browser: "Firefox", By: "Bob"}, false},
		{"nor does one of an administrator who was removed", shared.Event{Kind: shared.EventPasskeyRemoved, Browser: "Firefox", ByRemoved: true}, false},
		{"a change by IT comes from no browser", shared.Event{Kind: shared.EventPasswordChanged}, false},
		{"signing out harms nobody", shared.Event{Kind: shared.EventSignedOut, Browser: "Firefox"}, false},
	} {
		t.Run(test.claim, func(t *testing.T) {
			if got := alarming(test.event); got != test.want {
				t.Errorf("%+v: got %t, want %t", test.event, got, test.want)
			}
		})
	}
}
