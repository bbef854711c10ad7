package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// SignOut ends the session of a token, and returns it. A token without a session is no
// error.
func (s *Service) SignOut(ctx context.Context, who Actor, token string) (store.Session, error) {
	return s.end(ctx, who, store.SessionID(token), shared.EventSignedOut)
}

// End ends one of the user's sessions by its public id, and lists the remaining ones. The other
// operations join the batch.
//
// Refusal: [shared.CodeNotFound], also for a session of another user.
func (s *Service) End(ctx context.Context, who Actor, id string, also ...store.Op) (shared.SessionList, error) {
	sessions, err := s.of(ctx, who.User)
	if err != nil {
		return shared.SessionList{}, err
	}
	i := slices.IndexFunc(sessions, func(session store.Session) bool { return publicID(session) == id })
	if i < 0 {
		return shared.SessionList{}, shared.Errorf(shared.CodeNotFound, "This session has ended already.")
	}

	if _, err := s.end(ctx, who, sessions[i].ID, shared.EventSessionEnded, append(s.c.AlsoEnds(who.User.ID), also...)...); err != nil {
		return shared.SessionList{}, err
	}
	return s.List(ctx, who)
}

// EndOthers ends every session of the user except the actor's, and lists the remaining
// ones.
func (s *Service) EndOthers(ctx context.Context, who Actor) (shared.SessionList, error) {
	batch := append(store.Batch{store.EndSessions{UserID: who.User.ID, Except: who.Session.ID}}, s.c.AlsoEnds(who.User.ID)...)
	err := s.c.Store.Apply(ctx, append(batch, store.AddEvent{Event: who.Event(shared.EventOthersEnded, s.c.Now())}))
	if err != nil {
		return shared.SessionList{}, fmt.Errorf("ending other sessions: %w", err)
	}
	return s.List(ctx, who)
}

// end ends a session. If its user confirmed at the same moment, it also ends the session
// under the new token: when the session is gone, no later confirmation of it can succeed,
// so one look for the new id is enough. The other operations join the batch. The event is for
// the user of the session, whoever acts.
func (s *Service) end(ctx context.Context, who Actor, id store.Hash, kind shared.EventKind, also ...store.Op) (ended store.Session, err error) {
	for {
		session, err := s.c.Store.Session(ctx, id)
		if err == nil {
			ended = session
			of := who
			of.User.ID = session.UserID // a browser may sign out who was signed in before
			err = s.c.Store.Apply(ctx, append(append(store.Batch{store.EndSession{ID: id}}, of.Recorded(kind, s.c.Now())...), also...))
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return ended, fmt.Errorf("ending a session: %w", err)
		}

		to, err := s.movedFrom(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return ended, nil
		}
		if err != nil {
			return ended, fmt.Errorf("looking for the session that took its place: %w", err)
		}
		id = to.Value
	}
}
