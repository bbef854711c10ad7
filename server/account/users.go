package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// NewUser describes a user to add.
type NewUser struct {
	Name        string
	DisplayName string
	Password    string
	Role        shared.Role
	Email       string // "" for none
}

// AddUser adds a user with a password as their first sign-in method. It is for IT. The actor
// has no user before.
//
// Refusals: [shared.CodeInvalidName], [shared.CodeInvalidEmail], [shared.CodeInvalidPassword],
// [shared.CodeNameTaken], [shared.CodeEmailTaken], and [shared.CodePasswordsOff] where the policy accepts no password of the new user.
func (s *Service) AddUser(ctx context.Context, who session.Actor, fresh NewUser) (store.User, error) {
	user, err := s.make(ctx, fresh)
	if err != nil {
		return store.User{}, err
	}
	who.User = user
	err = s.c.Store.Apply(ctx, append(store.Batch{store.PutUser{User: user}}, s.created(who)...))
	if errors.Is(err, store.ErrEmailExists) {
		return store.User{}, emailTaken(user.Email).Because(err)
	}
	if err != nil {
		return store.User{}, nameTaken(err, user.Name)
	}
	user.Revision++ // as it is stored
	return user, nil
}

// CheckNewUser refuses a new user whom [Service.AddUser] would refuse, whatever the password is.
func (s *Service) CheckNewUser(ctx context.Context, fresh NewUser) error {
	user, err := s.withoutPassword(ctx, fresh)
	if err != nil {
		return err
	}
	if err := s.passwordAllowed(user); err != nil {
		return err
	}
	return s.isFree(ctx, user)
}

// make checks a new user and returns their record. It doesn't store it.
func (s *Service) make(ctx context.Context, fresh NewUser) (store.User, error) {
	user, err := s.withoutPassword(ctx, fresh)
	if err != nil {
		return store.User{}, err
	}
	hash, err := s.newPassword(ctx, user, fresh.Password)
	if err != nil {
		return store.User{}, err
	}
	s.setPassword(&user, hash)
	return user, nil
}

// withoutPassword checks everything else of a new user and returns their record.
func (s *Service) withoutPassword(ctx context.Context, fresh NewUser) (store.User, error) {
	display, err := shared.CleanDisplayName(fresh.DisplayName)
	if err != nil {
		return store.User{}, err
	}
	user, err := s.newUser(fresh.Name, display)
	if err != nil {
		return store.User{}, err
	}
	if !fresh.Role.IsKnown() {
		return store.User{}, errNoRole
	}
	user.Role = fresh.Role
	if user.Email, err = CanonicalEmail(fresh.Email); err != nil {
		return store.User{}, err
	}
	user.EmailReserved = user.Email != ""
	return user, s.checkEmail(ctx, user, "")
}

// newUser returns the record of a new user who has no sign-in method yet. An empty display
// name becomes the user name.
func (s *Service) newUser(typed, display string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, err
	}
	if display == "" {
		display = name
	}
	user := store.User{ID: store.NewUserID(), Name: name, DisplayName: display, Handle: make([]byte, handleBytes), Created: s.c.Now()}
	rand.Read(user.Handle)
	return user, nil
}

// handleBytes is the length of a user handle, the longest that is allowed (WebAuthn Level
// 3, 5.4.3). A handle is random, because whoever holds the authenticator can read it, and
// it never changes.
const handleBytes = 64

// NameTaken is the refusal of a user name that another user has.
func NameTaken(name string) *shared.Error {
	return shared.Errorf(shared.CodeNameTaken, "Somebody has the user name %s already.", name)
}

func nameTaken(err error, name string) error {
	if errors.Is(err, store.ErrNameExists) {
		return NameTaken(name).Because(err)
	}
	if shared.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("storing a new user: %w", err)
}

// PublicUser returns what others may read of a user.
func PublicUser(u store.User) shared.User {
	return shared.User{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Role: u.Role, Disabled: u.Disabled}
}

// Member describes a user for administrators and IT, without the link of
// [Service.LinkUntil].
func (s *Service) Member(user store.User) shared.Member {
	methods := s.c.Policy.Methods()
	member := shared.Member{
		User: PublicUser(user), HasPassword: methods.HasPassword(user), Passkeys: len(user.Passkeys), Identities: len(user.Identities),
		Invited: methods.Count(user) == 0, Created: user.Created, LastSignIn: user.LastSignIn,
		Email: user.Email, EmailVerified: user.EmailVerified, Language: user.Language, Groups: user.Groups, Helps: user.Helps, ExternalID: user.ExternalID,
		PasswordSet: methods.PasswordSet(user), InvitedAt: user.Invited, FirstPasskey: user.FirstPasskey, HeldUntil: user.HoldAt(s.c.Now()),
	}
	return member
}

