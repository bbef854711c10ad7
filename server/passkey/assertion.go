package passkey

import (
	"bytes"
	"context"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// assertion is a verified proof of possession of a passkey. Its flags are those of this
// ceremony, while go-webauthn also reports flags of earlier ceremonies as set.
type assertion struct {
	credentialID []byte
	flags        protocol.AuthenticatorFlags
	signCount    uint32
}

// verifyAssertion makes the checks of WebAuthn Level 3, 7.2 against the passkeys of user.
// It verifies the signature before the checks whose result it explains to the person,
// because a stranger must not learn them.
func (s *Service) verifyAssertion(t ticket, user store.User, parsed *protocol.ParsedCredentialAssertionData) (assertion, error) {
	i, found := findCredential(user, parsed.RawID)
	if !found {
		return assertion{}, refused(errors.New("the passkey isn't this user's"))
	}
	data := parsed.Response.AuthenticatorData
	stored := user.Passkeys[i]
	// [Service.use] compares Backup Eligible, so the library must not.
	stored.Flags = stored.Flags&^byte(protocol.FlagBackupEligible) | byte(data.Flags&protocol.FlagBackupEligible)
	user.Passkeys = []store.Passkey{stored}

	rpID := s.rpIDs.of(stored)
	_, err := s.rp.ValidateLogin(libraryUser{user}, webauthn.SessionData{
		Challenge:        t.Challenge,
		RelyingPartyID:   rpID,
		UserID:           user.Handle,
		UserVerification: protocol.VerificationDiscouraged,
	}, parsed)
	if err != nil {
		return assertion{}, refused(err)
	}

	if !s.rpIDs.has(rpID) {
		return assertion{}, madeElsewhere(rpID)
	}
	if s.rp.Config.AuthenticatorSelection.UserVerification == protocol.VerificationRequired && !data.Flags.HasUserVerified() {
		return assertion{}, notVerified()
	}
	return assertion{parsed.RawID, data.Flags, data.Counter}, nil
}

// proveAndUse verifies the assertion of the actor's user, and stores that the passkey was used.
func (s *Service) proveAndUse(ctx context.Context, who session.Actor, t ticket, parsed *protocol.ParsedCredentialAssertionData, also Also) error {
	proof, err := s.verifyAssertion(t, who.User, parsed)
	if err == nil {
		err = s.use(ctx, who, t, proof, also)
	}
	if i, found := findCredential(who.User, parsed.RawID); err != nil && found {
		s.reportRefusal(who, who.User.Passkeys[i], err)
	}
	return err
}

// use stores that a passkey was used. One batch spends the ticket, updates the passkey's
// counter, flags and time, and has the operations of also.
func (s *Service) use(ctx context.Context, who session.Actor, t ticket, proof assertion, also Also) error {
	err := s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, Disabled(errors.New("the account is disabled"))
		}
		i, found := findCredential(user, proof.credentialID)
		if !found {
			return nil, Removed(errors.New("the passkey was removed meanwhile"))
		}

		used := &user.Passkeys[i]
		happened, err := compare(*used, proof)
		if err != nil {
			return nil, err
		}
		used.SignCount = max(used.SignCount, proof.signCount)
		used.Flags = byte(proof.flags)
		used.Verified = used.Verified || proof.flags.HasUserVerified()
		used.LastUsed = s.now()
		if t.Purpose == forSignIn {
			user.LastSignIn = used.LastUsed
		}

		who.User = user
		batch := append(store.Batch{t.spend(), store.PutUser{User: user}}, who.FailedBefore(used.LastUsed)...)
		more, err := also(who, *used)
		if err != nil {
			return nil, err
		}
		batch = append(batch, more...)
		for _, kind := range happened {
			batch = append(batch, s.useEvent(who, kind, *used))
		}
		return batch, nil
	})

	if errors.Is(err, store.ErrNotFound) {
		// The user, or the session to confirm, doesn't exist any more.
		return refused(err)
	}
	return err
}

// compare compares an assertion with what is stored of its passkey. It returns the events
// for the user's activity.
//
// A passkey that can't be backed up exists once. If its counter doesn't grow, there is a
// copy. A passkey that can be backed up may be on several devices, each with a counter of
// its own, and some password managers begin again at zero. A passkey may become backup
// eligible later, but never stops being so (WebAuthn Level 3, 6.1.1 and 6.1.3).
func compare(stored store.Passkey, proof assertion) (happened []shared.EventKind, err error) {
	before := protocol.AuthenticatorFlags(stored.Flags)
	if before.HasBackupEligible() && !proof.flags.HasBackupEligible() {
		return nil, changedByProvider()
	}

	// A count that stays zero means that the authenticator doesn't count.
	counts := stored.SignCount != 0 || proof.signCount != 0
	if counts && proof.signCount <= stored.SignCount {
		if !proof.flags.HasBackupEligible() {
			return nil, counterFell()
		}
		happened = append(happened, shared.EventCounterDiffers)
	}
	const backup = protocol.FlagBackupEligible | protocol.FlagBackupState
	if (before^proof.flags)&backup != 0 {
		happened = append(happened, shared.EventBackupChanged)
	}
	return happened, nil
}

// event returns the operation that records what the actor does with a passkey. It belongs
// in the batch that does it.
func (s *Service) event(who session.Actor, kind shared.EventKind, p store.Passkey) store.AddEvent {
	event := who.Event(kind, s.now())
	event.PasskeyID, event.Passkey = p.ID, p.Name
	return store.AddEvent{Event: event}
}

// useEvent is event for a sign-in or a confirmation with the passkey.
func (s *Service) useEvent(who session.Actor, kind shared.EventKind, p store.Passkey) store.AddEvent {
	add := s.event(who, kind, p)
	add.Event.Method = store.MethodPasskey
	return add
}

func findCredential(user store.User, credentialID []byte) (int, bool) {
	for i, p := range user.Passkeys {
		if bytes.Equal(p.CredentialID, credentialID) {
			return i, true
		}
	}
	return 0, false
}
