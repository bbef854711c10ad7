// Package session knows who is signed in: how a session begins, how long it lasts, when its
// user must prove again who they are, and how it ends.
//
// A session is a record of the store. Its token is in one browser's cookie and nowhere else;
// the store has the token's hash. What begins or confirms a session writes nothing by itself:
// [Service.Open] and [Service.Confirm] return operations, which belong into the batch that
// proves the sign-in. So no session is left of a sign-in that failed. Packages account and
// passkey call them, and package server asks [Service.Find] who sends a request.
//
// [Actor] is who acts, as every rule is told it. This package imports neither account nor
// passkey: what else must end with a session is handed in ([Config].AlsoEnds).
package session

import (
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Config is what a [Service] needs. Zero times mean the defaults.
type Config struct {
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger // for what nobody waits for; nil is slog.Default

	Idle       time.Duration // a session ends when it is unused for so long; 24 hours
	Lifetime   time.Duration // and at the latest after this; 30 days
	ConfirmFor time.Duration // how long a sign-in counts as a confirmation; 10 minutes

	// ProviderName is what people call an OpenID provider, by its name in the
	// configuration. Nil leaves the name as it is.
	ProviderName func(id string) string
	// AlsoEnds returns what else ends when a user ends sessions, because somebody may have
	// been in one without leave. Nil is nothing.
	AlsoEnds func(userID string) store.Batch
}

// Service applies the rules of sessions. It is safe for concurrent use.
type Service struct {
	c Config
}

// New returns a Service.
func New(c Config) *Service {
	setDefault(&c.Idle, 24*time.Hour)
	setDefault(&c.Lifetime, 30*24*time.Hour)
	setDefault(&c.ConfirmFor, 10*time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.ProviderName == nil {
		c.ProviderName = func(id string) string { return id }
	}
	if c.AlsoEnds == nil {
		c.AlsoEnds = func(string) store.Batch { return nil }
	}
	return &Service{c}
}

func setDefault(setting *time.Duration, value time.Duration) {
	if *setting == 0 {
		*setting = value
	}
}

// Lifetime is how long a session lasts at most.
func (s *Service) Lifetime() time.Duration { return s.c.Lifetime }

// ErrEnded is the refusal, with [shared.CodeUnauthenticated], of whoever had a session.
var ErrEnded = shared.Errorf(shared.CodeUnauthenticated, "Your session has ended. Please sign in again.")

// most is how many sessions a user has at most. Nobody has so many browsers, but a program
// that signs in again and again, without its cookie, would fill the disk.
const most = 100
