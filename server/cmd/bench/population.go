package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// population is the users of an installation, most of them with two passkeys: see people.go. All
// about a user follows from the user's number, so that a million users take no memory here.
type population struct {
	users int
	keys  []*ecdsa.PrivateKey
	began time.Time // of the benchmark
}

// mostSessions is how many users have a session from the beginning.
const mostSessions = 20_000

// newKeys makes a few keys, which all users share. No server can notice that. They are the same in
// each run.
func newKeys() ([]*ecdsa.PrivateKey, error) {
	keys := make([]*ecdsa.PrivateKey, 64)
	for i := range keys {
		number := sha256.Sum256(fmt.Append(nil, "key", i))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), number[:])
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}

func (p population) key(user int) *ecdsa.PrivateKey { return p.keys[user%len(p.keys)] }

// rawID, handle and credential are as random as real ones, so that they lie anywhere in a tree.
func rawID(user int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, "id", user))
	return sum[:16]
}

func handle(user int) []byte {
	sum := sha512.Sum512(fmt.Append(nil, "handle", user))
	return sum[:]
}

func credential(user, which int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, "credential", user, which))
	return sum[:20]
}

func (p population) sessions() int { return min(p.users, mostSessions) }

// every tells which users have a session from the beginning: each whose number it divides,
// up to mostSessions, if they can sign in.
func (p population) every() int { return p.users / p.sessions() }

// token belongs to the session that a user has from the beginning. It is like a real one: the
// user's id, and 128 random bits.
func token(user int) string {
	random := sha256.Sum256(fmt.Append(nil, "token", user))
	return base64.RawURLEncoding.EncodeToString(append(rawID(user), random[:16]...))
}

func cookie(user int) string { return "keypeg=" + token(user) }

// any returns some user who has a passkey and may sign in, of those whose number step divides.
func (p population) any(step int) int {
	for {
		if user := mathrand.IntN(p.users/step) * step; hasPasskey(user) && kind(user) != disabled {
			return user
		}
	}
}

func (p population) anySession() string { return cookie(p.any(p.every())) }

// anyAnswer is what a device with the first passkey of some user answers.
func (p population) anyAnswer(a *passkeytest.Answer) {
	user := p.any(1)
	a.Key, a.CredentialID, a.UserHandle = p.key(user), credential(user, 0), handle(user)
}

// newDevice returns a device that has a passkey, which anyAnswer replaces.
func newDevice(origin string) (*passkeytest.Device, error) {
	device := passkeytest.New(origin)
	_, err := device.Create([]byte(`{"rp": {"id": "localhost"}, "user": {"id": "AA"}, "challenge": "AA", "authenticatorSelection": {"residentKey": "required"}}`))
	return device, err
}

// fill writes all users into a store.
func (p population) fill(s store.Store) error {
	const atOnce = 20_000 // a million users are written in minutes
	var batch store.Batch
	for i := range p.users {
		user, err := p.user(i)
		if err != nil {
			return err
		}
		batch = append(batch, store.PutUser{User: user})
		if !user.LastSignIn.IsZero() {
			event := store.NewEvent(user.LastSignIn, user.ID, shared.EventSignedIn, store.Client{Browser: "Chrome", System: "Windows", Address: "127.0.0.1"})
			event.Method = store.MethodPasskey
			batch = append(batch, store.AddEvent{Event: event})
		}
		if i%(p.users/rareEvents) == 0 {
			event := store.NewEvent(p.signedIn(i).Add(time.Second), user.ID, shared.EventRecoveryLinkMade, store.Client{Address: "192.0.2.2"})
			batch = append(batch, store.AddEvent{Event: event})
		}
		if i%p.every() == 0 && i/p.every() < p.sessions() && hasPasskey(i) {
			batch = append(batch, store.AddSession{Session: store.Session{
				ID: store.SessionID(token(i)), UserID: user.ID, Method: store.MethodPasskey, PasskeyID: user.Passkeys[0].ID,
				Created: time.Now(), Seen: time.Now(), Authenticated: time.Now(), Expires: time.Now().Add(24 * time.Hour),
			}})
		}
		if (i+1)%atOnce == 0 || i+1 == p.users {
			if err := s.Apply(context.Background(), batch); err != nil {
				return fmt.Errorf("writing users: %w", err)
			}
			batch = nil
		}
	}
	return nil
}
