package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// refusedSignIn is the answer to every sign-in that fails. It doesn't say what was wrong.
func refusedSignIn(cause string) error {
	return shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right.").Because(errors.New(cause))
}

// PasswordSignIn is an attempt to sign in with a password.
type PasswordSignIn struct {
	Name, Password string
	// DeviceCookie is the mark of a browser in which the user with this name has signed in
	// before. It is "" for every other browser. See guessing.go.
	DeviceCookie string
}

// SignInWithPassword begins a session.
//
// An unknown name, a user without a password, a disabled user and a wrong password get the
// same refusal, [shared.CodeSignInRefused], after the same work. Too many of them, or too
// many at once, get [shared.CodeTooManyAttempts]. A right password that the policy doesn't
// accept from this user gets [shared.CodePasswordsOff].
func (s *Service) SignInWithPassword(ctx context.Context, who session.Actor, in PasswordSignIn) (session.Issued, error) {
	if !s.c.Policy.TakesPasswords() {
		return session.Issued{}, errNoPasswords
	}
	end, err := s.mayGuess(s.guesses.ofSignIn(who, in))
	if err != nil {
		return session.Issued{}, err
	}
	issued, err := s.signIn(ctx, who, in)
	end(shared.CodeOf(err) == shared.CodeSignInRefused)
	return issued, err
}

func (s *Service) signIn(ctx context.Context, who session.Actor, in PasswordSignIn) (issued session.Issued, err error) {
	user, err := s.userToVerify(ctx, in.Name)
	if err != nil {
		return session.Issued{}, err
	}
	who.User = user
	hash := user.Password
	if hash == "" {
		hash = s.c.Hasher.nobody
	}
	right, outdated, err := s.verify(ctx, in.Password, hash, in.DeviceCookie == "")
	if err != nil {
		return session.Issued{}, err
	}

	switch {
	case user.ID == "":
		return session.Issued{}, refusedSignIn("nobody has this name")
	case !right || user.Password == "":
		s.reportFailed(who, store.MethodPassword)
		return session.Issued{}, refusedSignIn("wrong password")
	case user.Disabled:
		s.reportFailed(who, store.MethodPassword)
		return session.Issued{}, refusedSignIn("the account is disabled")
	}
	if err := s.passwordAllowed(user); err != nil {
		return session.Issued{}, err
	}

	renewed := user.Password
	if outdated {
		if renewed, err = s.rehash(ctx, in.Password); err != nil {
			return session.Issued{}, err
		}
	}

	err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
		// The password may have been changed, or the user disabled, during the hashing.
		if user.Disabled || user.Password != hash {
			return nil, refusedSignIn("the account was changed meanwhile")
		}
		user.Password, user.LastSignIn = renewed, s.c.Now()
		who.User = user
		failed := who.FailedBefore(user.LastSignIn)
		var batch store.Batch
		issued, batch = s.sessions.Open(who, session.SignIn{Method: store.MethodPassword})
		return append(append(store.Batch{store.PutUser{User: user}}, failed...), batch...), nil
	})
	return issued, err
}

// userToVerify returns the user with this name, or the zero user if there is none.
func (s *Service) userToVerify(ctx context.Context, typed string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, nil // no user can have it
	}
	user, err := s.c.Store.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil
	}
	if err != nil {
		return store.User{}, fmt.Errorf("looking up a user by name: %w", err)
	}
	return user, nil
}

func (s *Service) rehash(ctx context.Context, typed string) (string, error) {
	password, err := preparePassword(typed)
	if err != nil {
		return "", err
	}
	return s.hash(ctx, password)
}

// reportFailed puts a failed attempt into the activity of the actor's user, after the
// answer is sent: see [activity.Service.Failed].
func (s *Service) reportFailed(who session.Actor, method store.Method) {
	event := who.Event(shared.EventSignInFailed, s.c.Now())
	event.Method = method
	s.activity.Failed(event)
}

// ConfirmPassword confirms with the user's password. A refusal leaves the session as it was.
//
// Refusals: [shared.CodeSignInRefused] for a wrong password, [shared.CodeTooManyAttempts],
// and [shared.CodePasswordsOff] where the policy accepts no password of this user.
func (s *Service) ConfirmPassword(ctx context.Context, who session.Actor, password string) (session.Issued, error) {
	end, err := s.mayGuess(s.guesses.ofConfirmation(who.User))
	if err != nil {
		return session.Issued{}, err
	}
	issued, err := s.confirm(ctx, who, password)
	end(shared.CodeOf(err) == shared.CodeSignInRefused)
	return issued, err
}

func (s *Service) confirm(ctx context.Context, who session.Actor, password string) (session.Issued, error) {
	if err := s.passwordAllowed(who.User); err != nil {
		return session.Issued{}, err
	}
	hash := who.User.Password
	if hash == "" {
		hash = s.c.Hasher.nobody
	}
	right, _, err := s.verify(ctx, password, hash, false)
	if err != nil {
		return session.Issued{}, err
	}
	if !right || who.User.Password == "" {
		s.reportFailed(who, store.MethodPassword)
		return session.Issued{}, shared.Errorf(shared.CodeSignInRefused, "This password is not right.")
	}

	issued, batch := s.sessions.Confirm(who, session.SignIn{Method: store.MethodPassword})
	err = s.c.Store.Apply(ctx, batch)
	if errors.Is(err, store.ErrNotFound) {
		return session.Issued{}, session.ErrEnded
	}
	if err != nil {
		return session.Issued{}, fmt.Errorf("storing a confirmation: %w", err)
	}
	return issued, nil
}
