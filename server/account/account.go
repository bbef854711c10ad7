// Package account holds the rules of Keypeg's own users, without HTTP: passwords,
// identities at OpenID providers, recovery codes, links that lead into an account, what
// administrators do for others, and how the first administrator comes about.
//
// It never tells a stranger which of name and password was wrong, never stores a
// token (only its hash), and never lets a change of password or a disabled
// account leave a session behind: a sign-in writes the user's record as it was
// checked, so one that raced with such a change fails.
//
// Package server calls it with a [session.Actor], the command line with that of
// [Service.IT]. It calls down: package session makes the sessions that sign-ins here begin
// ([Service].Sessions), and package activity records what happens ([Service].Activity).
// Passkeys have a package of their own, which knows nothing of this one.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Config is what a [Service] needs. Zero times mean the defaults.
type Config struct {
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger // for what nobody waits for; nil logs to slog's default

	// Of sessions: see [session.Config].
	Idle, Lifetime, ConfirmFor time.Duration

	Product string // what the installation calls itself; no password is made of it

	Providers []Provider // where people may sign in too
	// Policy says which sign-in methods are taken. Its Issuers become those of Providers.
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
	Sessions *session.Service
	Activity *activity.Service

	guesses guesses
}

// New returns a Service.
func New(c Config) *Service {
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
	events := activity.New(c.Store, c.Log)
	c.Store = events.Store
	s := &Service{Config: c, Activity: events, guesses: newGuesses()}
	s.Sessions = session.New(session.Config{
		Store: c.Store, Now: c.Now, Log: c.Log,
		Idle: c.Idle, Lifetime: c.Lifetime, ConfirmFor: c.ConfirmFor,
		ProviderName: s.providerName,
		AlsoEnds:     func(userID string) store.Batch { return store.Batch{s.endPhoneLink(userID)} },
	})
	return s
}

func setDefault[T comparable](setting *T, value T) {
	var zero T
	if *setting == zero {
		*setting = value
	}
}

// Actor returns an actor who acts for a user, and whose sign-in methods count as they do here.
// The caller adds who it is, and from where.
func (s *Service) Actor(user store.User) session.Actor {
	return session.Actor{User: user, Methods: s.Policy.Methods()}
}

// IT acts for the user of this name at the command line.
//
// Refusal: [shared.CodeNotFound].
func (s *Service) IT(ctx context.Context, name string) (session.Actor, error) {
	user, err := s.UserByName(ctx, name)
	if err != nil {
		return session.Actor{}, err
	}
	return s.Actor(user), nil
}

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

// event is an event of what the actor does, in the batch that does it.
func (s *Service) event(who session.Actor, kind shared.EventKind) store.AddEvent {
	return store.AddEvent{Event: who.Event(kind, s.Now())}
}
