package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// BeginConfirmation starts a confirmation with one of the signed-in user's passkeys. It
// writes nothing.
//
// Refusal: [shared.CodeNotFound] for a user without passkeys.
func (s *Service) BeginConfirmation(_ context.Context, who session.Actor) (shared.Ceremony, error) {
	if len(who.User.Passkeys) == 0 {
		return shared.Ceremony{}, shared.Errorf(shared.CodeNotFound, "You have no passkey to confirm with. Use another way.")
	}
	return s.beginAssertion(who, forConfirmation, who.User.Passkeys)
}

// beginAssertion starts an assertion of the signed-in user with one of these passkeys.
func (s *Service) beginAssertion(who session.Actor, p purpose, with []store.Passkey) (shared.Ceremony, error) {
	requests := s.rpIDs.requestsFor(with, who.Session.PasskeyID)
	request, _, err := s.rp.BeginLogin(libraryUser{who.User}, webauthn.WithAllowedCredentials(requests[0].Allow))
	if err != nil {
		return shared.Ceremony{}, fmt.Errorf("making request options: %w", unwrapLibrary(err))
	}
	request.Response.RelyingPartyID = requests[0].RPID
	options, err := withAlternatives(request.Response, anyOf(requests[1:])...)
	if err != nil {
		return shared.Ceremony{}, err
	}
	return s.begun(ticket{
		Purpose: p, UserID: who.User.ID, Binding: who.Session.ID, Challenge: request.Response.Challenge.String(),
	}, options), nil
}

// FinishConfirmation verifies the answer against the passkeys of the actor's user, and
// applies one batch of its own changes and the operations of also, such as the session with
// its new token.
//
// Refusals: those of [Service.FinishSignIn].
func (s *Service) FinishConfirmation(ctx context.Context, who session.Actor, answer shared.FinishCeremony, also Also) error {
	t, err := s.redeem(answer.Ticket, forConfirmation, who.User.ID, who.Session.ID)
	if err != nil {
		return err
	}
	return s.settle(t, s.confirm(ctx, who, t, answer.Credential, also))
}

func (s *Service) confirm(ctx context.Context, who session.Actor, t ticket, answer json.RawMessage, also Also) error {
	parsed, err := s.parseAssertion(answer)
	if err != nil {
		return err
	}
	if _, mine := findCredential(who.User, parsed.RawID); !mine {
		if _, err := s.owner(ctx, parsed.RawID); err != nil {
			return err
		}
		return refused(errors.New("another user's passkey"))
	}
	return s.proveAndUse(ctx, who, t, parsed, also)
}
