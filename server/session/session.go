// Package session holds the rules of sessions: how a session begins, how long it lasts,
// when its user must confirm again who they are, and how it ends.
//
// A session is a record of the store. Its token is in the cookie of one browser and nowhere
// else; the store has the hash of the token. [Service.Open] and [Service.Confirm] write
// nothing. They return operations, which belong in the batch that proves the sign-in, so a
// sign-in that fails leaves no session behind. Packages account and passkey use them, and
// package server calls [Service.Find] to find the user of a request.
//
// [Actor] says who acts, in every rule. This package imports neither account nor passkey.
// What else must end together with a session is passed in as [Config].AlsoEnds.
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
	Log   *slog.Logger // for failures that don't change an answer; nil means slog.Default

	Idle       time.Duration // a session ends after being unused for this time; 24 hours
	Lifetime   time.Duration // a session ends at the latest after this time; 30 days
	ConfirmFor time.Duration // how long a sign-in counts as a confirmation; 10 minutes

	// ProviderName returns the name that people read for an OpenID provider, from its name
	// in the configuration. Nil uses the latter.
	ProviderName func(id string) string
	// AlsoEnds returns the operations that end what an intruder may have begun in a user's
	// session. They join the batch that ends the session. Nil adds none.
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

// Lifetime returns how long a session lasts at most.
func (s *Service) Lifetime() time.Duration { return s.c.Lifetime }

// ErrEnded is the refusal, with [shared.CodeUnauthenticated], for a session that doesn't
// exist any more.
var ErrEnded = shared.Errorf(shared.CodeUnauthenticated, "Your session has ended. Please sign in again.")

// most bounds the sessions of one user. Nobody has so many browsers, but a program that
// signs in again and again, without its cookie, would fill the disk.
const most = 100
