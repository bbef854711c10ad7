package passkey

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// assertion is an authenticator's proof that it holds a passkey, verified. Its
// flags are those of this ceremony: what go-webauthn reports as verified is
// latched from earlier ones.
type assertion struct {
	credentialID []byte
	flags        protocol.AuthenticatorFlags
	signCount    uint32
}

// verifyAssertion makes the checks of WebAuthn Level 3, 7.2 against the passkeys
// of user. What people can be told about is checked after the signature.
func (s *Service) verifyAssertion(t ticket, user store.User, parsed *protocol.ParsedCredentialAssertionData) (assertion, error) {
	i, found := findCredential(user, parsed.RawID)
	if !found {
		return assertion{}, refused(errors.New("the passkey isn't this user's"))
	}
	data := parsed.Response.AuthenticatorData
	known := user.Passkeys[i]
	// Whether the passkey can be backed up is for [Service.use] to compare.
	known.Flags = known.Flags&^byte(protocol.FlagBackupEligible) | byte(data.Flags&protocol.FlagBackupEligible)
	user.Passkeys = []store.Passkey{known}

	rpID := s.rpID
	if elsewhere := sha256.Sum256([]byte(known.RPID)); known.RPID != "" && bytes.Equal(data.RPIDHash, elsewhere[:]) {
		rpID = known.RPID
	}
	_, err := s.rp.ValidateLogin(libraryUser{user}, webauthn.SessionData{
		Challenge:        t.Challenge,
		RelyingPartyID:   rpID,
		UserID:           user.Handle,
		UserVerification: protocol.VerificationDiscouraged,
	}, parsed)
	if err != nil {
		return assertion{}, refused(err)
	}

	if rpID != s.rpID {
		return assertion{}, madeElsewhere(rpID)
	}
	if s.rp.Config.AuthenticatorSelection.UserVerification == protocol.VerificationRequired && !data.Flags.HasUserVerified() {
		return assertion{}, notVerified()
	}
	return assertion{parsed.RawID, data.Flags, data.Counter}, nil
}

// use writes down that a passkey was used: one batch with the spent ticket, the
// passkey's new counter, flags and time, and whatever also adds.
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

		who.User = user
		more, err := also(who, *used)
		if err != nil {
			return nil, err
		}
		batch := append(store.Batch{t.spent(), store.PutUser{User: user}}, more...)
		for _, kind := range happened {
			batch = append(batch, s.useEvent(who, kind, *used))
		}
		return batch, nil
	})

	if shared.CodeOf(err) == shared.CodePasskeyCopied {
		s.reportCounterFell(who, proof)
	}
	if errors.Is(err, store.ErrNotFound) {
		// The user, or the session to be confirmed, went away meanwhile.
		return refused(err)
	}
	return err
}

// compare looks at what an authenticator says of a passkey, beside what it said before,
// and returns what the user is told.
//
// A passkey that can't be backed up lives in one place: a counter that doesn't grow means
// a copy. One that can is on many devices, which count each for itself, and some password
// managers start again at zero. Whether it can may become known later, but isn't taken
// back (WebAuthn Level 3, 6.1.1 and 6.1.3).
func compare(known store.Passkey, proof assertion) (happened []shared.EventKind, err error) {
	before := protocol.AuthenticatorFlags(known.Flags)
	if before.HasBackupEligible() && !proof.flags.HasBackupEligible() {
		return nil, changedByProvider()
	}

	// A count that stays zero means that the authenticator keeps none.
	counts := known.SignCount != 0 || proof.signCount != 0
	if counts && proof.signCount <= known.SignCount {
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

// reportCounterFell lets the user know, after the answer.
func (s *Service) reportCounterFell(who session.Actor, proof assertion) {
	if i, found := findCredential(who.User, proof.credentialID); found {
		s.activity.Failed(s.useEvent(who, shared.EventCounterFell, who.User.Passkeys[i]).Event)
	}
}

// told is an event of what the actor does with a passkey, in the batch that does it.
func (s *Service) event(who session.Actor, kind shared.EventKind, p store.Passkey) store.AddEvent {
	event := who.Event(kind, s.now())
	event.PasskeyID, event.Passkey = p.ID, p.Name
	return store.AddEvent{Event: event}
}

// toldOfUse is told, of what a sign-in or a confirmation with a passkey shows.
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
