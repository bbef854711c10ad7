package account

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/secure/precis"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Cost is how much work argon2id (RFC 9106) spends on a password.
type Cost struct {
	MemoryKiB uint32
	Time      uint32 // passes over the memory
	Threads   uint8
}

// DefaultCost is RFC 9106's second recommendation (section 4): 64 MiB.
var DefaultCost = Cost{MemoryKiB: 64 << 10, Time: 3, Threads: 4}

// The length of a password in characters (Unicode code points). There are no rules about
// kinds of characters, because only length helps (NIST SP 800-63B, 3.1.1.2).
const (
	MinPasswordLength = 12
	MaxPasswordLength = 256
)

// preparePassword returns a typed password in the form that is hashed: PRECIS OpaqueString
// (RFC 8265, 4.2). So an accented letter is the same, however a keyboard composes it.
func preparePassword(typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", fmt.Errorf("a password of %d bytes", len(typed))
	}
	return precis.OpaqueString.String(typed)
}

// newPassword checks a new password of a user, and returns its hash.
func (s *Service) newPassword(ctx context.Context, user store.User, typed string) (string, error) {
	if err := s.passwordAllowed(user); err != nil {
		return "", err
	}
	if n := utf8.RuneCountInString(typed); n < MinPasswordLength {
		return "", shared.Errorf(shared.CodeInvalidPassword, "This password is too short. Please use at least %d characters.", MinPasswordLength)
	} else if n > MaxPasswordLength {
		return "", shared.Errorf(shared.CodeInvalidPassword, "This password is too long. Please use at most %d characters.", MaxPasswordLength)
	}
	password, err := preparePassword(typed)
	if err != nil {
		return "", shared.Errorf(shared.CodeInvalidPassword, "This password has characters that can't be used. Please leave out control characters.").Because(err)
	}
	if err := s.refuseGuessable(user, password); err != nil {
		return "", err
	}
	return s.hash(ctx, password)
}

// setPassword gives a user a new password. A sign-in that makes a new hash of the same one isn't that.
func (s *Service) setPassword(user *store.User, hash string) {
	user.Password, user.PasswordSet = hash, s.c.Now()
}

func removePassword(user *store.User) { user.Password, user.PasswordSet = "", time.Time{} }

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	end, err := s.c.Hasher.turns.take(ctx, false)
	if err != nil {
		return "", err
	}
	defer end()

	hash, err := argon2id.CreateHash(password, s.c.Hasher.cost.params())
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// verify reports whether a typed password belongs to a hash, and whether the hash is outdated
// because it was made with another cost. A stranger may be refused: see [turns.take].
func (s *Service) verify(ctx context.Context, typed, hash string, stranger bool) (right, outdated bool, err error) {
	password, err := preparePassword(typed)
	if err != nil {
		password = "" // no user's password, but hashing it takes the same time
	}
	end, err := s.c.Hasher.turns.take(ctx, stranger)
	if err != nil {
		return false, false, err
	}
	defer end()

	right, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("reading a stored password: %w", err)
	}
	today := s.c.Hasher.cost.params()
	s.c.Hasher.evenOut(params)
	outdated = params.Memory != today.Memory || params.Iterations != today.Iterations || params.Parallelism != today.Parallelism
	return right && password != "", outdated, nil
}

func (c Cost) params() *argon2id.Params {
	return &argon2id.Params{Memory: c.MemoryKiB, Iterations: c.Time, Parallelism: c.Threads, SaltLength: 16, KeyLength: 32}
}
