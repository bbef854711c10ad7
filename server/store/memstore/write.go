package memstore

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Apply implements [store.Store].
func (s *Store) Apply(ctx context.Context, batch store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}

	for _, op := range batch {
		if err := s.check(op); err != nil {
			return err
		}
	}
	for _, op := range batch {
		s.do(op)
	}
	return nil
}

func (s *Store) check(op store.Op) error {
	switch op := op.(type) {
	case store.PutUser:
		return s.checkUser(op.User)
	case store.RemoveUser:
		return op.MayRemove(s.user(op.ID))
	case store.AddSession:
		return s.free(op.Session.ID)
	case store.ReplaceSession:
		if _, err := s.session(op.Old); err != nil {
			return err
		}
		if op.Session.ID != op.Old {
			return s.free(op.Session.ID)
		}
	case store.SpendTicket:
		_, err := unexpired(s, s.tickets[op.Ticket.ID], store.DecodeSpentTicket, func(v store.SpentTicket) time.Time { return v.Expires })
		return taken(err, store.ErrTicketSpent)
	case store.TakeLink:
		link, err := s.link(op.Key)
		if err == nil && link.Hash != op.Hash {
			err = store.ErrNotFound
		}
		return err
	case store.AddSecret:
		if _, ok := s.secrets[op.Name]; ok {
			return store.ErrSecretExists
		}
	case store.ReplaceSecret:
		if value, ok := s.secrets[op.Name]; !ok || !bytes.Equal(value, op.Old) {
			return store.ErrStale
		}
	}
	return nil
}

// taken returns nil for ErrNotFound, and exists if there is no error.
func taken(err, exists error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		return exists
	}
	return err
}

func (s *Store) free(id store.Hash) error {
	_, err := s.session(id)
	return taken(err, store.ErrSessionExists)
}

func (s *Store) checkUser(u store.User) error {
	if err := u.MayReplace(s.user(u.ID)); err != nil {
		return err
	}

	if id, ok := s.names[u.Name]; ok && id != u.ID {
		return store.ErrNameExists
	}
	for _, p := range u.Passkeys {
		if id, ok := s.credentials[string(p.CredentialID)]; ok && id != u.ID {
			return store.ErrCredentialExists
		}
	}
	for _, i := range u.Identities {
		if id, ok := s.identities[[2]string{i.Issuer, i.Subject}]; ok && id != u.ID {
			return store.ErrIdentityExists
		}
	}
	return nil
}

func (s *Store) do(op store.Op) {
	switch op := op.(type) {
	case store.PutUser:
		s.putUser(op.User)
	case store.RemoveUser:
		s.removeUser(op.ID)
	case store.AddSession:
		for _, old := range op.Ends(s.sessionsOf(op.Session.UserID)) {
			delete(s.sessions, old.ID)
		}
		s.sessions[op.Session.ID] = op.Session.Encode()
	case store.ReplaceSession:
		delete(s.sessions, op.Old)
		s.sessions[op.Session.ID] = op.Session.Encode()
	case store.EndSession:
		delete(s.sessions, op.ID)
	case store.EndSessions:
		s.endSessions(op)
	case store.AddEvent:
		s.events[eventKey{op.Event.UserID, op.Event.ID}] = op.Event.Encode()
	case store.SpendTicket:
		s.tickets[op.Ticket.ID] = op.Ticket.Encode()
	case store.PutLink:
		s.links[op.Link.Key] = op.Link.Encode()
	case store.TakeLink:
		delete(s.links, op.Key)
	case store.AddSecret:
		s.secrets[op.Name] = slices.Clone(op.Value)
	case store.ReplaceSecret:
		s.secrets[op.Name] = slices.Clone(op.Value)
	}
}

func (s *Store) putUser(u store.User) {
	s.dropUser(u.ID)
	u.Revision++
	s.users[u.ID] = u.Encode()
	s.names[u.Name] = u.ID
	for _, p := range u.Passkeys {
		s.credentials[string(p.CredentialID)] = u.ID
	}
	for _, i := range u.Identities {
		s.identities[[2]string{i.Issuer, i.Subject}] = u.ID
	}
}

// dropUser removes a user's record, if it exists, and its index entries.
func (s *Store) dropUser(id string) {
	old, err := s.user(id)
	if err != nil {
		return
	}
	delete(s.users, id)
	delete(s.names, old.Name)
	for _, p := range old.Passkeys {
		delete(s.credentials, string(p.CredentialID))
	}
	for _, i := range old.Identities {
		delete(s.identities, [2]string{i.Issuer, i.Subject})
	}
}

func (s *Store) removeUser(id string) {
	s.dropUser(id)
	s.endSessions(store.EndSessions{UserID: id})
	maps.DeleteFunc(s.events, func(key eventKey, _ []byte) bool { return key.userID == id })
}

func (s *Store) endSessions(op store.EndSessions) {
	for id, encoded := range s.sessions {
		session, err := store.DecodeSession(encoded)
		if err == nil && op.Ends(session) {
			delete(s.sessions, id)
		}
	}
}
