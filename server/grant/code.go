package grant

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// CodeLife is how long a code works.
const CodeLife = time.Minute

// spentFor is how long a spent code is remembered, from when it was issued. It is longer than any decision stands
// from which codes of one id are made.
const spentFor = 15 * time.Minute

// Code is what an authorization code stands for. The caller of [Service.Code] sets all but the sealed
// fields.
type Code struct {
	Program  string   `json:"p"`
	Name     string   `json:"d"` // of the program, for the user's activity
	Scopes   []string `json:"s,omitempty"`
	Redirect string   `json:"r"`           // a hash of the redirect URI, or the host of a gate
	Bound    string   `json:"b,omitempty"` // to what the exchange must prove: a PKCE challenge, or a hash of a cookie
	Nonce    string   `json:"n,omitempty"` // for the ID token

	// Lasting means that the grant gets a refresh token, or is a gate's: it lasts as long as the session.
	Lasting bool `json:"l,omitempty"`
	// Told means that the program is told when the session ends.
	Told bool `json:"t,omitempty"`

	// ID is that of the grant that the exchange writes, from [NewID] at the time when the user decided. Two codes with
	// one id are one: the second is spent with the first. A caller that doesn't need that leaves it empty.
	ID            string       `json:"i"`
	Issued        time.Time    `json:"m"`
	Session       store.Hash   `json:"f"` // its first id
	Authenticated time.Time    `json:"a"`
	Proof         store.Proof  `json:"o"`
	From          store.Client `json:"c"`
}

// NewID returns the id of a new grant.
func NewID(now time.Time) string {
	id := store.NewTicketID(now)
	return hex.EncodeToString(id[:])
}

// Code returns a sealed code for the actor's session. It writes nothing.
func (s *Service) Code(who session.Actor, c Code) (string, error) {
	now := s.c.Now()
	if c.ID == "" {
		c.ID = NewID(now)
	}
	c.Issued, c.From = now.UTC(), who.Client
	c.Session, c.Authenticated, c.Proof = who.Session.FirstID(), who.Session.Authenticated, who.Session.Proof
	if c.Authenticated.IsZero() { // a token from before a confirmation: it says no more than that its user signed in once
		c.Authenticated = who.Session.Created
	}
	return s.codes.SealJSON(c)
}

// Exchange spends a code and begins its grant. Check looks whether the caller may, for this user: at its
// refusal, nothing changes, and the refusal is returned as it is. The refresh token is "" unless the code
// says that there is one.
//
// It fails with [ErrInvalid] for a code that is no code of ours, has expired, or whose session has
// ended; and with [ErrReused] for one that was spent before, whose grant has ended then.
func (s *Service) Exchange(ctx context.Context, sealed string, check func(Code, store.User) error) (Standing, Code, string, error) {
	var c Code
	if err := s.codes.OpenJSON(sealed, &c); err != nil {
		return Standing{}, c, "", fmt.Errorf("%w: the code %w", ErrInvalid, err)
	}
	now := s.c.Now()
	if age := now.Sub(c.Issued); age >= CodeLife || age < -store.ClockSkew {
		return Standing{}, c, "", fmt.Errorf("%w: the code is %s old", ErrInvalid, age)
	}
	began, err := s.begin(ctx, c, check)
	if err != nil {
		return Standing{}, c, "", err
	}
	token := ""
	if c.Lasting {
		token, err = s.refreshToken(began.Grant)
	}
	return began, c, token, err
}

// begin writes the grant of a code, and what goes with it.
func (s *Service) begin(ctx context.Context, c Code, check func(Code, store.User) error) (Standing, error) {
	for attempt := 1; ; attempt++ {
		now := s.c.Now()
		g := Grant{
			ID: c.ID, UserID: store.UserOfSession(c.Session), Program: c.Program, Session: c.Session, Scopes: c.Scopes,
			Since: now.UTC(), Used: now.UTC(), Authenticated: c.Authenticated, Proof: c.Proof,
		}
		if c.Lasting {
			g.Refreshes = 1
		}
		on, err := s.standing(ctx, g)
		if err == nil {
			err = check(c, on.User)
		}
		if err != nil {
			return Standing{}, err
		}
		batch, err := s.beginning(ctx, on, c)
		if err != nil {
			return Standing{}, err
		}
		switch err := s.c.Store.Apply(ctx, batch); {
		case err == nil:
			return on, nil
		case store.IsSpent(err):
			return Standing{}, s.reused(ctx, g)
		case attempt < store.Attempts && (errors.Is(err, store.ErrNotFound) || programs.Changed(err) || endings.Changed(err)):
			// The session was confirmed just now, or the user has let a program in, or has ended one.
		default:
			return Standing{}, fmt.Errorf("beginning a grant: %w", err)
		}
	}
}

