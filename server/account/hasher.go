package account

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
)

// Hasher bounds the memory and the time that a process spends on hashing passwords, however
// many organisations it serves. It limits how many passwords are hashed at once, each with
// the memory of its [Cost], and how many strangers wait. It is safe for concurrent use.
type Hasher struct {
	cost   Cost
	turns  *turns
	nobody string // a hash that no password has
}

// NewHasher returns a Hasher. Zero values mean the defaults of [Config].
func NewHasher(cost Cost, atOnce int) *Hasher {
	setDefault(&cost, DefaultCost)
	setDefault(&atOnce, max(1, runtime.NumCPU()/int(cost.Threads)))
	return &Hasher{cost: cost, turns: newTurns(atOnce), nobody: nobodysHash(cost)}
}

// evenOut does the rest of today's work after a cheaper hash was verified. Such a hash
// belongs to a user who hasn't signed in since the cost was raised. Without this a stranger
// could tell by the time that the account exists. The work of a hash is its memory
// multiplied by its passes. A hash that costs more than today's can't be hidden.
func (h *Hasher) evenOut(done *argon2id.Params) {
	rest := int64(h.cost.MemoryKiB)*int64(h.cost.Time) - int64(done.Memory)*int64(done.Iterations)
	if rest > 0 {
		argon2.IDKey(nil, make([]byte, 16), h.cost.Time, uint32(rest/int64(h.cost.Time)), h.cost.Threads, 32)
	}
}

// nobodysHash is verified when there is no user, so that the answer takes the same time. It
// is made of random bytes, so no known password has it, and the start of the program hashes
// nothing.
func nobodysHash(c Cost) string {
	p := c.params()
	random := make([]byte, p.SaltLength+p.KeyLength)
	rand.Read(random)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.Memory, p.Iterations, p.Parallelism, encode(random[:p.SaltLength]), encode(random[p.SaltLength:]))
}
