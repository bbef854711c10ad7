// Package limit slows guessing down. A [Limiter] has a bucket of tokens for each key, such
// as an address or an account. A failed attempt takes a token, and tokens come back slowly.
// Successful attempts are free.
//
// The memory is bounded, however many keys strangers make up: see [recent.Map]. A bucket is
// forgotten early only if it wasn't used while a hundred thousand others were used, and
// each of those cost an attempt.
package limit

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/shared"
)

// mostBuckets bounds one generation of buckets; two generations are in memory.
const mostBuckets = 1 << 15

// Limiter counts failed attempts by key. It is safe for concurrent use.
type Limiter struct {
	burst int
	every time.Duration

	mu      sync.Mutex
	seed    maphash.Seed
	buckets *recent.Map[uint64, *bucket]
}

// bucket counts the tokens that failures took, and the attempts that haven't ended. Each of
// those may still take one.
type bucket struct {
	failures *rate.Limiter
	trying   int
}

// New returns a Limiter that allows burst failed attempts at once, and one more after each
// time of every.
func New(burst int, every time.Duration) *Limiter {
	return &Limiter{
		burst: burst, every: every, seed: maphash.MakeSeed(),
		// A bucket that wasn't used for this long is full again.
		buckets: recent.NewMap[uint64, *bucket](time.Duration(burst)*every, mostBuckets),
	}
}

// Attempt is an attempt that has begun. The caller must call [Attempt.End].
type Attempt struct {
	limiter *Limiter
	bucket  *bucket
}

// Begin starts an attempt. If none is allowed now, it returns after what time one is
// allowed, which is more than zero. Then there is no attempt to end.
func (l *Limiter) Begin(key string, now time.Time) (Attempt, time.Duration) {
	// Keys are long, and strangers choose them. A hash with a random seed is short, and
	// nobody can choose a key that shares the bucket of another user.
	hash := maphash.String(l.seed, key)

	l.mu.Lock()
	defer l.mu.Unlock()
	b, found := l.buckets.Get(hash, now)
	if !found {
		b = &bucket{failures: rate.NewLimiter(rate.Every(l.every), l.burst)}
		l.buckets.Put(hash, b, now)
	}
	if missing := 1 - (b.failures.TokensAt(now) - float64(b.trying)); missing > 0 {
		return Attempt{}, max(time.Duration(missing*float64(l.every)).Round(time.Millisecond), time.Millisecond)
	}
	b.trying++
	return Attempt{l, b}, 0
}

// TooMany is the refusal of an attempt that is allowed after a while.
func TooMany(wait time.Duration) error {
	seconds := int((wait + time.Second - 1) / time.Second)
	return shared.Errorf(shared.CodeTooManyAttempts, "Too many attempts. Please try again in %d seconds.", seconds).After(wait)
}

// End ends the attempt. A failed one takes a token.
func (a Attempt) End(failed bool, now time.Time) {
	a.limiter.mu.Lock()
	defer a.limiter.mu.Unlock()
	a.bucket.trying--
	if failed {
		a.bucket.failures.AllowN(now, 1)
	}
}