// beginning returns the batch that begins a grant. It fails with [store.ErrNotFound] if the session
// isn't there any more when it is applied.
func (s *Service) beginning(ctx context.Context, on Standing, c Code) (store.Batch, error) {
	id, err := hex.DecodeString(c.ID)
	if err != nil || len(id) != len(store.TicketID{}) {
		return nil, fmt.Errorf("%w: the code has a wrong id", ErrInvalid)
	}
	standing, err := s.notEnded(ctx, on.Grant, store.TicketID(id).Issued())
	if err != nil {
		return nil, err
	}
	now := s.c.Now()
	lasts := now.Add(AccessLife)
	ends := on.Under.Created.Add(s.c.Sessions.Lifetime())
	if c.Lasting {
		lasts = ends
	}
	batch := store.Batch{
		store.SpendTicket(store.TicketID(id), c.Issued.Add(spentFor)),
		store.ReplaceSession{Old: on.Under.ID, Session: on.Under}, // it is still there
		standing,
		grants.Put(store.Entry[Grant]{Owner: on.UserID, Key: on.ID, Value: on.Grant, Expires: lasts}),
	}
	if c.Told {
		batch = append(batch, promise(on.Grant, ends))
	}
	event := store.NewEvent(now, on.UserID, shared.EventSignedInTo, c.From)
	event.Program = c.Name
	batch = append(batch, store.AddEvent{Event: event})
	used, err := s.usedNow(ctx, on.Grant)
	if err != nil {
		return nil, err
	}
	room, err := s.room(ctx, on.UserID, on.Program)
	return append(append(batch, used...), room...), err
}

// room returns the operations that end the grants of a user which are too many, to begin one of a program.
func (s *Service) room(ctx context.Context, userID, program string) (batch store.Batch, err error) {
	all, err := grants.List(ctx, s.c.Store, userID, "", 2*most)
	if err != nil || len(all) < most {
		return nil, err
	}
	others := func(e store.Entry[Grant]) int { // a program that signs in all day ends its own grants first
		if e.Value.Program == program {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b store.Entry[Grant]) int {
		return cmp.Or(cmp.Compare(others(a), others(b)), a.Value.Used.Compare(b.Value.Used), cmp.Compare(a.Key, b.Key))
	})
	for _, old := range all[:len(all)-most+1] {
		batch = append(batch, grants.Remove(store.Entry[Grant]{Owner: userID, Key: old.Key, Version: store.AnyVersion}))
	}
	return batch, nil
}

// reused ends a grant whose code or refresh token was used again: one of the two who have it isn't
// who it was given to (RFC 6749, 4.1.2 and RFC 9700, 4.14.2).
func (s *Service) reused(ctx context.Context, g Grant) error {
	s.c.Log.Warn("a code or a refresh token was used twice, so what it had given has ended", "program", g.Program, "user", g.UserID)
	if err := s.Revoke(ctx, g); err != nil {
		return err
	}
	return ErrReused
}

// refreshToken returns the refresh token of a grant that works now.
func (s *Service) refreshToken(g Grant) (string, error) {
	return s.tokens.SealJSON(reference{UserID: g.UserID, ID: g.ID, Number: g.Refreshes})
}

// OfRefreshToken returns the grant of a refresh token that works. It fails with [ErrInvalid].
func (s *Service) OfRefreshToken(ctx context.Context, token string) (Grant, error) {
	var to reference
	if err := s.tokens.OpenJSON(token, &to); err != nil {
		return Grant{}, fmt.Errorf("%w: the refresh token %w", ErrInvalid, err)
	}
	found, err := s.entry(ctx, to)
	if err == nil && found.Value.Refreshes != to.Number {
		err = ErrInvalid
	}
	return found.Value, err
}

// Refresh takes the place of a refresh token by another one (RFC 6749, 6). Check looks whether the
// caller may, as in [Service.Exchange]. Told means, as in a [Code], that the program is told when the session ends: it may
// have got its address after the grant began.
//
// It fails with [ErrInvalid] for a token that doesn't work, and with [ErrReused] for one that was used
// before: then the whole family ends, because a thief or the program has an old one.
func (s *Service) Refresh(ctx context.Context, token string, told bool, check func(Grant, store.User) error) (Standing, string, error) {
	var to reference
	if err := s.tokens.OpenJSON(token, &to); err != nil {
		return Standing{}, "", fmt.Errorf("%w: the refresh token %w", ErrInvalid, err)
	}
	for attempt := 1; ; attempt++ {
		found, err := s.entry(ctx, to)
		if err != nil {
			return Standing{}, "", err
		}
		on, err := s.standing(ctx, found.Value)
		if err == nil {
			err = check(found.Value, on.User)
		}
		if err != nil {
			return Standing{}, "", err
		}
		if to.Number != found.Value.Refreshes {
			return Standing{}, "", s.reused(ctx, found.Value)
		}
		on.Refreshes, on.Used = to.Number+1, s.c.Now().UTC()
		found.Value = on.Grant
		batch := store.Batch{grants.Put(found), store.ReplaceSession{Old: on.Under.ID, Session: s.kept(on)}}
		if told {
			if batch, err = s.promised(ctx, batch, on); err != nil {
				return Standing{}, "", err
			}
		}
		err = s.c.Store.Apply(ctx, batch)
		if grants.Changed(err) || errors.Is(err, store.ErrNotFound) {
			if attempt < store.Attempts {
				continue // used by another request, ended or confirmed meanwhile
			}
			return Standing{}, "", fmt.Errorf("%w: it was changed again and again", ErrInvalid)
		}
		if err != nil {
			return Standing{}, "", fmt.Errorf("refreshing a grant: %w", err)
		}
		next, err := s.refreshToken(on.Grant)
		return on, next, err
	}
}

// kept returns the session of a grant as a refresh leaves it. With the scope offline_access the user
// has allowed that the program keeps them signed in while they are away (OpenID Connect Core 1.0, 11).
func (s *Service) kept(on Standing) store.Session {
	if !slices.Contains(on.Scopes, shared.ScopeOffline) {
		return on.Under
	}
	return s.c.Sessions.Used(on.Under)
}
