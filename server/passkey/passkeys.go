package passkey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// List returns the user's passkeys, oldest first. Current is the passkey that
// the session began with, or "".
func (s *Service) List(user store.User, current string) shared.PasskeyList {
	list := shared.PasskeyList{
		Passkeys:    make([]shared.Passkey, len(user.Passkeys)),
		HasPassword: s.policy.HasPassword(user),
		RPID:        s.rpID,
		UserHandle:  encode(user.Handle),
	}
	for i, p := range user.Passkeys {
		list.Passkeys[i] = s.describe(user, p, current)
	}
	return list
}

// Rename gives one of the user's passkeys another name.
//
// Refusals: [shared.CodeInvalidName] (a blank one too), [shared.CodeNotFound]
// for a passkey that isn't this user's, and [shared.CodeNameTaken].
func (s *Service) Rename(ctx context.Context, user store.User, session store.Session, id, name string, client store.Client) (shared.Passkey, error) {
	name, err := shared.CleanPasskeyName(name)
	if err != nil {
		return shared.Passkey{}, err
	}
	if name == "" {
		return shared.Passkey{}, shared.Errorf(shared.CodeInvalidName, "Please enter a name.")
	}

	var row shared.Passkey
	err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
		i, err := find(user, id)
		if err != nil {
			return nil, err
		}
		if hasName(user, name, id) {
			return nil, shared.Errorf(shared.CodeNameTaken, "Another of your passkeys has this name.")
		}

		user.Passkeys[i].Name = name
		row = s.describe(user, user.Passkeys[i], session.PasskeyID)
		event := store.NewEvent(s.now(), user.ID, shared.EventPasskeyRenamed, client)
		event.PasskeyID, event.Passkey = id, name
		return store.Batch{store.PutUser{User: user}, store.AddEvent{Event: event}}, nil
	})
	return row, err
}

// Remove takes one of the user's passkeys away and returns what is left. The
// last way to sign in stays. With endSessions, the user's other sessions that
// began with this passkey end. A tombstone stays, and the list says whether the
// password manager may be told.
//
// Refusals: [shared.CodeNotFound] for a passkey that isn't this user's, and
// [shared.CodeLastMethod].
func (s *Service) Remove(ctx context.Context, user store.User, session store.Session, id string, endSessions bool, client store.Client) (shared.PasskeyList, error) {
	var left shared.PasskeyList
	var removed store.Passkey
	err := s.change(ctx, user, func(user store.User) (store.Batch, error) {
		i, err := find(user, id)
		if err != nil {
			return nil, err
		}
		removed = user.Passkeys[i]
		if s.policy.IsLastPasskey(user, removed) {
			return nil, shared.Errorf(shared.CodeLastMethod, "This is your only way to sign in. Add another passkey first.")
		}

		user.Passkeys = slices.Delete(user.Passkeys, i, i+1)
		left = s.List(user, session.PasskeyID)
		event := store.NewEvent(s.now(), user.ID, shared.EventPasskeyRemoved, client)
		event.PasskeyID, event.Passkey = id, removed.Name
		batch := store.Batch{store.PutUser{User: user}, store.Tombstone(s.now(), removed), store.AddEvent{Event: event}}
		if endSessions {
			batch = append(batch, store.EndSessions{UserID: user.ID, Except: session.ID, Passkey: id})
		}
		return batch, nil
	})
	if err == nil && s.MaySignal(ctx) {
		left.Signals = &shared.Signals{UnknownCredential: &shared.UnknownCredential{
			RPID: cmp.Or(removed.RPID, s.rpID), CredentialID: encode(removed.CredentialID),
		}}
	}
	return left, err
}

// change is how every rule writes the record of a user who was read just now, with what
// belongs into the same batch. When somebody else changes the record at the same time, fn is
// asked again with the user as they are then.
//
// A refusal of fn comes back as it is, a race that was lost too often as
// [shared.CodeConflict], and a user who has vanished with their passkeys as
// [shared.CodeNotFound]. The store's own errors stay visible to errors.Is.
func (s *Service) change(ctx context.Context, user store.User, fn func(store.User) (store.Batch, error)) error {
	err := store.UpdateFrom(ctx, s.store, user, fn)
	switch {
	case err == nil || shared.CodeOf(err) != "":
		return err
	case errors.Is(err, store.ErrStale):
		return busy(err)
	case errors.Is(err, store.ErrNotFound):
		return gone(err)
	default:
		return fmt.Errorf("changing a user's passkeys: %w", err)
	}
}

// busy is for a record that others changed more often than we retried.
func busy(cause error) error {
	return shared.Errorf(shared.CodeConflict, "Your account was changed somewhere else at the same time. Please try again.").Because(cause)
}

// find looks among the user's own passkeys only: another user's looks missing.
func find(user store.User, id string) (int, error) {
	i := slices.IndexFunc(user.Passkeys, func(p store.Passkey) bool { return p.ID == id })
	if i < 0 {
		return 0, gone(nil)
	}
	return i, nil
}

func gone(cause error) error {
	return shared.Errorf(shared.CodeNotFound, "This passkey isn't there any more.").Because(cause)
}

// describe makes a passkey's row.
func (s *Service) describe(user store.User, p store.Passkey, current string) shared.Passkey {
	row := shared.Passkey{
		ID:           p.ID,
		CredentialID: encode(p.CredentialID),
		Name:         p.Name,
		Provider:     providerName(p.AAGUID),
		Created:      p.Created,
		Kind:         kindOf(p),
		Synced:       protocol.AuthenticatorFlags(p.Flags).HasBackupState(),
		Current:      p.ID == current,
		OnlyMethod:   s.policy.IsLastPasskey(user, p),
		OtherAddress: s.policy.IsOfAnother(p),
		Unverified:   !s.policy.TakesPasskey(p) && !s.policy.IsOfAnother(p),
	}
	if !p.LastUsed.IsZero() {
		row.LastUsed = &p.LastUsed
	}
	return row
}
