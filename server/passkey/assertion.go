package passkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

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

// assertionJSON is what is read of WebAuthn Level 3's AuthenticationResponseJSON (5.1.1).
// Members of the library's type decode themselves, with a decoder for each: that costs
// three times as much.
type assertionJSON struct {
	ID         string `json:"id"`
	RawID      string `json:"rawId"`
	Type       string `json:"type"`
	Attachment string `json:"authenticatorAttachment"`
	Response   struct {
		ClientData        string `json:"clientDataJSON"`
		AuthenticatorData string `json:"authenticatorData"`
		Signature         string `json:"signature"`
		UserHandle        string `json:"userHandle"`
	} `json:"response"`
}

// parseAssertion reads an answer and makes the checks that need no passkey.
func (s *Service) parseAssertion(answer json.RawMessage) (*protocol.ParsedCredentialAssertionData, error) {
	var sent assertionJSON
	if err := json.Unmarshal(answer, &sent); err != nil {
		return nil, refused(err)
	}
	var read protocol.CredentialAssertionResponse
	read.ID, read.Type, read.AuthenticatorAttachment = sent.ID, sent.Type, sent.Attachment
	for _, member := range []struct {
		from string
		into *protocol.URLEncodedBase64
	}{
		{sent.RawID, &read.RawID},
		{sent.Response.ClientData, &read.AssertionResponse.ClientDataJSON},
		{sent.Response.AuthenticatorData, &read.AssertionResponse.AuthenticatorData},
		{sent.Response.Signature, &read.AssertionResponse.Signature},
		{sent.Response.UserHandle, &read.AssertionResponse.UserHandle},
	} {
		decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(member.from, "="))
		if err != nil {
			return nil, refused(fmt.Errorf("a member isn't base64url: %w", err))
		}
		*member.into = decoded
	}

	parsed, err := read.Parse()
	if err != nil {
		return nil, refused(err)
	}
	if err := s.checkClientData(parsed.Response.CollectedClientData, read.AssertionResponse.ClientDataJSON); err != nil {
		return nil, refused(err)
	}
	return parsed, nil
}

// verifyAssertion makes the checks of WebAuthn Level 3, 7.2 against the passkeys
// of user.
func (s *Service) verifyAssertion(t ticket, user store.User, parsed *protocol.ParsedCredentialAssertionData) (assertion, error) {
	_, err := s.rp.ValidateLogin(libraryUser{user}, webauthn.SessionData{
		Challenge:        t.Challenge,
		RelyingPartyID:   s.rpID,
		UserID:           user.Handle,
		UserVerification: verification(s.policy),
	}, parsed)
	if err != nil {
		return assertion{}, refused(err)
	}

	data := parsed.Response.AuthenticatorData
	return assertion{parsed.RawID, data.Flags, data.Counter}, nil
}

// errCounterFell is the cause of a refusal that also leaves an event.
var errCounterFell = errors.New("the passkey's signature counter didn't grow")

// use writes down that a passkey was used: one batch with the spent ticket, the
// passkey's new counter, flags and time, and whatever also adds.
func (s *Service) use(ctx context.Context, t ticket, user store.User, proof assertion, browser Browser, also Also) error {
	err := store.UpdateFrom(ctx, s.store, user, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, refused(errors.New("the account is disabled"))
		}
		i, found := findCredential(user, proof.credentialID)
		if !found {
			return nil, refused(errors.New("the passkey was removed meanwhile"))
		}

		used := &user.Passkeys[i]
		// A count that stays zero means that the authenticator keeps none
		// (WebAuthn Level 3, 6.1.1): that isn't a copy.
		if (used.SignCount != 0 || proof.signCount != 0) && proof.signCount <= used.SignCount {
			return nil, refused(errCounterFell)
		}
		backupChanged := proof.flags.HasBackupState() != protocol.AuthenticatorFlags(used.Flags).HasBackupState()
		used.SignCount = proof.signCount
		used.Flags = byte(proof.flags)
		used.Verified = used.Verified || proof.flags.HasUserVerified()
		used.LastUsed = s.now()

		more, err := also(user, *used)
		if err != nil {
			return nil, err
		}
		batch := append(store.Batch{t.spent(), store.PutUser{User: user}}, more...)
		if backupChanged {
			batch = append(batch, s.tells(shared.EventBackupChanged, user, *used, browser))
		}
		return batch, nil
	})

	if errors.Is(err, errCounterFell) {
		s.tellCounterFell(ctx, user, proof, browser)
	}
	if errors.Is(err, store.ErrNotFound) {
		// The user, or the session to be confirmed, went away meanwhile.
		return refused(err)
	}
	return err
}

// tellCounterFell leaves an event for the user. The sign-in is refused whether
// or not it can be written.
func (s *Service) tellCounterFell(ctx context.Context, user store.User, proof assertion, browser Browser) {
	if i, found := findCredential(user, proof.credentialID); found {
		_ = s.store.Apply(ctx, store.Batch{s.tells(shared.EventCounterFell, user, user.Passkeys[i], browser)})
	}
}

func (s *Service) tells(kind shared.EventKind, user store.User, p store.Passkey, browser Browser) store.AddEvent {
	event := store.NewEvent(s.now(), user.ID, kind, browser.Client)
	event.Method, event.PasskeyID, event.Passkey = store.MethodPasskey, p.ID, p.Name
	return store.AddEvent{Event: event}
}

func findCredential(user store.User, credentialID []byte) (int, bool) {
	for i, p := range user.Passkeys {
		if bytes.Equal(p.CredentialID, credentialID) {
			return i, true
		}
	}
	return 0, false
}
