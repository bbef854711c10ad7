package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
)

// population is the users of an installation, each with two passkeys. All about a user follows
// from the user's number, so that a million users take no memory here.
type population struct {
	users int
	keys  []*ecdsa.PrivateKey
}

// mostSessions is how many users have a session from the beginning.
const mostSessions = 20_000

// newKeys makes a few keys, which all users share. No server can notice that.
func newKeys() ([]*ecdsa.PrivateKey, error) {
	keys := make([]*ecdsa.PrivateKey, 64)
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
// up to mostSessions.
func (p population) every() int { return p.users / p.sessions() }

// token belongs to the session that a user has from the beginning. It is like a real one: the
// user's id, and 128 random bits.
func token(user int) string {
	random := sha256.Sum256(fmt.Append(nil, "token", user))
	return base64.RawURLEncoding.EncodeToString(append(rawID(user), random[:16]...))
}

func (p population) anySession() string {
	return "keypeg=" + token(mathrand.IntN(p.sessions())*p.every())
}

// anyAnswer is what a device with the first passkey of some user answers.
func (p population) anyAnswer(a *passkeytest.Answer) {
	user := mathrand.IntN(p.users)
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
	const atOnce = 500
	var batch store.Batch
	for i := range p.users {
		user, err := p.user(i)
		if err != nil {
			return err
		}
		batch = append(batch, store.PutUser{User: user})
		if i%p.every() == 0 && i/p.every() < p.sessions() {
			batch = append(batch, store.AddSession{Session: store.Session{
				ID: store.SessionID(token(i)), UserID: user.ID, Method: store.MethodPasskey, PasskeyID: user.Passkeys[0].ID,
				Created: user.Created, Seen: user.Created, Authenticated: user.Created, Expires: user.Created.Add(24 * time.Hour),
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

func (p population) user(i int) (store.User, error) {
	point, err := p.key(i).PublicKey.Bytes() // 4, x, y
	if err != nil {
		return store.User{}, err
	}
	now := time.Now()
	user := store.User{
		ID: hex.EncodeToString(rawID(i)), Name: fmt.Sprintf("user%d@example.com", i), DisplayName: fmt.Sprint("User ", i), Handle: handle(i), Created: now,
	}
	for which, name := range []string{"Work laptop", "Phone"} {
		user.Passkeys = append(user.Passkeys, store.Passkey{
			ID: fmt.Sprintf("%x", credential(i, which)[:12]), CredentialID: credential(i, which), Name: name,
			PublicKey: passkeytest.CoseEC2(passkeytest.ES256, 1, point[1:33], point[33:]), Format: "none", Attachment: "platform", Transports: []string{"internal", "hybrid"},
			Flags: passkeytest.FlagUserPresent | passkeytest.FlagUserVerified, Verified: true, RPID: "localhost", Created: now,
		})
	}
	return user, nil
}
