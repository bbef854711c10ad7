package account

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

// What signed-in users see and do about their own account: the browsers they are
// signed in with, what happened, and their password.

// mostSessions is how many sessions a user has at most. Nobody has so many browsers, but
// a program that signs in again and again, without its cookie, would fill the disk.
const mostSessions = 100

// PublicID names a session in paths. It tells nothing about the token, nor about
// the hash that the store keeps.
func PublicID(s store.Session) string {
	sum := sha256.Sum256(append([]byte("public id of "), s.ID[:]...))
	return hex.EncodeToString(sum[:12])
}

// Sessions lists where the user is signed in: current first, then by last use.
func (s *Service) Sessions(ctx context.Context, user store.User, current store.Session) (shared.SessionList, error) {
	sessions, err := s.Store.Sessions(ctx, user.ID, store.Hash{}, mostSessions)
	if err != nil {
		return shared.SessionList{}, fmt.Errorf("listing sessions: %w", err)
	}

	list := shared.SessionList{Sessions: make([]shared.Session, len(sessions))}
	for i, session := range sessions {
		list.Sessions[i] = shared.Session{
			ID:      PublicID(session),
			Browser: session.Client.Browser, System: session.Client.System, Address: session.Client.Address,
			Method: string(session.Method), Passkey: passkeyName(user, session.PasskeyID),
			PasskeyID: mine(user, session.PasskeyID),
			Provider:  s.providerOf(session),
			Created:   session.Created, Seen: session.Seen, Current: session.ID == current.ID,
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

// providerOf is what people call the provider that a session began at.
func (s *Service) providerOf(session store.Session) string {
	if p, found := s.Provider(session.Provider); found {
		return p.Name
	}
	return session.Provider
}

func passkeyName(user store.User, id string) string {
	for _, p := range user.Passkeys {
		if p.ID == id {
			return p.Name
		}
	}
	return ""
}

// mine returns the id of a passkey that the user has, or "".
func mine(user store.User, id string) string {
	if passkeyName(user, id) == "" {
		return ""
	}
	return id
}

// EndSession ends one of the user's sessions by its public id, and lists what is
// left. Another user's looks missing: [shared.CodeNotFound].
func (s *Service) EndSession(ctx context.Context, user store.User, current store.Session, publicID string, client store.Client) (shared.SessionList, error) {
	sessions, err := s.Store.Sessions(ctx, user.ID, store.Hash{}, mostSessions)
	if err != nil {
		return shared.SessionList{}, fmt.Errorf("listing sessions: %w", err)
	}
	i := slices.IndexFunc(sessions, func(session store.Session) bool { return PublicID(session) == publicID })
	if i < 0 {
		return shared.SessionList{}, shared.Errorf(shared.CodeNotFound, "This session has ended already.")
	}

	if _, err := s.end(ctx, sessions[i].ID, shared.EventSessionEnded, client, s.endPhoneLink(user.ID)); err != nil {
		return shared.SessionList{}, err
	}
	return s.Sessions(ctx, user, current)
}

// EndOthers ends every session of the user but the current one.
func (s *Service) EndOthers(ctx context.Context, user store.User, current store.Session, client store.Client) (shared.SessionList, error) {
	event := store.NewEvent(s.Now(), user.ID, shared.EventOthersEnded, client)
	err := s.Store.Apply(ctx, store.Batch{
		store.EndSessions{UserID: user.ID, Except: current.ID},
		s.endPhoneLink(user.ID),
		store.AddEvent{Event: event},
	})
	if err != nil {
		return shared.SessionList{}, fmt.Errorf("ending other sessions: %w", err)
	}
	return s.Sessions(ctx, user, current)
}

// activityPage is how many events a page of activity has.
const activityPage = 25

// Activity returns a page of what happened, newest first: the first one for
// before "", else the one after the page whose Next this is.
func (s *Service) Activity(ctx context.Context, user store.User, client store.Client, before string) (shared.Activity, error) {
	var from store.EventID
	if raw, err := hex.DecodeString(before); err != nil || (before != "" && len(raw) != len(from)) {
		return shared.Activity{}, shared.Errorf(shared.CodeInvalidRequest, "There is no such page.")
	} else {
		copy(from[:], raw)
	}

	events, err := s.Store.Events(ctx, user.ID, from, activityPage+1)
	if err != nil {
		return shared.Activity{}, fmt.Errorf("listing events: %w", err)
	}
	page := shared.Activity{Events: []shared.Event{}}
	if len(events) > activityPage {
		events = events[:activityPage]
		page.Next = hex.EncodeToString(events[activityPage-1].ID[:])
	}
	for _, e := range events {
		line := shared.Event{
			ID: hex.EncodeToString(e.ID[:]), Kind: e.Kind, Time: e.Time, Method: string(e.Method), Passkey: e.Passkey, Provider: e.Provider, By: e.By,
			Browser: e.Client.Browser, System: e.Client.System, Address: e.Client.Address,
			// Of several, only the last is known.
			Here: client.Mark != "" && e.Client.Mark == client.Mark && e.Count <= 1,
		}
		if e.Count > 1 {
			line.Count, line.Last = e.Count, &e.Last
		}
		line.PasskeyID = mine(user, e.PasskeyID)
		page.Events = append(page.Events, line)
	}
	return page, nil
}

// ChangePassword gives the user another password and ends their other sessions.
// A weak one is refused with [shared.CodeInvalidPassword], and any with
// [shared.CodePasswordsOff] where the policy takes none of them.
func (s *Service) ChangePassword(ctx context.Context, user store.User, current store.Session, password string, client store.Client) error {
	hash, err := s.newPassword(ctx, user, password)
	if err != nil {
		return err
	}
	return s.change(ctx, user, func(user store.User) (store.Batch, error) {
		user.Password = hash
		event := store.NewEvent(s.Now(), user.ID, shared.EventPasswordChanged, client)
		return store.Batch{
			store.PutUser{User: user},
			store.EndSessions{UserID: user.ID, Except: current.ID},
			s.endPhoneLink(user.ID),
			store.AddEvent{Event: event},
		}, nil
	})
}
