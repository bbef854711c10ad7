package passkey

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// BeginRegistration starts adding a passkey for the actor's user. It writes nothing.
func (s *Service) BeginRegistration(_ context.Context, who session.Actor, browser Browser, request shared.BeginRegistration) (shared.Ceremony, error) {
	user, mediation := who.User, request.Mediation
	if err := checkMediation(mediation); err != nil {
		return shared.Ceremony{}, err
	}
	hints, err := hints(request.Hint)
	if err != nil {
		return shared.Ceremony{}, err
	}
	if s.isFull(who, browser) {
		return shared.Ceremony{}, s.tooMany()
	}
	if err := who.MayAddMethod(user, s.now()); err != nil {
		return shared.Ceremony{}, err
	}
	// Refuse now, before a password manager has stored the new passkey.
	end, err := s.mayAdd(user, browser)
	if err != nil {
		return shared.Ceremony{}, err
	}
	end(false)
	if mediation != "" && s.roots != nil {
		return shared.Ceremony{}, notTrusted(errors.New("nothing made silently is attested"))
	}

	creation, _, err := s.rp.BeginMediatedRegistration(libraryUser{user}, mediated(mediation),
		webauthn.WithAuthenticatorSelection(s.selection(mediation)),
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithExclusions(descriptors(user.Passkeys)),
	)
	if err != nil {
		return shared.Ceremony{}, fmt.Errorf("making creation options: %w", unwrapLibrary(err))
	}
	creation.Response.Hints = hints
	var others []any
	for i, id := range s.rpIDs.forCreation() {
		party := creation.Response.RelyingParty
		if party.ID = id; i == 0 {
			creation.Response.RelyingParty = party
			continue
		}
		others = append(others, creationFor{party})
	}
	options, err := withAlternatives(creation.Response, others...)
	if err != nil {
		return shared.Ceremony{}, err
	}
	return s.begun(ticket{
		Purpose: forRegistration, UserID: user.ID, Binding: browser.Binding,
		Challenge: creation.Response.Challenge.String(), Mediation: mediation,
	}, options), nil
}

// FinishRegistration verifies the answer of the authenticator and adds the passkey to those
// of the actor's user. It refuses an invalid name before it uses the ticket, so that the
// same answer can be sent again with another name.
//
// Refusals: [shared.CodeInvalidName], [shared.CodeCeremonyRefused],
// [shared.CodeCeremonyExpired], [shared.CodePasskeyExists], [shared.CodeTooManyPasskeys],
// [shared.CodeHeld] and [shared.CodeTooManyAttempts].
func (s *Service) FinishRegistration(ctx context.Context, who session.Actor, browser Browser, answer shared.FinishRegistration, also AlsoAdded) (shared.Passkey, error) {
	name, err := shared.CleanPasskeyName(answer.Name)
	if err != nil {
		return shared.Passkey{}, err
	}
	t, err := s.redeem(answer.Ticket, forRegistration, who.User.ID, browser.Binding)
	if err != nil {
		return shared.Passkey{}, err
	}

	end, err := s.mayAdd(who.User, browser)
	if err != nil {
		return shared.Passkey{}, err
	}
	var row shared.Passkey
	created, err := s.verifyRegistration(t, who.User, answer.Credential)
	if err == nil {
		created.Name = cmp.Or(name, defaultName(created.AAGUID, who.Client, browser.Text))
		row, err = s.add(ctx, who, addition{created, t.spend(), browser, also})
	}
	end(err == nil)
	if err != nil {
		s.reportRefusal(who, store.Passkey{}, err)
		return shared.Passkey{}, s.settle(t, err)
	}
	return row, nil
}

// hints are for the browser alone. An authenticatorAttachment would keep it from offering the rest.
func hints(hint shared.Hint) ([]protocol.PublicKeyCredentialHints, error) {
	switch hint {
	case "":
		return nil, nil
	case shared.HintThisDevice, shared.HintPhone, shared.HintSecurityKey:
		return []protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHints(hint)}, nil
	}
	return nil, shared.Errorf(shared.CodeInvalidRequest, "Hint must be empty, client-device, hybrid or security-key.")
}

// mayAdd starts an addition, or refuses it with [shared.CodeTooManyAttempts]. The caller
// ends it with end.
func (s *Service) mayAdd(user store.User, browser Browser) (end func(added bool), err error) {
	if browser.SentByIT {
		return func(bool) {}, nil
	}
	begun, wait := s.additions.Begin(user.ID, s.now())
	if wait > 0 {
		return nil, limit.TooMany(wait)
	}
	return func(added bool) { begun.End(added, s.now()) }, nil
}

// addition is a verified passkey with what its batch also needs.
type addition struct {
	passkey store.Passkey
	spend   store.Op
	browser Browser
	also    AlsoAdded
}

