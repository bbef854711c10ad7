package passkey

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/google/uuid"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// List returns the passkeys of the actor's user, oldest first.
func (s *Service) List(who session.Actor) shared.PasskeyList {
	list := shared.PasskeyList{
		Passkeys:    make([]shared.Passkey, len(who.User.Passkeys)),
		HasPassword: who.Methods.HasPassword(who.User),
		RPID:        s.rpIDs.main,
		UserHandle:  encode(who.User.Handle),
	}
	for i, p := range who.User.Passkeys {
		list.Passkeys[i] = s.describe(who, p)
	}
	return list
}

// Newest returns the passkey that the actor's user added last, or nil.
func (s *Service) Newest(who session.Actor) *shared.Passkey {
	n := len(who.User.Passkeys)
	if n == 0 {
		return nil
	}
	newest := s.describe(who, who.User.Passkeys[n-1])
	return &newest
}

// Export returns the passkeys of the actor's user with what their authenticators said.
func (s *Service) Export(who session.Actor) []shared.ExportedPasskey {
	list := []shared.ExportedPasskey{}
	for _, p := range who.User.Passkeys {
		list = append(list, shared.ExportedPasskey{
			Passkey: s.describe(who, p), AAGUID: uuid.UUID(p.AAGUID).String(), Attachment: p.Attachment, Transports: p.Transports, SignCount: p.SignCount, RPID: p.RPID,
		})
	}
	return list
}

// Rename changes the name of one of the user's passkeys.
//
// Refusals: [shared.CodeInvalidName], also for a blank name, [shared.CodeNotFound] for a
// passkey that isn't this user's, and [shared.CodeNameTaken].
func (s *Service) Rename(ctx context.Context, who session.Actor, id, name string) (shared.Passkey, error) {
	name, err := shared.CleanPasskeyName(name)
	if err != nil {
		return shared.Passkey{}, err
	}
	if name == "" {
		return shared.Passkey{}, shared.Errorf(shared.CodeInvalidName, "Please enter a name.")
	}

	var row shared.Passkey
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		i, err := find(user, id)
		if err != nil {
			return nil, err
		}
		if hasName(user, name, id) {
			return nil, shared.Errorf(shared.CodeNameTaken, "Another of your passkeys has this name.")
		}

		user.Passkeys[i].Name = name
		who.User = user
		row = s.describe(who, user.Passkeys[i])
		return store.Batch{store.PutUser{User: user}, s.event(who, shared.EventPasskeyRenamed, user.Passkeys[i])}, nil
	})
	return row, err
}

// Remove removes one of the user's passkeys and returns the others. It refuses to remove
// the last sign-in method that counts. With endSessions it also ends the user's other
// sessions that began with this passkey. It stores a tombstone, and the caller's other
// operations. The result says whether the password manager may be told.
//
// Refusals: [shared.CodeNotFound] for a passkey that isn't this user's, and
// [shared.CodeLastMethod].
func (s *Service) Remove(ctx context.Context, who session.Actor, id string, endSessions bool, with ...store.Op) (shared.PasskeyList, error) {
	var left shared.PasskeyList
	var removed store.Passkey
	err := s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		i, err := find(user, id)
		if err != nil {
			return nil, err
		}
		removed = user.Passkeys[i]
		if who.Methods.IsLastPasskey(user, removed) {
			return nil, shared.Errorf(shared.CodeLastMethod, "This is your only way to sign in. Add another passkey first.")
		}

		user.Passkeys = slices.Delete(user.Passkeys, i, i+1)
		who.User = user
		left = s.List(who)
		batch := store.Batch{store.PutUser{User: user}, store.Tombstone(s.now(), removed), s.event(who, shared.EventPasskeyRemoved, removed)}
		if endSessions {
			batch = append(batch, store.EndSessions{UserID: user.ID, Except: who.Session.ID, Passkey: id})
		}
		return append(batch, with...), nil
	})
	if err == nil && s.MaySignal(ctx) {
		left.Signals = &shared.Signals{UnknownCredential: &shared.UnknownCredential{
			RPID: s.rpIDs.of(removed), CredentialID: encode(removed.CredentialID),
		}}
	}
	return left, err
}

// change writes the record of a user that was just read, together with the other operations
// of fn's batch. Every rule writes through it. If another request changes the record at the
// same time, it calls fn again with the new record.
//
// A refusal of fn is returned as it is. After too many lost races the refusal is
// [shared.CodeConflict], and for a user who was removed it is [shared.CodeNotFound]. The
// store's errors stay visible to errors.Is.
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

// busy is the refusal after a change was retried in vain, because others kept changing the
// same record.
func busy(cause error) error {
	return shared.Errorf(shared.CodeConflict, "Your account was changed somewhere else at the same time. Please try again.").Because(cause)
}

// find returns the index of one of the user's passkeys. For another user's passkey the
// refusal is the same as for none.
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

// describe returns a passkey as a row of the list.
func (s *Service) describe(who session.Actor, p store.Passkey) shared.Passkey {
	row := shared.Passkey{
		ID:           p.ID,
		CredentialID: encode(p.CredentialID),
		Name:         p.Name,
		Provider:     providerName(p.AAGUID),
		Created:      p.Created,
		Kind:         kindOf(p),
		Synced:       protocol.AuthenticatorFlags(p.Flags).HasBackupState(),
		Current:      p.ID == who.Session.PasskeyID,
		OnlyMethod:   who.Methods.IsLastPasskey(who.User, p),
		OtherAddress: who.Methods.IsOfAnother(p),
		Unverified:   !who.Methods.TakesPasskey(p) && !who.Methods.IsOfAnother(p),
	}
	if slices.Contains(s.rpIDs.former, p.RPID) {
		row.FormerRPID = p.RPID
	}
	if used := p.LastUsed; !used.IsZero() {
		row.LastUsed = &used // not of p, which would be copied to the heap
	}
	return row
}
