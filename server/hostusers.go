package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// hostUsers are the users of a host. Their record is made with their first passkey. Its
// Name is the host's id of the user.
type hostUsers struct {
	clients   httpapi.Clients
	host      Host
	store     store.Store
	passkeys  *passkey.Service
	now       store.Clock
	log       *slog.Logger
	handleKey []byte
	policy    policy.Policy // which relying party ids there are
}

const (
	secretHandles   = "host-handle-key" // of the HMAC that makes user handles
	handleKeyBytes  = 64
	maxHostID       = 255
	recordIDPurpose = "user of a host: "
)

// recordID is the id of the record of a host's user, in the form of [store.IsUserID].
func recordID(hostID string) string {
	sum := sha256.Sum256([]byte(recordIDPurpose + hostID))
	return hex.EncodeToString(sum[:16])
}

// record loads the record of a user. Before their first passkey nothing is stored, so it
// returns one with a user handle that is computed from the id: both requests of that
// ceremony must have the same handle. Without the key nobody can tell it from a random one
// (WebAuthn Level 3, 14.6.1).
func (u hostUsers) record(ctx context.Context, hostID string) (store.User, error) {
	if hostID == "" || len(hostID) > maxHostID {
		return store.User{}, fmt.Errorf("the host's id of a user has %d bytes", len(hostID))
	}
	user, err := u.store.User(ctx, recordID(hostID))
	if errors.Is(err, store.ErrNotFound) {
		mac := hmac.New(sha512.New, u.handleKey)
		mac.Write([]byte(hostID))
		return store.User{ID: recordID(hostID), Name: hostID, DisplayName: hostID, Handle: mac.Sum(nil), Created: u.now()}, nil
	}
	return user, err
}

// signedIn is the caller that handlers get for a session at the host.
func (u hostUsers) signedIn(at HostSession, known HostUser, record store.User, client store.Client) *httpapi.Caller {
	return &httpapi.Caller{
		AtHost: at.ID,
		Shown:  shared.User{ID: known.ID, Name: known.Name, DisplayName: known.DisplayName},
		Actor: session.Actor{
			User: record, Client: client,
			Session: store.Session{
				ID: store.HashOf(at.ID), UserID: record.ID, PasskeyID: at.PasskeyID,
				Created: at.Proved, Seen: at.Proved, Authenticated: at.Proved,
			},
			Methods: u.policy.AtHost(known.HasPassword, known.OtherMethods),
		},
	}
}

func (u hostUsers) authenticate(r *http.Request) (*httpapi.Caller, error) {
	session, err := u.host.SignedIn(r)
	if errors.Is(err, ErrNobody) {
		return nil, errSignIn
	}
	if err != nil {
		return nil, fmt.Errorf("asking the host who is signed in: %w", err)
	}
	if session.ID == "" {
		return nil, errors.New("the host's session has no id")
	}
	known, err := u.activeUser(r.Context(), session.UserID)
	if err != nil {
		return nil, err
	}
	record, err := u.record(r.Context(), known.ID)
	if err != nil {
		return nil, fmt.Errorf("loading the passkeys of a user: %w", err)
	}
	return u.signedIn(session, known, record, u.clients.Of(r)), nil
}

// activeUser finds a user of the host, and refuses one who is disabled.
func (u hostUsers) activeUser(ctx context.Context, hostID string) (HostUser, error) {
	known, err := u.host.User(ctx, hostID)
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

// visitor has no session: the host ends the one that the request came with, see [Sessions].
func (u hostUsers) visitor(r *http.Request) session.Actor {
	return session.Actor{Client: u.clients.Of(r)}
}

func (u hostUsers) sessionExists(r *http.Request, who httpapi.Caller) bool {
	session, err := u.host.SignedIn(r)
	return err == nil && recordID(session.UserID) == who.User.ID
}

func (u hostUsers) signIn(r *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error) {
	if err := u.refuseSomebodyElse(r, who.User); err != nil {
		return nil, nil, err
	}
	return u.hostSession(r, who, with, shared.EventSignedIn)
}

// refuseSomebodyElse refuses a sign-in while another user is signed in: a host might take
// the session that the request came with for the one that is proved. A user whom the host
// has disabled doesn't count, because they can't sign out first.
func (u hostUsers) refuseSomebodyElse(r *http.Request, user store.User) error {
	session, err := u.host.SignedIn(r)
	if errors.Is(err, ErrNobody) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking the host who is signed in: %w", err)
	}
	if session.UserID == user.Name {
		return nil
	}
	_, err = u.activeUser(r.Context(), session.UserID)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	return shared.Errorf(shared.CodeConflict, "Somebody else is signed in here. Sign out first.")
}

func (u hostUsers) confirm(r *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error) {
	return u.hostSession(r, who, with, shared.EventConfirmed)
}

