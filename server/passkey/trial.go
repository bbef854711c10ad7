package passkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// BeginTrial starts an assertion with one passkey of the actor's user, who wants to know whether it
// works. It writes nothing.
//
// Refusal: [shared.CodeNotFound] for a passkey that isn't this user's.
func (s *Service) BeginTrial(_ context.Context, who session.Actor, id string) (shared.Ceremony, error) {
	i, err := find(who.User, id)
	if err != nil {
		return shared.Ceremony{}, err
	}
	return s.beginAssertion(who, forTrial, descriptors(who.User)[i:i+1])
}

// FinishTrial verifies the answer, and returns the passkey. It confirms nothing: the session stays as
// fresh as it was. What it stores is what every use of a passkey stores.
//
// Refusals: that of [Service.BeginTrial], and those of [Service.FinishSignIn].
func (s *Service) FinishTrial(ctx context.Context, who session.Actor, id string, answer shared.FinishCeremony) (row shared.Passkey, err error) {
	t, err := s.redeem(answer.Ticket, forTrial, who.User.ID, who.Session.ID)
	if err != nil {
		return shared.Passkey{}, err
	}
	i, err := find(who.User, id)
	if err != nil {
		return shared.Passkey{}, s.settle(t, err)
	}
	err = s.try(ctx, who, t, who.User.Passkeys[i], answer.Credential, func(now session.Actor, tried store.Passkey) (store.Batch, error) {
		row = s.describe(now, tried)
		return nil, nil
	})
	return row, s.settle(t, err)
}

func (s *Service) try(ctx context.Context, who session.Actor, t ticket, tried store.Passkey, answer json.RawMessage, also Also) error {
	parsed, err := s.parseAssertion(answer)
	if err != nil {
		return err
	}
	if !bytes.Equal(parsed.RawID, tried.CredentialID) {
		return refused(errors.New("another passkey than the one to try"))
	}
	return s.proveAndUse(ctx, who, t, parsed, also)
}
