package account

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// NewUser is a user to be added.
type NewUser struct {
	Name        string
	DisplayName string
	Password    string
	Admin       bool
}

// AddUser adds a user with a password, which is their first sign-in method. IT alone does it.
//
// Refusals: [shared.CodeInvalidName], [shared.CodeInvalidPassword],
// [shared.CodeNameTaken], and [shared.CodePasswordsOff] where the policy takes no
// password of them.
func (s *Service) AddUser(ctx context.Context, fresh NewUser) (store.User, error) {
	user, err := s.make(ctx, fresh)
	if err != nil {
		return store.User{}, err
	}
	created := store.NewEvent(s.Now(), user.ID, shared.EventAccountCreated, store.Client{})
	if err := s.Store.Apply(ctx, store.Batch{store.PutUser{User: user}, store.AddEvent{Event: created}}); err != nil {
		return store.User{}, nameTaken(err, user.Name)
	}
	user.Revision++ // as it is stored
	return user, nil
}

// make checks a new user and makes the record, without storing it.
func (s *Service) make(ctx context.Context, fresh NewUser) (store.User, error) {
	display, err := shared.CleanDisplayName(fresh.DisplayName)
	if err != nil {
		return store.User{}, err
	}
	user, err := s.newUser(fresh.Name, display)
	if err != nil {
		return store.User{}, err
	}
	user.Admin = fresh.Admin
	user.Password, err = s.newPassword(ctx, user, fresh.Password)
	return user, err
}

// newUser makes a record of somebody who has no sign-in method yet. Without a display name
// they are called by their name.
func (s *Service) newUser(typed, display string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, err
	}
	if display == "" {
		display = name
	}
	user := store.User{ID: newUserID(), Name: name, DisplayName: display, Handle: make([]byte, handleBytes), Created: s.Now()}
	rand.Read(user.Handle)
	return user, nil
}

// handleBytes is the longest user handle (WebAuthn Level 3, 5.4.3). It is random,
// because it tells whoever holds the authenticator, and is never changed.
const handleBytes = 64

// newUserID returns 128 random bits, 32 hexadecimal digits.
func newUserID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func isUserID(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == 16
}

// NameTaken is the refusal of a user name that somebody has.
func NameTaken(name string) *shared.Error {
	return shared.Errorf(shared.CodeNameTaken, "Somebody has the user name %s already.", name)
}

func nameTaken(err error, name string) error {
	if errors.Is(err, store.ErrNameExists) {
		return NameTaken(name).Because(err)
	}
	return fmt.Errorf("storing a new user: %w", err)
}

// usersPage is how many users an administrator sees at once.
const usersPage = 50

// FindUsers returns a page of users in byte order of their names: those whose names
// begin with find, from the first name after the one given. Next asks for the page
// after; it is "" at the end.
func (s *Service) FindUsers(ctx context.Context, find, after string) (page []store.User, next string, err error) {
	begin := ""
	if find = shared.TrimInvisible(find); find != "" {
		if begin, err = CanonicalName(find); err != nil {
			return nil, "", nil // no name begins so
		}
	}
	if after < begin {
		// The page is of names after one, so whoever has exactly this name comes first.
		exact, err := s.Store.UserByName(ctx, begin)
		if err == nil {
			page = append(page, exact)
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, "", fmt.Errorf("looking up a user by name: %w", err)
		}
		after = begin
	}
	more, err := s.Store.Users(ctx, after, usersPage+1-len(page))
	if err != nil {
		return nil, "", fmt.Errorf("listing users: %w", err)
	}
	page = append(page, more...)
	if end := slices.IndexFunc(page, func(u store.User) bool { return !strings.HasPrefix(u.Name, begin) }); end >= 0 {
		page = page[:end]
	}
	if len(page) > usersPage {
		page = page[:usersPage]
		next = page[usersPage-1].Name
	}
	return page, next, nil
}

// Methods is how somebody signs in, in what administrators and IT read.
type Methods struct {
	HasPassword bool // one that counts: the policy may take none
	Passkeys    int
	Identities  int  // at OpenID providers
	Invited     bool // has no sign-in method yet
}

// MethodsOf describes a user. The Users page and the command line say the same.
func (s *Service) MethodsOf(user store.User) Methods {
	return Methods{
		HasPassword: s.Policy.Methods().HasPassword(user), Passkeys: len(user.Passkeys), Identities: len(user.Identities),
		Invited: s.Policy.Methods().Count(user) == 0,
	}
}

// Users returns up to limit users in byte order of their names, from the first
// name after the one given.
func (s *Service) Users(ctx context.Context, after string, limit int) ([]store.User, error) {
	return s.Store.Users(ctx, after, limit)
}

// UserByName finds a user for IT, who may know whether there is one:
// [shared.CodeNotFound] if not.
func (s *Service) UserByName(ctx context.Context, typed string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, err
	}
	user, err := s.Store.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, shared.Errorf(shared.CodeNotFound, "There is no user with the name %s.", name)
	}
	return user, err
}

// UserByID finds a user for an administrator: [shared.CodeNotFound] if there is none.
func (s *Service) UserByID(ctx context.Context, id string) (store.User, error) {
	if !isUserID(id) {
		return store.User{}, errNoUser
	}
	user, err := s.Store.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, errNoUser
	}
	return user, err
}

var errNoUser = shared.Errorf(shared.CodeNotFound, "This user isn't there any more.")

// ChangePassword gives the actor's user another password and ends their other sessions.
//
// Refusals: [shared.CodeInvalidPassword] for a weak one, and [shared.CodePasswordsOff] where
// the policy takes none of them.
func (s *Service) ChangePassword(ctx context.Context, who session.Actor, password string) error {
	hash, err := s.newPassword(ctx, who.User, password)
	if err != nil {
		return err
	}
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		user.Password = hash
		return store.Batch{
			store.PutUser{User: user},
			store.EndSessions{UserID: user.ID, Except: who.Session.ID},
			s.endPhoneLink(user.ID),
			s.event(who, shared.EventPasswordChanged),
		}, nil
	})
}

// SetPassword gives the actor's user another password and ends all their sessions, since
// whoever needed this may have lost the old one to somebody.
//
// Refusals: [shared.CodeInvalidPassword] and [shared.CodePasswordsOff].
func (s *Service) SetPassword(ctx context.Context, who session.Actor, password string) error {
	hash, err := s.newPassword(ctx, who.User, password)
	if err != nil {
		return err
	}
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		user.Password = hash
		return s.shutsOut(who, user, shared.EventPasswordChanged), nil
	})
}

// RemovePassword leaves the actor's user with their other sign-in methods, and ends all
// their sessions.
//
// Refusal: [shared.CodeLastMethod] for a user who has no other.
func (s *Service) RemovePassword(ctx context.Context, who session.Actor) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		user.Password = ""
		if who.Methods.Count(user) == 0 {
			return nil, shared.Errorf(shared.CodeLastMethod, "%s has no passkey: without the password they could not sign in any more.", user.Name)
		}
		return s.shutsOut(who, user, shared.EventPasswordRemoved), nil
	})
}

// shutsOut stores a changed user, ends all sessions with what was begun in them, and leaves
// an event.
func (s *Service) shutsOut(who session.Actor, user store.User, kind shared.EventKind) store.Batch {
	return store.Batch{
		store.PutUser{User: user},
		store.EndSessions{UserID: user.ID},
		s.endPhoneLink(user.ID),
		s.event(who, kind),
	}
}