// hostSession has the host begin a session for the user who has proved a passkey. The host
// sets the cookie, so nothing belongs in the batch.
func (u hostUsers) hostSession(r *http.Request, who session.Actor, with store.Passkey, kind shared.EventKind) (sessionSetter, store.Batch, error) {
	known, err := u.activeUser(r.Context(), who.User.Name)
	if shared.CodeOf(err) != "" {
		return nil, nil, passkey.Disabled(err)
	}
	if err != nil {
		return nil, nil, err
	}
	set := func(w http.ResponseWriter, r *http.Request) (httpapi.Caller, error) {
		if err := u.host.SignIn(w, r, known.ID, with.ID); err != nil {
			return httpapi.Caller{}, fmt.Errorf("the host's sign-in: %w", err)
		}
		if !u.recordUse(r, who, kind, with) && u.endsSessions() {
			// The user removed the passkey meanwhile, and may have ended its sessions before
			// this one existed.
			if err := u.end(r.Context(), known.ID, with.ID, ""); err != nil {
				return httpapi.Caller{}, err
			}
			return httpapi.Caller{}, passkey.Removed(errors.New("the passkey was removed while it let its user in"))
		}
		return *u.signedIn(HostSession{UserID: known.ID, Proved: u.now(), PasskeyID: with.ID}, known, who.User, who.Client), nil
	}
	return set, nil, nil
}

// recordUse writes the line of activity. It does so in a batch of its own after the host
// has begun the session, because people must not read of sign-ins that the host refused. A
// sign-in without a line would be worse, since it hides a thief. If the process is killed
// in between, nobody is signed in: the session's cookie travels with our answer.
//
// When the store fails, the sign-in can't be refused any more, because the cookie is set.
// It reports whether the passkey is still there, and true if the store can't say.
func (u hostUsers) recordUse(r *http.Request, who session.Actor, kind shared.EventKind, with store.Passkey) (exists bool) {
	ctx := context.WithoutCancel(r.Context()) // the session exists even if the request is cancelled
	exists, err := u.passkeys.RecordUse(ctx, who, kind, with)
	if err != nil {
		u.log.Error("a line is missing in the activity of a user", "request", httpapi.RequestID(ctx), "user", who.User.ID, "event", kind, "cause", err)
		return true
	}
	return exists
}

func (u hostUsers) endsSessions() bool {
	_, ends := u.host.(SessionEnder)
	return ends
}

// removals has the passkeys that users have removed just now, by the hash of the id, until the host has ended their
// sessions. The id is in the path of the request, so it may be any text.
var removals = store.Collection[struct{}]{Name: "host-removal"}

// removalsKept is for how long a user may ask again to end the sessions of a passkey that they have removed.
const removalsKept = time.Hour

func removalOf(who httpapi.Caller, passkeyID string) store.Entry[struct{}] {
	hash := store.HashOf(passkeyID)
	return store.Entry[struct{}]{Owner: who.User.ID, Key: hex.EncodeToString(hash[:]), Version: store.AnyVersion}
}

func (u hostUsers) removing(who httpapi.Caller, passkeyID string) store.Batch {
	if !u.endsSessions() {
		return nil
	}
	removal := removalOf(who, passkeyID)
	removal.Expires = u.now().Add(removalsKept)
	return store.Batch{removals.Put(removal)}
}

func (u hostUsers) removed(ctx context.Context, who httpapi.Caller, passkeyID string) error {
	ctx = context.WithoutCancel(ctx) // the passkey is deleted already
	removal := removalOf(who, passkeyID)
	is, err := removals.Has(ctx, u.store, removal.Owner, removal.Key)
	if err != nil {
		return fmt.Errorf("looking up the removal of a passkey: %w", err)
	}
	if !is {
		return nil
	}
	if err := u.endLink(ctx, who.User.ID); err != nil {
		return err
	}
	if err := u.end(ctx, who.Shown.ID, passkeyID, who.AtHost); err != nil {
		return err
	}
	if err := u.store.Apply(ctx, store.Batch{removals.Remove(removal)}); err != nil {
		return fmt.Errorf("noting that the sessions of a passkey have ended: %w", err)
	}
	return nil
}

func (u hostUsers) end(ctx context.Context, hostID, passkeyID, except string) error {
	// The request may be cancelled. The passkey is already deleted, so its sessions end
	// anyway.
	err := u.host.(SessionEnder).EndSessions(context.WithoutCancel(ctx), hostID, passkeyID, except)
	if err != nil {
		return fmt.Errorf("ending the host's sessions: %w", err)
	}
	return nil
}

// added asks the host again whether the user exists. Before their first passkey nothing is
// stored of a user, so the store can't know that they were removed during the ceremony.
func (u hostUsers) added(ctx context.Context, who httpapi.Caller) error {
	_, err := u.host.User(ctx, who.Shown.ID)
	if !errors.Is(err, ErrNoUser) {
		return nil // if the host failed: it is asked again before anybody signs in with the passkey
	}
	if err := u.passkeys.Erase(ctx, who.User.ID); err != nil {
		return err
	}
	return errSignIn.Because(errors.New("the user was removed while they added a passkey"))
}

// RemovePasskeys removes all that is stored of a host's user: their passkeys and their
// activity. The hash of each passkey's credential id stays, so that the password manager
// can be told when it is tried again. Call it when [Directory] doesn't find the user any
// more: then requests that are under way at that moment leave nothing behind either. For a
// user of whom nothing is stored it does nothing, and returns no error.
func (s *Server) RemovePasskeys(ctx context.Context, hostID string) error {
	if s.embedded != nil {
		return s.embedded.RemoveUser(ctx, hostID)
	}
	return s.passkeys.Erase(ctx, recordID(hostID))
}
