// Package limit slows guessing down. A [Limiter] gives each key (an address, an
// account) a bucket of tokens; an attempt that fails costs one, and they grow
// back slowly. Attempts that succeed are free.
//
// Memory is bounded however many keys strangers make up: see [recent.Map]. What
// is forgotten early is a bucket that nobody used for as long as it took a hundred
// thousand others to be used, each of which cost its user an attempt.
package limit

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/shared"
)

// mostBuckets bounds one generation of buckets; two of them are held.
const mostBuckets = 1 << 15

// Limiter counts failed attempts by key. It is safe for concurrent use.
type Limiter struct {
	burst int
	every time.Duration

	mu      sync.Mutex
	seed    maphash.Seed
	buckets *recent.Map[uint64, *bucket]
}

// bucket counts the tokens that failures took, and the attempts whose end isn't
// known yet. Each of those may still take one.
type bucket struct {
	failures *rate.Limiter
	trying   int
}

// New returns a Limiter that lets burst attempts fail at once, and then one more
// every so often.
func New(burst int, every time.Duration) *Limiter {
	return &Limiter{
		burst: burst, every: every, seed: maphash.MakeSeed(),
		// A bucket that wasn't used for this long is full again.
		buckets: recent.NewMap[uint64, *bucket](time.Duration(burst)*every, mostBuckets),
	}
}

// Attempt is one that may be made. [Attempt.End] it.
type Attempt struct {
	limiter *Limiter
	bucket  *bucket
}

// Begin starts an attempt. Where none may be made it returns after what time one
// may, which is more than zero; then there is nothing to end.
func (l *Limiter) Begin(key string, now time.Time) (Attempt, time.Duration) {
	// Keys are long, and strangers choose them. A hash with a random seed is short,
	// and nobody can aim at somebody else's bucket.
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

// TooMany is the refusal of an attempt that may be made after a while.
func TooMany(wait time.Duration) error {
	seconds := int((wait + time.Second - 1) / time.Second)
	return shared.Errorf(shared.CodeTooManyAttempts, "Too many attempts. Please try again in %d seconds.", seconds).After(wait)
}

// End tells how the attempt went.
func (a Attempt) End(failed bool, now time.Time) {
	a.limiter.mu.Lock()
	defer a.limiter.mu.Unlock()
	a.bucket.trying--
	if failed {
		a.bucket.failures.AllowN(now, 1)
	}
}
