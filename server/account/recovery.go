package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Recovery codes are for users who have lost all their sign-in methods. There are ten, and
// each works once. They are shown only when they are made, because the store has an HMAC
// of each instead. A code has fifty random bits, so nobody can guess one. A user who needs a
// code may have lost their browser with its device cookie too. So an account's limit counts
// wrong codes only: the right one works, whatever strangers have tried before.

const (
	recoveryCodeLength = 10 // letters and digits, five bits each
	secretRecovery     = "recovery-key"
)

// MakeRecoveryCodes replaces all recovery codes of the actor's user with ten new ones.
//
// Refusal: [shared.CodeHeld].
func (s *Service) MakeRecoveryCodes(ctx context.Context, who session.Actor) ([]string, error) {
	if err := who.MayAddMethod(who.User, s.c.Now()); err != nil {
		return nil, err
	}
	key, err := store.SecretOrNew(ctx, s.c.Store, secretRecovery, sha256.Size)
	if err != nil {
		return nil, err
	}
	codes, hashes := make([]string, shared.RecoveryCodeCount), make([]store.Hash, shared.RecoveryCodeCount)
	for i := range codes {
		code := rand.Text()[:recoveryCodeLength]
		codes[i] = code[:recoveryCodeLength/2] + "-" + code[recoveryCodeLength/2:]
		hashes[i] = hashOfCode(key, who.User.ID, code)
	}
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if err := who.MayAddMethod(user, s.c.Now()); err != nil {
			return nil, err
		}
		user.RecoveryCodes, user.RecoveryCodesMade = hashes, s.c.Now()
		return store.Batch{store.PutUser{User: user}, s.event(who, shared.EventRecoveryCodesMade)}, nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

func hashOfCode(key []byte, userID, code string) (hash store.Hash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(userID + " " + code))
	mac.Sum(hash[:0])
	return hash
}

// confused maps digits that no code has to the letters that people mean.
var confused = strings.NewReplacer("0", "O", "1", "I", "8", "B", "-", "", " ", "")

// canonicalCode returns a typed code in the form that is hashed, or "" for a text that
// can't be a code.
func canonicalCode(typed string) string {
	if len(typed) > maxTyped {
		return ""
	}
	code := confused.Replace(strings.ToUpper(strings.TrimSpace(typed)))
	if len(code) != recoveryCodeLength {
		return ""
	}
	return code
}

// RecoverySignIn is an attempt to sign in with a recovery code.
type RecoverySignIn struct {
	Name, Code   string
	DeviceCookie string // as in [PasswordSignIn]
}

// SignInWithRecoveryCode begins a session and deletes the code.
//
// Refusals: [shared.CodeSignInRefused], whatever is wrong, and [shared.CodeTooManyAttempts]
// for too many wrong codes from one address or for one name.
func (s *Service) SignInWithRecoveryCode(ctx context.Context, who session.Actor, in RecoverySignIn) (session.Issued, error) {
	end, err := s.mayGuess(s.guesses.ofRecovery(who, in))
	if err != nil {
		return session.Issued{}, err
	}
	if who.User, err = s.userToVerify(ctx, in.Name); err != nil {
		end(false)
		return session.Issued{}, err
	}
	issued, err := s.recover(ctx, who, in.Code)
	wrong := shared.CodeOf(err) == shared.CodeSignInRefused
	end(wrong)
	if !wrong {
		return issued, err
	}
	endWrong, tooMany := s.mayGuess(s.guesses.ofWrongCode(in))
	if tooMany != nil {
		return session.Issued{}, tooMany
	}
	endWrong(true)
	if who.User.ID != "" {
		s.reportFailed(who, store.MethodRecoveryCode)
	}
	return session.Issued{}, err
}

// recover signs in with a code of the actor's user, who is the zero user if nobody has the
// name.
func (s *Service) recover(ctx context.Context, who session.Actor, typed string) (issued session.Issued, err error) {
	// The key is made together with the first codes. Without it no code is right, and a
	// stranger's attempt must write nothing.
	key, err := store.Secret(ctx, s.c.Store, secretRecovery)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return session.Issued{}, fmt.Errorf("looking up the key of recovery codes: %w", err)
	}
	hash := hashOfCode(key, who.User.ID, canonicalCode(typed))
	if who.User.ID == "" {
		return session.Issued{}, refusedRecovery("nobody has this name")
	}

	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		at := codeOf(user, hash)
		switch {
		case at < 0:
			return nil, refusedRecovery("the user has no such code")
		case user.Disabled:
			return nil, refusedRecovery("the account is disabled")
		}
		user.RecoveryCodes, user.LastSignIn = slices.Delete(user.RecoveryCodes, at, at+1), s.c.Now()
		var batch store.Batch
		who.User = user
		issued, batch = s.sessions.Open(who, session.SignIn{Method: store.MethodRecoveryCode})
		return append(batch, store.PutUser{User: user}), nil
	})
	return issued, err
}

// codeOf returns the index of a code among the user's, or -1. It takes the same time
// wherever the code is.
func codeOf(user store.User, hash store.Hash) int {
	found := -1
	for i, code := range user.RecoveryCodes {
		if hmac.Equal(code[:], hash[:]) {
			found = i
		}
	}
	return found
}

func refusedRecovery(cause string) error {
	return shared.Errorf(shared.CodeSignInRefused, "The user name or the recovery code is not right.").Because(errors.New(cause))
}
