package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// refusedSignIn is the one answer to a sign-in that fails, whatever was wrong.
func refusedSignIn(cause string) error {
	return shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right.").Because(errors.New(cause))
}

// PasswordSignIn is an attempt to sign in with a password.
type PasswordSignIn struct {
	Name, Password string
	Client         store.Client
	Replaces       store.Session // the session that the browser had before, if any

	// Known names a browser in which the user of this name signed in before; ""
	// for any other. See guessing.go.
	Known string
}

// SignInWithPassword begins a session.
//
// An unknown name, a user without a password, a disabled one and a wrong password
// get the same refusal, [shared.CodeSignInRefused], after the same work; too many
// of them, or too many at once, [shared.CodeTooManyAttempts]. Whose right password the
// policy doesn't take gets [shared.CodePasswordsOff].
func (s *Service) SignInWithPassword(ctx context.Context, in PasswordSignIn) (Opened, error) {
	if !s.Policy.TakesPasswords() {
		return Opened{}, errNoPasswords
	}
	end, err := s.mayGuess(s.guesses.ofSignIn(in))
	if err != nil {
		return Opened{}, err
	}
	opened, err := s.signIn(ctx, in)
	end(shared.CodeOf(err) == shared.CodeSignInRefused)
	return opened, err
}

func (s *Service) signIn(ctx context.Context, in PasswordSignIn) (Opened, error) {
	user, err := s.userToVerify(ctx, in.Name)
	if err != nil {
		return Opened{}, err
	}
	hash := user.Password
	if hash == "" {
		hash = s.Hasher.nobody
	}
	right, outdated, err := s.verify(ctx, in.Password, hash, in.Known == "")
	if err != nil {
		return Opened{}, err
	}

	switch {
	case user.ID == "":
		return Opened{}, refusedSignIn("nobody has this name")
	case !right || user.Password == "":
		s.tellFailed(user, store.MethodPassword, in.Client)
		return Opened{}, refusedSignIn("wrong password")
	case user.Disabled:
		s.tellFailed(user, store.MethodPassword, in.Client)
		return Opened{}, refusedSignIn("the account is disabled")
	}
	if err := s.passwordAllowed(user); err != nil {
		return Opened{}, err
	}

	renewed := user.Password
	if outdated {
		if renewed, err = s.rehash(ctx, in.Password); err != nil {
			return Opened{}, err
		}
	}

	var opened Opened
	err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
		// Somebody may have changed the password, or shut the user out, while we
		// were hashing.
		if user.Disabled || user.Password != hash {
			return nil, refusedSignIn("the account was changed meanwhile")
		}
		user.Password = renewed
		how := SignIn{Method: store.MethodPassword, Client: in.Client}
		var batch store.Batch
		opened, batch = s.Open(user, how, in.Replaces)
		return append(store.Batch{store.PutUser{User: user}}, batch...), nil
	})
	return opened, err
}

// userToVerify returns the user of a typed name; the zero user if there is none.
func (s *Service) userToVerify(ctx context.Context, typed string) (store.User, error) {
	name, err := CanonicalName(typed)
	if err != nil {
		return store.User{}, nil // nobody can have it
	}
	user, err := s.Store.UserByName(ctx, name)
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

// tellFailed lets the user know, after the answer: see [failures.Recorder].
func (s *Service) tellFailed(user store.User, method store.Method, client store.Client) {
	event := store.NewEvent(s.Now(), user.ID, shared.EventSignInFailed, client)
	event.Method = method
	s.Failures.Add(event)
}
