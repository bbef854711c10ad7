// Package account holds the rules of users, passwords, identities at OpenID
// providers, recovery codes and sessions, without HTTP: who may sign in with what,
// how long a session lasts, when somebody must prove again who they are, and how
// the first administrator comes about.
//
// It never tells a stranger which of name and password was wrong, never stores a
// token (only its hash), and never lets a change of password or a disabled
// account leave a session behind: a sign-in writes the user's record as it was
// checked, so one that raced with such a change fails.
//
// [Service.SignInWithPassword] begins a session. Sign-in methods that live
// elsewhere, passkeys first, use [Service.Open]: it makes the session and leaves
// the writing to the batch that proves the sign-in.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/failures"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Config is what a [Service] needs. Zero times mean the defaults.
type Config struct {
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger // for what nobody waits for; nil logs to slog's default

	Idle       time.Duration // a session ends when unused for so long; 24 hours
	Lifetime   time.Duration // and at the latest after this; 30 days
	ConfirmFor time.Duration // how long a sign-in counts as a confirmation; 10 minutes

	Product string // what the installation calls itself; no password is made of it

	Providers []Provider // where people may sign in too
	// Policy says which ways in are taken. Its Issuers become those of Providers.
	Policy policy.Policy

	// PasswordCost is for new hashes; zero means DefaultCost. A hash of another
	// cost is renewed at its user's next sign-in.
	PasswordCost Cost
	// Hashing is how many passwords are hashed at once; 0 means as many as keep all
	// processors busy. Others wait, so that a flood of sign-ins can't take all
	// memory.
	Hashing int
	// Hasher, if set, is used in place of one with PasswordCost and Hashing. Services
	// of one process share it.
	Hasher *Hasher
}

// Service applies the rules. It is safe for concurrent use.
type Service struct {
	Config
	// Failures are the attempts that failed, until they stand in their users' activity.
	Failures *failures.Recorder
	guesses  guesses
}

// New returns a Service.
func New(c Config) *Service {
	setDefault(&c.Idle, 24*time.Hour)
	setDefault(&c.Lifetime, 30*24*time.Hour)
	setDefault(&c.ConfirmFor, 10*time.Minute)
	if c.Hasher == nil {
		c.Hasher = NewHasher(c.PasswordCost, c.Hashing)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Policy.Issuers = nil
	for _, p := range c.Providers {
		c.Policy.Issuers = append(c.Policy.Issuers, p.Issuer)
	}
	failed := failures.New(c.Store, c.Log)
	c.Store = activity.Bound(c.Store)
	return &Service{Config: c, Failures: failed, guesses: newGuesses()}
}

func setDefault[T comparable](setting *T, value T) {
	var zero T
	if *setting == zero {
		*setting = value
	}
}

// Lifetime is how long a session lasts at most.
func (s *Service) Lifetime() time.Duration { return s.Config.Lifetime }

// busy is for a record that others changed more often than we retried.
func busy(cause error) error {
	return shared.Errorf(shared.CodeConflict, "The account was changed somewhere else at the same time. Please try again.").Because(cause)
}

// change is how every rule writes the record of a user who was read just now, with what
// belongs into the same batch. When somebody else changes the record at the same time, fn is
// asked again with the user as they are then.
//
// A refusal of fn comes back as it is, and a race that was lost too often as
// [shared.CodeConflict]. What else the store refuses stays visible to errors.Is: a session,
// a link or a user that has vanished is [store.ErrNotFound].
func (s *Service) change(ctx context.Context, user store.User, fn func(store.User) (store.Batch, error)) error {
	err := store.UpdateFrom(ctx, s.Store, user, fn)
	switch {
	case err == nil || shared.CodeOf(err) != "":
		return err
	case errors.Is(err, store.ErrStale):
		return busy(err)
	default:
		return fmt.Errorf("changing an account: %w", err)
	}
}

// update changes the record of a user by name, for IT.
func (s *Service) update(ctx context.Context, name string, fn func(store.User) (store.Batch, error)) error {
	user, err := s.UserByName(ctx, name)
	if err != nil {
		return err
	}
	return s.change(ctx, user, fn)
}
