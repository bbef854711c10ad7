package account

import (
	"crypto/rand"
	"runtime"

	"github.com/alexedwards/argon2id"
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

// nobodysHash is verified when there is no user, so that a stranger can't tell
// by the time it takes. Making it from random bytes costs one hash at the start.
func nobodysHash(c Cost) string {
	hash, err := argon2id.CreateHash(rand.Text(), c.params())
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return hash
}
