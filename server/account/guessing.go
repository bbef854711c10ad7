package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Passwords can be guessed, so guessing is slow. A failed attempt takes a token from the
// bucket of the account and one from the bucket of the address, and only a few passwords
// are hashed at a time. A stranger who guesses, or floods, must not keep the user out. So a
// browser with a device cookie has a bucket of its own and may always wait for its turn.
// Passkeys have no limit, because they can't be guessed.

// How many wrong passwords or codes a bucket takes at once, and after what time it takes
// one more.
const (
	guessesPerAccount = 10 // and 1,450 a day
	accountRecovers   = time.Minute
	guessesPerAddress = 50 // a whole office may share one address
	addressRecovers   = 5 * time.Second

	wrongCodesPerAccount = 100 // recovery codes, which can't be guessed
	wrongCodesRecover    = 10 * time.Second
)

// guesses holds the buckets of one node. A restart refills them.
type guesses struct {
	accounts  *limit.Limiter // by user name, whether a user has it or not
	addresses *limit.Limiter // by network
	browsers  *limit.Limiter // by device cookie
	sessions  *limit.Limiter // by user id, for confirmations
	codes     *limit.Limiter // wrong recovery codes, by user name, whether a user has it or not
}

func newGuesses() guesses {
	return guesses{
		accounts:  limit.New(guessesPerAccount, accountRecovers),
		addresses: limit.New(guessesPerAddress, addressRecovers),
		browsers:  limit.New(guessesPerAccount, accountRecovers),
		sessions:  limit.New(guessesPerAccount, accountRecovers),
		codes:     limit.New(wrongCodesPerAccount, wrongCodesRecover),
	}
}

// bucket is a key of one of the limiters.
type bucket struct {
	limiter *limit.Limiter
	key     string
}

// ofSignIn returns the buckets from which a wrong password at sign-in takes a token. They
// don't depend on whether any user has the name.
func (g guesses) ofSignIn(who session.Actor, in PasswordSignIn) []bucket {
	if in.DeviceCookie != "" {
		return []bucket{{g.browsers, in.DeviceCookie}}
	}
	buckets := []bucket{{g.addresses, network(who.Client.Address)}}
	if name, err := CanonicalName(in.Name); err == nil {
		buckets = append(buckets, bucket{g.accounts, name})
	}
	return buckets
}

// ofRecovery returns the bucket that must have a token before a recovery code is checked. A
// browser with a device cookie has its own.
func (g guesses) ofRecovery(who session.Actor, in RecoverySignIn) []bucket {
	if in.DeviceCookie != "" {
		return []bucket{{g.addresses, "browser " + in.DeviceCookie}}
	}
	return []bucket{{g.addresses, network(who.Client.Address)}}
}

// ofWrongCode returns the bucket from which a wrong recovery code takes a token. When it is
// empty, wrong codes are refused as too many, and the user's activity shows no more of them.
func (g guesses) ofWrongCode(in RecoverySignIn) []bucket {
	name, err := CanonicalName(in.Name)
	if in.DeviceCookie != "" || err != nil {
		return nil
	}
	return []bucket{{g.codes, name}}
}

// ofConfirmation returns the bucket of a signed-in user. Strangers can't empty it.
func (g guesses) ofConfirmation(user store.User) []bucket {
	return []bucket{{g.sessions, user.ID}}
}

// mayGuess starts an attempt in all buckets. If one of them is empty, it starts none and
// refuses with [shared.CodeTooManyAttempts]. The caller ends the attempt with end.
func (s *Service) mayGuess(buckets []bucket) (end func(failed bool), err error) {
	var attempts []limit.Attempt
	end = func(failed bool) {
		for _, attempt := range attempts {
			attempt.End(failed, s.c.Now())
		}
	}
	for _, b := range buckets {
		attempt, wait := b.limiter.Begin(b.key, s.c.Now())
		if wait > 0 {
			end(false)
			return nil, limit.TooMany(wait)
		}
		attempts = append(attempts, attempt)
	}
	return end, nil
}

// network returns the part of an address that identifies one customer of an internet
// provider: a whole IPv4 address, the first 64 bits of an IPv6 address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		if prefix, err := ip.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

// turns bounds how many passwords are hashed at once, because each takes the memory of its
// [Cost]. It also bounds how many strangers wait.
type turns struct {
	running chan struct{}
	waiting atomic.Int64
}

// waitingForOne is how many strangers may wait for each password that is being hashed. It is
// about three seconds of work.
const waitingForOne = 32

func newTurns(n int) *turns { return &turns{running: make(chan struct{}, n)} }

// take waits for a turn. The caller gives it back with end. If too many wait already, a
// stranger is refused at once with [shared.CodeTooManyAttempts].
func (t *turns) take(ctx context.Context, stranger bool) (end func(), err error) {
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > int64(waitingForOne*cap(t.running)) && stranger {
		return nil, shared.Errorf(shared.CodeTooManyAttempts, "Very many people are signing in right now. Please try again in %d seconds.", 5).
			After(5 * time.Second).Because(errors.New("too many passwords are waiting to be hashed"))
	}
	select {
	case t.running <- struct{}{}:
		return func() { <-t.running }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}
