package passkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// BeginSignIn starts signing in with a passkey that the browser finds by itself (a
// discoverable credential), so nobody types a name. Mediation is "conditional" if the
// browser is to offer it by autofill, or "". It writes nothing, so a million ceremonies
// cost a stranger more than us.
func (s *Service) BeginSignIn(_ context.Context, browser Browser, mediation string) (shared.Ceremony, error) {
	if err := checkMediation(mediation); err != nil {
		return shared.Ceremony{}, err
	}

	random, err := protocol.CreateChallenge()
	if err != nil {
		return shared.Ceremony{}, fmt.Errorf("making a challenge: %w", err)
	}
	challenge := random.String()
	return s.begun(ticket{
		Purpose: forSignIn, Binding: browser.Binding, Challenge: challenge, Mediation: mediation,
	}, s.order.Load().signIn.with(challenge)), nil
}

// signInOptions are the options of every sign-in as JSON, in two parts around the
// challenge. They are made once, because the library checks its configuration each time.
type signInOptions struct{ before, after []byte }

func newSignInOptions(rp *webauthn.WebAuthn, ids []string) (signInOptions, error) {
	request, _, err := rp.BeginDiscoverableLogin()
	if err != nil {
		return signInOptions{}, fmt.Errorf("making request options: %w", unwrapLibrary(err))
	}
	var others []any
	for i, id := range ids {
		if i == 0 {
			request.Response.RelyingPartyID = id
			continue
		}
		others = append(others, requestFor{RPID: id})
	}
	encoded, err := withAlternatives(request.Response, others...)
	if err != nil {
		return signInOptions{}, err
	}
	before, after, _ := bytes.Cut(encoded, []byte(request.Response.Challenge.String()))
	return signInOptions{before, after}, nil
}

func (o signInOptions) with(challenge string) json.RawMessage {
	return slices.Concat(o.before, []byte(challenge), o.after)
}

// FinishSignIn verifies the answer, finds the user of the passkey, and applies one batch of
// its own changes and the operations of also, such as the new session. The actor has no
// user yet; also gets the actor with the user.
//
// Refusals: [shared.CodeCeremonyRefused] and [shared.CodeCeremonyExpired]; the codes of
// refusal.go, for a person who has proved that they have the passkey; and
// [shared.CodePasskeyRemoved] for a passkey that was removed here, with UnknownCredential
// if the password manager may stop offering it. An unknown passkey and a wrong signature
// get the same sentence and code.
func (s *Service) FinishSignIn(ctx context.Context, who session.Actor, browser Browser, answer shared.FinishCeremony, also Also) error {
	t, err := s.redeem(answer.Ticket, forSignIn, "", browser.Binding)
	if err != nil {
		return err
	}
	return s.settle(t, s.signIn(ctx, who, t, answer.Credential, also))
}

func (s *Service) signIn(ctx context.Context, who session.Actor, t ticket, answer json.RawMessage, also Also) error {
	parsed, err := s.parseAssertion(answer)
	if err != nil {
		return err
	}

	user, err := s.owner(ctx, parsed.RawID)
	if err != nil {
		return err
	}
	// Required because no user was named before the ceremony (WebAuthn Level 3, 7.2 step
	// 6).
	if !bytes.Equal(parsed.Response.UserHandle, user.Handle) {
		return refused(errors.New("the user handle is missing or another user's"))
	}

	who.User = user
	return s.proveAndUse(ctx, who, t, parsed, also)
}
