// Package grant holds the rules of grants: which programs a user has let in, and for how long.
//
// A grant stands under a session of the user. It says that one program may act for the user, and it
// ends with the session, with the user, or when the user ends the program. Package openid gives
// grants to programs that speak OpenID Connect, and package forwardauth to those behind a reverse
// proxy. Both are the same record here, so "who is signed in where" has one answer.
//
// Nothing is written before a grant begins. [Service.Code] seals what a program may have into a
// text that travels through the browser; [Service.Exchange] spends that text and writes the grant,
// in one batch. Of any number of exchanges of a code, on any number of nodes, one succeeds, and a
// later one ends what the first got. A refresh token works in the same way: each is used once.
//
// [Service.Programs] is what the user sees of it, and [Service.End] is the button there.
// [Service.Run] tells programs that a session has ended. It compares what is promised with what
// is there, so a crash or a command on another machine loses no notice.
package grant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The kinds of programs begin their ids, so that a gate and a client of one name are two programs.
const (
	Client = "client:" // before a client_id
	Gate   = "gate:"   // before the name of a gate
)

// Grant says that a program may act for a user while a session lasts.
type Grant struct {
	ID     string `json:"-"`
	UserID string `json:"-"`
	// Program is the program's kind and id, such as "client:grafana".
	Program string `json:"program"`
	// Session is the id with which the session began; see [store.Session.FirstID].
	Session store.Hash `json:"session"`
	Scopes  []string   `json:"scopes,omitempty"`
	Since   time.Time  `json:"since"`
	Used    time.Time  `json:"used"` // the last refresh, or Since
	// Refreshes is the number of the refresh token that works; 0 if there is none.
	Refreshes uint64 `json:"refreshes,omitempty"`
	// Authenticated and Proof are those of the session when the grant began.
	Authenticated time.Time   `json:"authenticated"`
	Proof         store.Proof `json:"proof"`
}

// Standing is a grant with the session and the user it stands on, as they are now.
type Standing struct {
	Grant
	Under store.Session
	User  store.User
}

// grants have the user as owner and the grant's id as key. A grant without a refresh token is kept as
// long as its access token works, and another as long as the session can last.
var grants = store.Collection[Grant]{Name: "grant"}

// AccessLife is how long an access token works.
const AccessLife = 10 * time.Minute

// most bounds the grants of one user: the least recently used ends. A program that signs in
// again and again would fill the disk.
const most = 100

// Errors of this package. Each answers a program, not a person.
var (
	// ErrInvalid is for a code, a token or a reference that doesn't stand for a grant: it was altered,
	// has expired, or what it stood on has ended.
	ErrInvalid = errors.New("grant: invalid or ended")
	// ErrReused is for a code or a refresh token that was used before. What it had given has ended.
	ErrReused = fmt.Errorf("%w: used before", ErrInvalid)
)

// Config is what a [Service] needs.
type Config struct {
	Store    store.Store
	Sessions *session.Service
	Now      store.Clock
	Log      *slog.Logger
	// Tell tells a program that a session has ended, and returns when the program has taken that.
	Tell func(ctx context.Context, ended Ended) error
}

// Service applies the rules. It is safe for concurrent use.
type Service struct {
	c                  Config
	codes, tokens, ids *seal.Sealer
	notices            *notices
	memo               *memo
}

// secretName is the name of the key that seals codes and tokens. What is sealed under it is worth
// nothing without the records.
const secretName = "grant-key"

// New returns a Service.
func New(ctx context.Context, c Config) (*Service, error) {
	key, err := store.SecretOrNew(ctx, c.Store, secretName, seal.KeySize)
	if err != nil {
		return nil, err
	}
	s := &Service{c: c, notices: newNotices(), memo: newMemo(c.Store)}
	for _, sealed := range []struct {
		into    **seal.Sealer
		purpose string
	}{{&s.codes, "keypeg code 1"}, {&s.tokens, "keypeg refresh 1"}, {&s.ids, "keypeg grant 1"}} {
		if *sealed.into, err = seal.New(key, sealed.purpose); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// SID is the id of a session that programs know (sid of OpenID Connect Back-Channel Logout 1.0, 2.1),
// from the id with which it began. It tells nothing of that id.
func SID(first store.Hash) string {
	sum := sha256.Sum256(append([]byte("sid of "), first[:]...))
	return hex.EncodeToString(sum[:16])
}

// reference is what a sealed text says of a grant.
type reference struct {
	UserID string `json:"u"`
	ID     string `json:"g"`
	Number uint64 `json:"n,omitempty"` // of a refresh token
}

// Reference returns a text that stands for the grant in an access token or a cookie. Nobody else can
// make it, and it tells nobody whose grant it is.
func (s *Service) Reference(g Grant) (string, error) {
	return s.ids.Seal([]byte(g.UserID + g.ID)), nil // no JSON: each request to a program behind a proxy opens one
}

// Find returns the grant of a reference. It fails with [ErrInvalid] if the grant has ended, or what it
// stands on. The slices of what it returns are read only.
func (s *Service) Find(ctx context.Context, sealed string) (Standing, error) {
	now := s.c.Now()
	on, writes, is := s.memo.get(sealed, now)
	if is {
		return on, nil
	}
	on, expires, err := s.find(ctx, sealed)
	if err == nil {
		s.memo.put(sealed, on, expires, writes, now)
	}
	return on, err
}

// find also returns when what it found ends, if nothing is written before.
func (s *Service) find(ctx context.Context, sealed string) (on Standing, expires time.Time, err error) {
	plain, err := s.ids.Open(sealed)
	if err == nil && len(plain) <= len(store.Organisation) {
		err = errors.New("is too short")
	}
	if err != nil {
		return Standing{}, expires, fmt.Errorf("%w: the reference %w", ErrInvalid, err)
	}
	to := reference{UserID: string(plain[:len(store.Organisation)]), ID: string(plain[len(store.Organisation):])}
	found, err := s.entry(ctx, to)
	if err != nil {
		return Standing{}, expires, err
	}
	if on, err = s.standing(ctx, found.Value); err != nil {
		return Standing{}, expires, err
	}
	expires = on.Under.Expires
	if !found.Expires.IsZero() && found.Expires.Before(expires) {
		expires = found.Expires
	}
	return on, expires, nil
}

// entry returns the record of a grant. It fails with [ErrInvalid] if there is none.
func (s *Service) entry(ctx context.Context, to reference) (store.Entry[Grant], error) {
	found, err := grants.Get(ctx, s.c.Store, to.UserID, to.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return found, fmt.Errorf("%w: there is no such grant", ErrInvalid)
	case err != nil:
		return found, fmt.Errorf("looking up a grant: %w", err)
	}
	found.Value.UserID, found.Value.ID = to.UserID, to.ID
	return found, nil
}

// standing looks up what a grant stands on.
func (s *Service) standing(ctx context.Context, g Grant) (Standing, error) {
	under, user, err := s.c.Sessions.Of(ctx, g.Session)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		return Standing{}, fmt.Errorf("%w: the session has ended", ErrInvalid)
	}
	return Standing{g, under, user}, err
}

// Revoke ends a grant. The program isn't told, because it asked for that.
func (s *Service) Revoke(ctx context.Context, g Grant) error {
	err := s.c.Store.Apply(ctx, store.Batch{grants.Remove(store.Entry[Grant]{Owner: g.UserID, Key: g.ID, Version: store.AnyVersion})})
	if err != nil {
		return fmt.Errorf("ending a grant: %w", err)
	}
	return nil
}
