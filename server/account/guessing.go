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

// Passwords can be guessed, so guessing is slow: a failed attempt costs a token of
// the account's bucket and one of the address's, and passwords are hashed a few at
// a time. Both are made so that a stranger who guesses, or floods, keeps nobody
// out: a browser in which the user signed in before has a bucket of its own and
// waits in any queue, and passkeys know no limit, because they can't be guessed.

// Wrong passwords that may come at once, and after what time one more may.
const (
	guessesPerAccount = 10 // and 1,450 a day
	accountRecovers   = time.Minute
	guessesPerAddress = 50 // an office may be behind one
	addressRecovers   = 5 * time.Second

	wrongCodesPerAccount = 100 // recovery codes, which can't be guessed
	wrongCodesRecover    = 10 * time.Second
)

// guesses holds the buckets of one node. A restart refills them.
type guesses struct {
	accounts  *limit.Limiter // by user name, of somebody or nobody
	addresses *limit.Limiter // by network
	browsers  *limit.Limiter // by known browser
	sessions  *limit.Limiter // by user id, confirming
	codes     *limit.Limiter // by user name, of somebody or nobody: wrong recovery codes
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

// ofSignIn are the buckets that a wrong password at sign-in costs. Whether anybody
// has the name makes no difference.
func (g guesses) ofSignIn(who session.Actor, in PasswordSignIn) []bucket {
	if in.Known != "" {
		return []bucket{{g.browsers, in.Known}}
	}
	buckets := []bucket{{g.addresses, network(who.Client.Address)}}
	if name, err := CanonicalName(in.Name); err == nil {
		buckets = append(buckets, bucket{g.accounts, name})
	}
	return buckets
}

// ofRecovery is the bucket that must have room before a recovery code is looked at. A
// browser in which the user signed in before has its own.
func (g guesses) ofRecovery(who session.Actor, in RecoverySignIn) []bucket {
	if in.Known != "" {
		return []bucket{{g.addresses, "browser " + in.Known}}
	}
	return []bucket{{g.addresses, network(who.Client.Address)}}
}

// ofWrongCode is the bucket that a code costs which turned out to be wrong. When it is
// empty, wrong codes are refused as too many, and the user is told no more of them.
func (g guesses) ofWrongCode(in RecoverySignIn) []bucket {
	name, err := CanonicalName(in.Name)
	if in.Known != "" || err != nil {
		return nil
	}
	return []bucket{{g.codes, name}}
}

// ofConfirmation is the bucket of a signed-in user: strangers can't empty it.
func (g guesses) ofConfirmation(user store.User) []bucket {
	return []bucket{{g.sessions, user.ID}}
}

// mayGuess starts an attempt in all buckets, or refuses it in all with
// [shared.CodeTooManyAttempts]. The attempt ends with end.
func (s *Service) mayGuess(buckets []bucket) (end func(failed bool), err error) {
	var attempts []limit.Attempt
	end = func(failed bool) {
		for _, attempt := range attempts {
			attempt.End(failed, s.Now())
		}
	}
	for _, b := range buckets {
		attempt, wait := b.limiter.Begin(b.key, s.Now())
		if wait > 0 {
			end(false)
			return nil, limit.TooMany(wait)
		}
		attempts = append(attempts, attempt)
	}
	return end, nil
}

// network is the part of an address that one customer of a provider has: all of
// an IPv4 address, the first 64 bits of an IPv6 one.
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

// turns bounds how many passwords are hashed at once, since each takes the memory
// of its [Cost], and how many strangers wait for it.
type turns struct {
	running chan struct{}
	waiting atomic.Int64
}

// waitingForOne is how many strangers may wait for each of those that run: about
// three seconds' work.
const waitingForOne = 32

func newTurns(n int) *turns { return &turns{running: make(chan struct{}, n)} }

// take waits for a turn; end gives it back. A stranger who finds too many waiting
// is refused at once with [shared.CodeTooManyAttempts].
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
