// Package account holds the rules of local users, without HTTP: passwords, identities at
// OpenID providers, recovery codes, enrolment links, what administrators do for others, and
// how the first administrator is made.
//
// It never tells a stranger whether the name or the password was wrong, and it stores the
// hash of a token, never the token. When a password changes or an account is disabled, no
// session stays: a sign-in writes the user's record in the version that it has checked, so
// a sign-in that races with such a change fails.
//
// Package server calls it with a [session.Actor], the command line with the actor of
// [Service.IT]. Package session makes the sessions that begin here ([Service.Sessions]),
// and package activity records what happens ([Service.Activity]). Passkeys have a package
// of their own, which doesn't import this one.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Config is what a [Service] needs. Zero times mean the defaults.
type Config struct {
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger // for failures after the answer; nil logs to slog's default

	// The times of sessions: see [session.Config].
	Idle, Lifetime, ConfirmFor time.Duration

	// KeepEvents is how long activity and audit keep an event: see [activity.New].
	KeepEvents time.Duration

	Product string // the installation's name, which no password may consist of

	Providers []Provider // at which people may also sign in
	Mails     Mails      // nil where no mails are sent
	KeptMails KeptMails  // nil where none are kept
	// Policy says which sign-in methods are accepted. New sets its Issuers to those of
	// Providers.
	Policy policy.Policy

	// PasswordCost is for new hashes; zero means DefaultCost. A hash of another cost is
	// renewed at the next sign-in of its user.
	PasswordCost Cost
	// Hashing is how many passwords are hashed at once; 0 means as many as keep all
	// processors busy. More have to wait, so that a flood of sign-ins can't use up the
	// memory.
	Hashing int
	// Hasher, if set, replaces PasswordCost and Hashing. All services of a process share
	// one.
	Hasher *Hasher
}

// Service applies the rules. It is safe for concurrent use.
type Service struct {
	c        Config
	sessions *session.Service
	activity *activity.Service
	guesses  guesses
	mailed   *limit.Limiter // see mailsBy
	reached  *limit.Limiter // see mailsTo
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
	events := activity.New(chain.Marked(c.Store, c.Now), c.KeepEvents, c.Log)
	c.Store = events.Store()
	s := &Service{c: c, activity: events, guesses: newGuesses(), mailed: limit.New(mailsAtOnce, mailsRecover), reached: limit.New(mailsToAddress, mailsToRecover)}
	s.sessions = session.New(session.Config{
		Store: c.Store, Now: c.Now, Log: c.Log,
		Idle: c.Idle, Lifetime: c.Lifetime, ConfirmFor: c.ConfirmFor,
		ProviderName: s.providerName,
		AlsoEnds:     func(userID string) store.Batch { return store.Batch{endPhoneLink(userID)} },
	})
	return s
}

// Sessions are those that sign-ins here begin.
func (s *Service) Sessions() *session.Service { return s.sessions }

// Activity is where what happens here is recorded.
func (s *Service) Activity() *activity.Service { return s.activity }

// Policy says which sign-in methods are accepted.
func (s *Service) Policy() policy.Policy { return s.c.Policy }

func setDefault[T comparable](setting *T, value T) {
	var zero T
	if *setting == zero {
		*setting = value
	}
}

// Actor returns an actor for a user, whose sign-in methods count by this organisation's
// policy. The caller adds the session, the client, or the administrator who acts.
func (s *Service) Actor(user store.User) session.Actor {
	return session.Actor{User: user, Methods: s.c.Policy.Methods()}
}

// IT returns the actor of a command about the user with this name.
//
// Refusal: [shared.CodeNotFound].
func (s *Service) IT(ctx context.Context, name string) (session.Actor, error) {
	user, err := s.UserByName(ctx, name)
	if err != nil {
		return session.Actor{}, err
	}
	return s.Actor(user), nil
}

// busy is the refusal after a change was retried in vain, because others kept changing the
// same record.
func busy(cause error) error {
	return shared.Errorf(shared.CodeConflict, "The account was changed somewhere else at the same time. Please try again.").Because(cause)
}

// change writes the record of a user that was just read, together with the other operations
// of fn's batch, and notes when what programs are told of the user changes. Every rule writes through it. If another request changes the record at the
// same time, it calls fn again with the new record.
//
// A refusal of fn is returned as it is. After too many lost races the refusal is
// [shared.CodeConflict]. Other errors of the store stay visible: a session or a user that
// doesn't exist any more is [store.ErrNotFound], and a link is a [*store.ItemChanged].
func (s *Service) change(ctx context.Context, user store.User, fn func(store.User) (store.Batch, error)) error {
	err := store.UpdateFrom(ctx, s.c.Store, user, func(user store.User) (store.Batch, error) {
		told := user.Told()
		batch, err := fn(user)
		for i, op := range batch {
			if put, is := op.(store.PutUser); is && put.User.ID == user.ID && put.User.Told() != told {
				put.User.Changed = s.c.Now()
				batch[i] = put
			}
		}
		return batch, err
	})
	switch {
	case err == nil || shared.CodeOf(err) != "":
		return err
	case errors.Is(err, store.ErrStale):
		return busy(err)
	default:
		return fmt.Errorf("changing an account: %w", err)
	}
}

// event returns the operation that records what the actor does. It belongs in the batch
// that does it.
func (s *Service) event(who session.Actor, kind shared.EventKind) store.AddEvent {
	return store.AddEvent{Event: who.Event(kind, s.c.Now())}
}
