package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Host is a program that has users and sessions of its own. Keypeg keeps their
// passkeys and knows nothing else of them: what they are called, whether they may
// sign in and how their sessions work stays with the program.
type Host interface {
	Directory
	Sessions
}

// Directory finds a host's users.
type Directory interface {
	// User returns the user with this id, in HostUser too, or [ErrNoUser].
	User(ctx context.Context, id string) (HostUser, error)
}

// Sessions are those that a host keeps.
type Sessions interface {
	// SignedIn tells who is signed in to a request. With nobody it is [ErrNobody].
	//
	// For each open page it is asked again every 25 seconds, and after each change, with
	// the request that its stream began with, of [shared.PathLive]. A session that ends
	// when it isn't used must not go on for that: no open page would ever be signed out.
	SignedIn(r *http.Request) (HostSession, error)
	// SignIn lets a user in who has just proved, with the passkey of this id, that they
	// are there. It begins a session for userID that is Proved now, with a new id, which
	// nobody can have planted before; ends the one that the request came with, if any;
	// and sets the cookie. It writes no body. For who is signed in already it is a
	// confirmation, and no different. While somebody else is signed in it isn't called.
	//
	// An error lets nobody in, and activity doesn't tell of a sign-in. It is answered as
	// a fault, or with its own sentence if it is a *[shared.Error]; [shared.Errorf] makes
	// one. The passkey counts as used by then, so that the person has to begin again.
	// Cookies that were set before are sent with the error.
	SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error
}

// SessionEnder is for a [Host] that ends sessions when a passkey is removed: of a lost
// phone, or one that wasn't the user's. Without it, nobody is offered that.
type SessionEnder interface {
	// EndSessions ends the sessions of a user that began with the passkey of this id, but
	// for the one with the id except, which may be "". That there are none is no error:
	// it is asked again after one.
	EndSessions(ctx context.Context, userID, passkeyID, except string) error
}

// HostUser is a user of a [Host].
type HostUser struct {
	ID          string // never changes, is never another's; 1 to 255 bytes
	Name        string // what they type to sign in, or an e-mail address
	DisplayName string
	Disabled    bool // they may not sign in

	// HasPassword says that they can sign in with one of the host's. Where they have to
	// confirm, pages ask for it, and the host takes it: see selfservice.Service.
	HasPassword bool
	// OtherWays is how many ways in the host has for them besides, such as an OpenID
	// provider. Without a password and with none of these, their last passkey stays.
	OtherWays int
}

// HostSession is a session of a [Host].
type HostSession struct {
	ID     string    // tells it from others; a ceremony ends in the session it began in
	UserID string    // whose it is
	Proved time.Time // when they last proved that they are there, by whatever means
	// PasskeyID is the one that [Sessions] was told when the session began, or "".
	PasskeyID string
}

// The errors of a [Host] that aren't failures.
var (
	ErrNobody = errors.New("server: nobody is signed in")
	ErrNoUser = errors.New("server: there is no such user")
)

// guests are the users of a host. The record of each is made with their first
// passkey: its Name is the host's id of them.
type guests struct {
	*Server
	handleKey []byte
}

const (
	secretHandles   = "host-handle-key"
	handleKeyBytes  = 64
	maxHostID       = 255
	recordIDPurpose = "user of a host: "
)

func newGuests(ctx context.Context, s *Server) (guests, error) {
	key, err := store.SecretOrNew(ctx, s.Store, secretHandles, handleKeyBytes)
	return guests{s, key}, err
}

// recordID is the key of a guest's record, which looks like that of any user.
func recordID(hostID string) string {
	sum := sha256.Sum256([]byte(recordIDPurpose + hostID))
	return hex.EncodeToString(sum[:16])
}

// record loads what is kept of a guest. Nothing is stored before their first passkey,
// so the user handle is made of the id: both halves of that ceremony must have the
// same. To others it is as random as any (WebAuthn Level 3, 14.6.1).
func (s guests) record(ctx context.Context, hostID string) (store.User, error) {
	if hostID == "" || len(hostID) > maxHostID {
		return store.User{}, fmt.Errorf("the host's id of a user has %d bytes", len(hostID))
	}
	user, err := s.Store.User(ctx, recordID(hostID))
	if errors.Is(err, store.ErrNotFound) {
		mac := hmac.New(sha512.New, s.handleKey)
		mac.Write([]byte(hostID))
		return store.User{ID: recordID(hostID), Name: hostID, DisplayName: hostID, Handle: mac.Sum(nil), Created: s.Now()}, nil
	}
	return user, err
}

