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

// BeginSignIn starts signing in with a passkey that the browser finds by itself
// (a discoverable credential): nobody has typed a name. Mediation is
// "conditional" where the browser shall offer it by autofill, or "". It writes
// nothing, so asking for a million ceremonies costs a stranger more than us.
func (s *Service) BeginSignIn(_ context.Context, browser Browser, mediation string) (shared.Ceremony, error) {
	if err := checkMediation(mediation); err != nil {
		return shared.Ceremony{}, err
	}

	challenge, err := protocol.CreateChallenge()
	if err != nil {
		return shared.Ceremony{}, fmt.Errorf("making a challenge: %w", err)
	}
	return s.begun(ticket{
		Purpose: forSignIn, Binding: browser.Binding, Challenge: challenge.String(), Mediation: mediation,
	}, s.signInOptions.with(challenge.String())), nil
}

// signInOptions are the options of every sign-in, which differ in the challenge only: the
// JSON before it and after. The library would check its configuration each time.
type signInOptions struct{ before, after []byte }

func newSignInOptions(rp *webauthn.WebAuthn, rpID string) (signInOptions, error) {
	request, _, err := rp.BeginDiscoverableLogin()
	if err != nil {
		return signInOptions{}, fmt.Errorf("making request options: %w", unwrapLibrary(err))
	}
	request.Response.RelyingPartyID = rpID
	encoded, err := json.Marshal(request.Response)
	if err != nil {
		return signInOptions{}, fmt.Errorf("encoding options: %w", err)
	}
	before, after, _ := bytes.Cut(encoded, []byte(request.Response.Challenge.String()))
	return signInOptions{before, after}, nil
}

func (o signInOptions) with(challenge string) json.RawMessage {
	return slices.Concat(o.before, []byte(challenge), o.after)
}

// FinishSignIn verifies the answer, finds whose passkey it is, and applies one
// batch of its own changes and what also returns: the session that begins. The actor is
// whoever sends it; also is told for whom they act by then.
//
// Refusals: [shared.CodeCeremonyRefused] and [shared.CodeCeremonyExpired]; to whoever
// has proved that they hold the passkey what is wrong with it (refusal.go); and
// [shared.CodePasskeyRemoved] for one that was removed here, with UnknownCredential where
// the user's password manager may stop offering it. An unknown passkey and a bad
// signature get the same sentence and code.
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
	// Required where no user was named before the ceremony (WebAuthn Level 3,
	// 7.2 step 6).
	if !bytes.Equal(parsed.Response.UserHandle, user.Handle) {
		return refused(errors.New("the user handle is missing or another user's"))
	}

	proof, err := s.verifyAssertion(t, user, parsed)
	if err != nil {
		return err
	}
	who.User = user
	return s.use(ctx, who, t, proof, also)
}
