package memstore

import (
	"context"
	"errors"
	"maps"

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

	if err := batch.Check(); err != nil {
		return err
	}
	for _, op := range batch {
		if err := s.check(op); err != nil {
			return err
		}
	}
	s.writes++
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
	case store.HasUser:
		return op.Holds(s.user(op.ID))
	case store.AddSession:
		return s.free(op.Session.ID)
	case store.ReplaceSession:
		if _, err := s.session(op.Old); err != nil {
			return err
		}
		if op.Session.ID != op.Old {
			return s.free(op.Session.ID)
		}
	case store.PutItem:
		return op.Item.MayReplace(s.item(itemName{op.Item.Owner, op.Item.Collection, op.Item.Key}))
	case store.RemoveItem:
		return op.MayRemove(s.item(itemName{op.Owner, op.Collection, op.Key}))
	}
	return nil
}

func (s *Store) free(id store.Hash) error {
	_, err := s.session(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		return store.ErrSessionExists
	}
	return err
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
	if id, ok := s.emails[u.UniqueEmail()]; ok && id != u.ID {
		return store.ErrEmailExists
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
		s.events[op.Event.Mark()] = op.Event.Encode()
	case store.PutItem:
		s.versions++
		op.Item.Version = s.versions
		s.items[itemName{op.Item.Owner, op.Item.Collection, op.Item.Key}] = op.Item.Encode()
	case store.RemoveItem:
		delete(s.items, itemName{op.Owner, op.Collection, op.Key})
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
	if key := u.UniqueEmail(); key != "" {
		s.emails[key] = u.ID
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
	delete(s.emails, old.UniqueEmail())
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
	maps.DeleteFunc(s.events, func(mark store.EventMark, _ []byte) bool { return mark.UserID == id })
	maps.DeleteFunc(s.items, func(name itemName, _ []byte) bool { return name.owner == id })
}

func (s *Store) endSessions(op store.EndSessions) {
	for id, encoded := range s.sessions {
		session, err := store.DecodeSession(encoded)
		if err == nil && op.Ends(session) {
			delete(s.sessions, id)
		}
	}
}
