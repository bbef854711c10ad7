package passkey

import (
	"bytes"
	"context"
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
	return s.beginAssertion(who, forTrial, who.User.Passkeys[i:i+1])
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
	parsed, err := s.parseAssertion(answer.Credential)
	if err == nil && !bytes.Equal(parsed.RawID, who.User.Passkeys[i].CredentialID) {
		err = refused(errors.New("another passkey than the one to try"))
	}
	if err == nil {
		err = s.proveAndUse(ctx, who, t, parsed, func(now session.Actor, tried store.Passkey) (store.Batch, error) {
			row = s.describe(now, tried)
			return nil, nil
		})
	}
	return row, s.settle(t, err)
}