// add stores a verified passkey and spends the ticket. It adds a number to the name if
// another passkey of the user has it.
func (s *Service) add(ctx context.Context, who session.Actor, a addition) (row shared.Passkey, err error) {
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if i, mine := findCredential(user, a.passkey.CredentialID); mine {
			return nil, shared.Errorf(shared.CodePasskeyExists, "This device has one already: “%s”.", user.Passkeys[i].Name)
		}
		who.User = user
		if s.isFull(who, a.browser) {
			return nil, s.tooMany()
		}
		if err := who.MayAddMethod(user, s.now()); err != nil {
			return nil, err
		}

		added := a.passkey
		added.Name = numbered(user, added.Name)
		user.Passkeys = append(user.Passkeys, added)
		if user.FirstPasskey.IsZero() {
			user.FirstPasskey = added.Created
		}
		who.User = user
		row = s.describe(who, added)
		var more store.Batch
		if a.also != nil {
			if more, err = a.also(&user); err != nil {
				return nil, err
			}
		}

		batch := append(store.Batch{a.spend, store.PutUser{User: user}}, who.FailedBefore(s.now())...)
		batch = append(batch, more...)
		return append(batch, s.event(who, shared.EventPasskeyAdded, added)), nil
	})
	if errors.Is(err, store.ErrCredentialExists) {
		// The passkey belongs to another user, which this user must not learn (WebAuthn
		// Level 3, 7.1 step 26). So the refusal is that of an answer that doesn't verify.
		return shared.Passkey{}, refused(err)
	}
	return row, err
}

// verifyRegistration makes every check of WebAuthn Level 3, 7.1, and returns the new
// passkey, which has no name yet.
func (s *Service) verifyRegistration(t ticket, user store.User, answer json.RawMessage) (store.Passkey, error) {
	parsed, err := s.parseRegistration(answer)
	if err != nil {
		return store.Passkey{}, err
	}
	if err := checkAttested(parsed); err != nil {
		return store.Passkey{}, refused(err)
	}

	rpID := s.rpIDs.hashed(parsed.Response.AttestationObject.AuthData.RPIDHash)
	credential, err := s.rp.CreateCredential(libraryUser{user}, webauthn.SessionData{
		Challenge:        t.Challenge,
		RelyingPartyID:   rpID,
		UserID:           user.Handle,
		UserVerification: protocol.VerificationDiscouraged,
		CredParams:       webauthn.CredentialParametersRecommendedL3(),
		Mediation:        mediated(t.Mediation),
	}, parsed)
	if err != nil {
		return store.Passkey{}, refused(err)
	}

	flags := parsed.Response.AttestationObject.AuthData.Flags
	if s.selection(t.Mediation).UserVerification == protocol.VerificationRequired && !flags.HasUserVerified() {
		return store.Passkey{}, notVerified()
	}
	if err := s.checkAttestation(parsed.Response.AttestationObject); err != nil {
		return store.Passkey{}, err
	}

	created := store.Passkey{
		ID:           newID(),
		CredentialID: credential.ID,
		PublicKey:    credential.PublicKey,
		Format:       credential.AttestationFormat,
		Attachment:   string(credential.Authenticator.Attachment),
		Transports:   parsed.Raw.AttestationResponse.Transports,
		Flags:        byte(flags),
		SignCount:    credential.Authenticator.SignCount,
		Verified:     flags.HasUserVerified(),
		RPID:         rpID,
		Attested:     s.roots != nil,
		Created:      s.now(),
	}
	copy(created.AAGUID[:], credential.Authenticator.AAGUID)
	return created, nil
}

// selection returns what the authenticator must be able to do. It doesn't depend on the
// policy for signing in. A silent registration asks nobody, so it can't verify the user;
// the first sign-in with the passkey does.
func (s *Service) selection(mediation string) protocol.AuthenticatorSelection {
	selection := s.rp.Config.AuthenticatorSelection
	selection.UserVerification = protocol.VerificationRequired
	if mediated(mediation) == protocol.MediationConditional {
		selection.UserVerification = protocol.VerificationPreferred
	}
	return selection
}

// isFull reports whether the actor's user can't add another passkey. A link from an
// administrator or IT adds one to any number, because its user may have lost them all. The
// only way to sign in can't be removed before there is another, so that one may be added.
func (s *Service) isFull(who session.Actor, browser Browser) bool {
	held := who.User.Passkeys
	if len(held) < s.max || browser.SentByIT {
		return false
	}
	return len(held) != 1 || !who.Methods.IsLastPasskey(who.User, held[0])
}

func (s *Service) tooMany() error {
	return shared.Errorf(shared.CodeTooManyPasskeys, "You have as many passkeys as you can have: %d. Remove one first.", s.max)
}

// descriptors returns passkeys for the browser, to use one of them or to avoid them.
func descriptors(passkeys []store.Passkey) []protocol.CredentialDescriptor {
	list := make([]protocol.CredentialDescriptor, len(passkeys))
	for i, p := range passkeys {
		list[i] = protocol.CredentialDescriptor{
			Type:         protocol.PublicKeyCredentialType,
			CredentialID: p.CredentialID,
			Transport:    transports(p.Transports),
		}
	}
	return list
}

// newID returns a passkey's id in paths: 96 random bits, 24 hexadecimal digits.
func newID() string {
	var id [12]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