// Members describes users as [Service.MemberWithLink] does.
func (s *Service) Members(ctx context.Context, users []store.User) (members []shared.Member, err error) {
	members = make([]shared.Member, len(users))
	for i, user := range users {
		if members[i], err = s.MemberWithLink(ctx, user); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// MemberWithLink is [Service.Member] with the link.
func (s *Service) MemberWithLink(ctx context.Context, user store.User) (shared.Member, error) {
	member := s.Member(user)
	until, err := s.LinkUntil(ctx, user)
	member.LinkUntil = until
	return member, err
}

// UserByName finds a user for IT, who may know which names exist.
//
// Refusal: [shared.CodeNotFound].
func (s *Service) UserByName(ctx context.Context, typed string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, err
	}
	user, err := s.c.Store.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, shared.Errorf(shared.CodeNotFound, "There is no user with the name %s.", name)
	}
	return user, err
}

// DisplayNameOf returns the display name of the user with an id, or "" if nobody has it any more.
func (s *Service) DisplayNameOf(ctx context.Context, id string) (string, error) {
	user, err := s.c.Store.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return user.DisplayName, err
}

// UserByID finds a user for an administrator.
//
// Refusal: [shared.CodeNotFound].
func (s *Service) UserByID(ctx context.Context, id string) (store.User, error) {
	if !store.IsUserID(id) {
		return store.User{}, errNoUser
	}
	user, err := s.c.Store.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, errNoUser
	}
	return user, err
}

var errNoUser = shared.Errorf(shared.CodeNotFound, "This user isn't there any more.")

// ChangePassword replaces the password of the actor's user and ends their other sessions. Release is
// the token with which the user could end a hold, or "".
//
// Refusals: [shared.CodeInvalidPassword] for a weak password, [shared.CodeHeld], and
// [shared.CodePasswordsOff] where the policy accepts no password of this user.
func (s *Service) ChangePassword(ctx context.Context, who session.Actor, password, release string) error {
	if err := s.mayChangePassword(ctx, who, who.User, release); err != nil {
		return err
	}
	hash, err := s.newPassword(ctx, who.User, password)
	if err != nil {
		return err
	}
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if err := s.mayChangePassword(ctx, who, user, release); err != nil {
			return nil, err
		}
		s.setPassword(&user, hash)
		return store.Batch{
			store.PutUser{User: user},
			store.EndSessions{UserID: user.ID, Except: who.Session.ID},
			endPhoneLink(user.ID),
			s.event(who, shared.EventPasswordChanged),
		}, nil
	})
}

// SetPassword replaces the password of the actor's user and ends all their sessions,
// because somebody else may have the old password.
//
// Refusals: [shared.CodeInvalidPassword], [shared.CodePasswordsOff] and [shared.CodeHeld].
func (s *Service) SetPassword(ctx context.Context, who session.Actor, password string) error {
	if err := who.MayAddMethod(who.User, s.c.Now()); err != nil {
		return err
	}
	hash, err := s.newPassword(ctx, who.User, password)
	if err != nil {
		return err
	}
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if err := who.MayAddMethod(user, s.c.Now()); err != nil {
			return nil, err
		}
		s.setPassword(&user, hash)
		return s.signOutEverywhere(who, user, shared.EventPasswordChanged), nil
	})
}

// RemovePassword removes the password of the actor's user and ends all their sessions.
// Their other sign-in methods stay.
//
// Refusals: [shared.CodeNotFound] for a user without a password, and [shared.CodeLastMethod] for one
// who has no other method.
func (s *Service) RemovePassword(ctx context.Context, who session.Actor) error {
	return s.changeFor(ctx, who, RightManage, func(user store.User) (store.Batch, error) {
		if user.Password == "" {
			return nil, shared.Errorf(shared.CodeNotFound, "%s has no password.", user.Name)
		}
		removePassword(&user)
		if who.Methods.Count(user) == 0 {
			return nil, shared.Errorf(shared.CodeLastMethod, "%s has no passkey: without the password they could not sign in any more.", user.Name)
		}
		return s.signOutEverywhere(who, user, shared.EventPasswordRemoved), nil
	})
}

// signOutEverywhere stores a changed user, ends all their sessions and what was begun in
// them, and records an event.
func (s *Service) signOutEverywhere(who session.Actor, user store.User, kind shared.EventKind) store.Batch {
	batch := store.Batch{store.PutUser{User: user}, store.EndSessions{UserID: user.ID}, endPhoneLink(user.ID)}
	return append(batch, s.recorded(who, kind)...)
}