// guest is a user of the host as our handlers see them.
func (s guests) guest(session HostSession, known HostUser, record store.User) signedInUser {
	return signedInUser{
		atHost: session.ID,
		session: store.Session{
			ID: store.HashOf(session.ID), UserID: record.ID, PasskeyID: session.PasskeyID,
			Created: session.Proved, Seen: session.Proved, Authenticated: session.Proved,
		},
		user:   record,
		shown:  shared.User{ID: known.ID, Name: known.Name, DisplayName: known.DisplayName},
		policy: policy.Policy{HostPassword: known.HasPassword, OtherWays: known.OtherWays},
	}
}

func (s guests) authenticate(r *http.Request) (signedInUser, error) {
	session, err := s.Host.SignedIn(r)
	if errors.Is(err, ErrNobody) {
		return signedInUser{}, errSignIn
	}
	if err != nil {
		return signedInUser{}, fmt.Errorf("asking the host who is signed in: %w", err)
	}
	if session.ID == "" {
		return signedInUser{}, errors.New("the host's session has no id")
	}
	known, err := s.mayBeHere(r.Context(), session.UserID)
	if err != nil {
		return signedInUser{}, err
	}
	record, err := s.record(r.Context(), known.ID)
	if err != nil {
		return signedInUser{}, fmt.Errorf("loading the passkeys of a user: %w", err)
	}
	return s.guest(session, known, record), nil
}

// mayBeHere finds a user of the host who isn't shut out.
func (s guests) mayBeHere(ctx context.Context, hostID string) (HostUser, error) {
	known, err := s.Host.User(ctx, hostID)
	switch {
	case errors.Is(err, ErrNoUser) || err == nil && known.Disabled:
		return HostUser{}, errSignIn.Because(fmt.Errorf("the user is gone or disabled (%v)", err))
	case err != nil:
		return HostUser{}, fmt.Errorf("asking the host for a user: %w", err)
	case known.ID != hostID:
		return HostUser{}, fmt.Errorf("the host was asked for the user %q and returned %q: a user has one id, in HostUser and in HostSession", hostID, known.ID)
	}
	return known, nil
}

func (s guests) goesOn(r *http.Request, who signedInUser) bool {
	session, err := s.Host.SignedIn(r)
	return err == nil && recordID(session.UserID) == who.user.ID
}

func (s guests) signIn(r *http.Request, from store.Client, user store.User, with store.Passkey) (admission, store.Batch, error) {
	if err := s.refuseSomebodyElse(r, user); err != nil {
		return nil, nil, err
	}
	return s.admission(r, from, user, with, shared.EventSignedIn)
}

// refuseSomebodyElse keeps one user's passkey from another's session: a host might take
// the session that the request came with for the one that is proved. Whom the host
// has shut out is nobody, and can't sign out first.
func (s guests) refuseSomebodyElse(r *http.Request, user store.User) error {
	session, err := s.Host.SignedIn(r)
	if errors.Is(err, ErrNobody) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking the host who is signed in: %w", err)
	}
	if session.UserID == user.Name {
		return nil
	}
	_, err = s.mayBeHere(r.Context(), session.UserID)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	return shared.Errorf(shared.CodeConflict, "Somebody else is signed in here. Sign out first.")
}

func (s guests) confirm(r *http.Request, from store.Client, _ signedInUser, user store.User, with store.Passkey) (admission, store.Batch, error) {
	return s.admission(r, from, user, with, shared.EventConfirmed)
}

