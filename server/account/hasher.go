package account

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
)

// Hasher bounds what hashing passwords takes of a process, however many
// organisations it serves: so many at once, each with the memory of its [Cost],
// and so many strangers who wait. It is safe for concurrent use.
type Hasher struct {
	cost   Cost
	turns  *turns
	nobody string // a hash that no password has
}

// NewHasher returns a Hasher. Zero means what it means in [Config].
func NewHasher(cost Cost, atOnce int) *Hasher {
	setDefault(&cost, DefaultCost)
	setDefault(&atOnce, max(1, runtime.NumCPU()/int(cost.Threads)))
	return &Hasher{cost: cost, turns: newTurns(atOnce), nobody: nobodysHash(cost)}
}

// evenOut does the rest of today's work after a hash was verified that is cheaper: of an
// account whose user hasn't signed in since the cost was raised. Else a stranger could
// tell it by the time from a name that nobody has. What a hash costs grows with its
// memory, as often as it is passed over. One that is dearer can't be hidden.
func (h *Hasher) evenOut(done *argon2id.Params) {
	rest := int64(h.cost.MemoryKiB)*int64(h.cost.Time) - int64(done.Memory)*int64(done.Iterations)
	if rest > 0 {
		argon2.IDKey(nil, make([]byte, 16), h.cost.Time, uint32(rest/int64(h.cost.Time)), h.cost.Threads, 32)
	}
}

// nobodysHash is verified when there is no user, so that a stranger can't tell by the
// time it takes. It is made of random bytes: no password is known that has it, and
// nothing is hashed at the start.
func nobodysHash(c Cost) string {
	p := c.params()
	random := make([]byte, p.SaltLength+p.KeyLength)
	rand.Read(random)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.Memory, p.Iterations, p.Parallelism, encode(random[:p.SaltLength]), encode(random[p.SaltLength:]))
}
