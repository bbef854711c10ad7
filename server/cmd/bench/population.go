package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// population are the users of an installation, each with two passkeys. Everything of them
// follows from their number, so that a million needs no memory here.
type population struct {
	users int
	keys  []*ecdsa.PrivateKey
}

const (
	sharedKeys  = 64
	batchUsers  = 500
	mostSigned  = 20_000 // users who are signed in already, evenly among all
	sessionLife = 24 * time.Hour
)

func newPopulation(users int) (*population, error) {
	p := &population{users: users}
	for range sharedKeys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

func (p *population) key(user int) *ecdsa.PrivateKey { return p.keys[user%len(p.keys)] }

// handle and credential are as random as real ones, so that they fall anywhere in a tree.
func (p *population) handle(user int) []byte {
	sum := sha512.Sum512(binary.BigEndian.AppendUint64([]byte("handle"), uint64(user)))
	return sum[:]
}

func (p *population) credential(user, which int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("credential"), uint64(2*user+which)))
	return sum[:20]
}

func (p *population) id(user int) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("id"), uint64(user)))
	return fmt.Sprintf("%x", sum[:16])
}

// token is the session's of the n-th user who is signed in. It is as long as real ones, and
// begins with a time of its own as they do.
func (p *population) token(n int) string {
	return fmt.Sprintf("%08d-is-when-this-browser-came-%08d", n, n)
}

func (p *population) signedIn() int { return min(p.users, mostSigned) }

// live writes everybody into a store.
func (p *population) live(ctx context.Context, s store.Store) error {
	now, step := time.Now(), p.users/p.signedIn()
	for first := 0; first < p.users; first += batchUsers {
		var batch store.Batch
		for i := first; i < min(first+batchUsers, p.users); i++ {
			public, err := p.key(i).PublicKey.Bytes()
			if err != nil {
				return err
			}
			user := store.User{
				ID: p.id(i), Name: fmt.Sprintf("user%d@example.com", i), DisplayName: fmt.Sprint("User ", i), Handle: p.handle(i), Created: now,
			}
			for which, name := range []string{"Work laptop", "Phone"} {
				user.Passkeys = append(user.Passkeys, store.Passkey{
					ID: fmt.Sprintf("%x", p.credential(i, which)[:12]), CredentialID: p.credential(i, which), PublicKey: cose(public), Name: name,
					Format: "none", Attachment: "platform", Transports: []string{"internal", "hybrid"}, Flags: flags, Verified: true,
					RPID: rpID, Created: now,
				})
			}
			batch = append(batch, store.PutUser{User: user})
			if n := i / step; i%step == 0 && n < p.signedIn() {
				batch = append(batch, store.AddSession{Session: store.Session{
					ID: store.SessionID(p.token(n)), UserID: user.ID, Method: store.MethodPasskey, PasskeyID: user.Passkeys[0].ID,
					Created: now, Seen: now, Authenticated: now, Expires: now.Add(sessionLife),
				}})
			}
		}
		if err := s.Apply(ctx, batch); err != nil {
			return fmt.Errorf("writing users: %w", err)
		}
	}
	return nil
}

// cose is a P-256 key as a COSE_Key for ES256 (RFC 9053, 7.1.1), of an uncompressed point.
func cose(point []byte) []byte {
	key := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}
	key = append(key, point[1:33]...)
	return append(append(key, 0x22, 0x58, 0x20), point[33:]...)
}