// admission hands whoever proved a passkey over to the host.
func (s guests) admission(r *http.Request, from store.Client, user store.User, with store.Passkey, kind shared.EventKind) (admission, store.Batch, error) {
	known, err := s.mayBeHere(r.Context(), user.Name)
	if shared.CodeOf(err) != "" {
		return nil, nil, passkey.Disabled(err)
	}
	if err != nil {
		return nil, nil, err
	}
	event := store.NewEvent(s.Now(), user.ID, kind, from)
	event.Method, event.PasskeyID, event.Passkey = store.MethodPasskey, with.ID, with.Name
	admit := func(w http.ResponseWriter, r *http.Request) (signedInUser, error) {
		if err := s.Host.SignIn(w, r, known.ID, with.ID); err != nil {
			return signedInUser{}, fmt.Errorf("the host's sign-in: %w", err)
		}
		if !s.tellAdmitted(r, event) && s.endsSessions() {
			// Who removed the passkey meanwhile may have wished its sessions to end, before
			// there was this one.
			if err := s.end(r.Context(), known.ID, with.ID, ""); err != nil {
				return signedInUser{}, err
			}
			return signedInUser{}, passkey.Removed(errors.New("the passkey was removed while it let its user in"))
		}
		return s.guest(HostSession{UserID: known.ID, Proved: s.Now(), PasskeyID: with.ID}, known, user), nil
	}
	return admit, nil, nil
}

// tellAdmitted writes the line of activity, in a batch of its own after the host's yes:
// else people would read of sign-ins that the host refused. A sign-in without a line
// would be worse, since it hides a thief. Killed in between we leave no such thing: the
// session's cookie travels with our answer, so nobody has got it.
//
// It can't be refused any more when the store fails, for the cookie is set. What it
// returns is whether the passkey is still there, as far as can be told.
func (s guests) tellAdmitted(r *http.Request, event store.Event) (there bool) {
	ctx := context.WithoutCancel(r.Context()) // who goes away is signed in all the same
	err := store.Update(ctx, s.Store, event.UserID, func(user store.User) (store.Batch, error) {
		there = slices.ContainsFunc(user.Passkeys, func(p store.Passkey) bool { return p.ID == event.PasskeyID })
		// With their record: who was removed meanwhile leaves no line.
		return store.Batch{store.PutUser{User: user}, store.AddEvent{Event: event}}, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	if err != nil {
		s.Log.Error("activity lacks a line", "request", requestID(ctx), "user", event.UserID, "event", event.Kind, "cause", err)
		return true
	}
	return there
}

func (s guests) endsSessions() bool {
	_, ends := s.Host.(SessionEnder)
	return ends
}

func (s guests) removed(ctx context.Context, who signedInUser, passkeyID string) error {
	return s.end(ctx, who.shown.ID, passkeyID, who.atHost)
}

func (s guests) end(ctx context.Context, hostID, passkeyID, except string) error {
	// Who asked may go away; the passkey has gone, and its sessions shall.
	err := s.Host.(SessionEnder).EndSessions(context.WithoutCancel(ctx), hostID, passkeyID, except)
	if err != nil {
		return fmt.Errorf("ending the host's sessions: %w", err)
	}
	return nil
}

// added closes the gap that a removal leaves: where nothing was kept of a user yet, the
// store can't tell that they have gone.
func (s guests) added(ctx context.Context, who signedInUser) error {
	_, err := s.Host.User(ctx, who.shown.ID)
	if !errors.Is(err, ErrNoUser) {
		return nil // a host in trouble is asked again before the passkey lets anybody in
	}
	if err := s.RemovePasskeys(ctx, who.shown.ID); err != nil {
		return err
	}
	return errSignIn.Because(errors.New("the user was removed while they added a passkey"))
}

// RemovePasskeys removes all that is kept of a host's user: their passkeys and their
// activity. Of each passkey the hash of its credential id stays, so that the password
// manager can be told when it is tried again. Call it once [Directory] doesn't know them
// any more: what is on its way at that moment then leaves nothing behind either. Of a user
// whom nobody has heard of nothing is kept, and that is no error.
func (s *Server) RemovePasskeys(ctx context.Context, hostID string) error {
	id := recordID(hostID)
	err := store.Update(ctx, s.Store, id, func(user store.User) (store.Batch, error) {
		batch := store.Batch{store.RemoveUser{ID: id, Revision: user.Revision}}
		for _, p := range user.Passkeys {
			batch = append(batch, store.Tombstone(s.Now(), p))
		}
		return batch, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		err = s.Store.Apply(ctx, store.Batch{store.RemoveUser{ID: id}}) // what may be left of them
	}
	if err != nil {
		return fmt.Errorf("removing what is kept of a user: %w", err)
	}
	return nil
}
