package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// publicID is the id of a session in paths. Nobody can compute the token from it, nor the
// hash that the store has.
func publicID(s store.Session) string {
	sum := sha256.Sum256(append([]byte("public id of "), s.ID[:]...))
	return hex.EncodeToString(sum[:12])
}

// List returns the sessions of the user: the actor's own first, then by last use.
func (s *Service) List(ctx context.Context, who Actor) (shared.SessionList, error) {
	sessions, err := s.of(ctx, who.User)
	if err != nil {
		return shared.SessionList{}, err
	}

	list := shared.SessionList{Sessions: make([]shared.Session, len(sessions))}
	for i, session := range sessions {
		passkey, _ := who.Passkey(session.PasskeyID)
		list.Sessions[i] = shared.Session{
			ID:      publicID(session),
			Browser: session.Client.Browser, System: session.Client.System, Address: session.Client.Address,
			Method: string(session.Method), Passkey: passkey.Name, PasskeyID: passkey.ID,
			Provider: s.c.ProviderName(session.Provider),
			Created:  session.Created, Seen: session.Seen, Current: session.ID == who.Session.ID,
		}
	}
	slices.SortFunc(list.Sessions, func(a, b shared.Session) int {
		if a.Current != b.Current {
			return map[bool]int{true: -1, false: 1}[a.Current]
		}
		return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

func (s *Service) of(ctx context.Context, user store.User) ([]store.Session, error) {
	sessions, err := s.c.Store.Sessions(ctx, user.ID, store.Hash{}, most)
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return sessions, nil
}
