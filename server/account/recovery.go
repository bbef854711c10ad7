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

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Recovery codes are for whoever lost every other way in. There are ten, each
// works once, and they are shown when they are made and never again: the store has
// an HMAC of each. A code has fifty random bits, so nobody guesses one. Who needs one
// may have nothing else left, no browser that knows them either: so the limit of an account
// is for wrong codes. A right one is taken, whatever strangers have tried before.

const (
	recoveryCodes      = 10
	recoveryCodeLength = 10 // letters and digits, five bits each
	secretRecovery     = "recovery-key"
)

// MakeRecoveryCodes gives the user ten new codes, in place of all that there were.
func (s *Service) MakeRecoveryCodes(ctx context.Context, user store.User, client store.Client) ([]string, error) {
	key, err := store.SecretOrNew(ctx, s.Store, secretRecovery, sha256.Size)
	if err != nil {
		return nil, err
	}
	codes, hashes := make([]string, recoveryCodes), make([]store.Hash, recoveryCodes)
	for i := range codes {
		code := rand.Text()[:recoveryCodeLength]
		codes[i] = code[:recoveryCodeLength/2] + "-" + code[recoveryCodeLength/2:]
		hashes[i] = hashOfCode(key, user.ID, code)
	}
	err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
		user.RecoveryCodes, user.RecoveryCodesMade = hashes, s.Now()
		event := store.NewEvent(s.Now(), user.ID, shared.EventRecoveryCodesMade, client)
		return store.Batch{store.PutUser{User: user}, store.AddEvent{Event: event}}, nil
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

// confused are digits that no code has, and the letters that people mean.
var confused = strings.NewReplacer("0", "O", "1", "I", "8", "B", "-", "", " ", "")

// canonicalCode returns a code as it is hashed, however it was typed; "" for what
// can't be one.
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
	Name, Code string
	Client     store.Client
	Replaces   store.Session // the session that the browser had before, if any
	Known      string        // as in [PasswordSignIn]
}

// SignInWithRecoveryCode begins a session and uses the code up. Whatever is wrong
// gets the same refusal, [shared.CodeSignInRefused]; too much of it from one
// address or for one name, [shared.CodeTooManyAttempts].
func (s *Service) SignInWithRecoveryCode(ctx context.Context, in RecoverySignIn) (Opened, error) {
	end, err := s.mayGuess(s.guesses.ofRecovery(in))
	if err != nil {
		return Opened{}, err
	}
	opened, user, err := s.recover(ctx, in)
	wrong := shared.CodeOf(err) == shared.CodeSignInRefused
	end(wrong)
	if !wrong {
		return opened, err
	}
	endWrong, tooMany := s.mayGuess(s.guesses.ofWrongCode(in))
	if tooMany != nil {
		return Opened{}, tooMany
	}
	endWrong(true)
	if user.ID != "" {
		s.tellFailed(user, store.MethodRecoveryCode, in.Client)
	}
	return Opened{}, err
}

// recover returns the user of the name too, the zero user if there is none.
func (s *Service) recover(ctx context.Context, in RecoverySignIn) (opened Opened, user store.User, err error) {
	// The key comes with the first codes. Before, no code is right, and a stranger
	// makes us write nothing.
	key, err := s.Store.Secret(ctx, secretRecovery)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Opened{}, user, fmt.Errorf("looking up the key of recovery codes: %w", err)
	}
	if user, err = s.userToVerify(ctx, in.Name); err != nil {
		return Opened{}, user, err
	}
	hash := hashOfCode(key, user.ID, canonicalCode(in.Code))
	if user.ID == "" {
		return Opened{}, user, refusedRecovery("nobody has this name")
	}

	err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
		at := codeOf(user, hash)
		switch {
		case at < 0:
			return nil, refusedRecovery("the user has no such code")
		case user.Disabled:
			return nil, refusedRecovery("the account is disabled")
		}
		user.RecoveryCodes = slices.Delete(user.RecoveryCodes, at, at+1)
		var batch store.Batch
		opened, batch = s.Open(user, SignIn{Method: store.MethodRecoveryCode, Client: in.Client}, in.Replaces)
		return append(batch, store.PutUser{User: user}), nil
	})
	return opened, user, err
}

// codeOf finds a code among those that are left, in the same time wherever it is.
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
