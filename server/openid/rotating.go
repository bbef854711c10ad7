package openid

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// begin writes the first keys, which sign at once. It fails with [*store.ItemChanged] if another node was faster.
func (k *Keys) begin(ctx context.Context) error {
	var ring []storedKey
	for _, algorithm := range []Algorithm{RS256, ES256} {
		made, err := k.newKey(algorithm, k.now())
		if err != nil {
			return err
		}
		ring = append(ring, made)
	}
	return k.store.Apply(ctx, store.Batch{keyRing.Put(store.Entry[[]storedKey]{Value: ring})})
}

func (k *Keys) newKey(algorithm Algorithm, signs time.Time) (made storedKey, err error) {
	var private crypto.Signer
	if algorithm == RS256 {
		private, err = rsa.GenerateKey(rand.Reader, bitsRSA)
	} else {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return made, fmt.Errorf("openid: making a key: %w", err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return made, fmt.Errorf("openid: encoding a key: %w", err)
	}
	print, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return made, fmt.Errorf("openid: naming a key: %w", err)
	}
	return storedKey{
		ID: base64.RawURLEncoding.EncodeToString(print), Algorithm: algorithm, // the key's id is its thumbprint (RFC 7638)
		Sealed: k.seal.Seal(plain), Signs: signs.UTC(),
	}, nil
}

// Rotate makes a new key for each algorithm. If it isn't at once, each signs in [lead], and the old ones stay
// published for [overlap] more. At once is for keys that somebody else may have: the old ones sign nothing any
// more, and nothing that they have signed is taken.
func (k *Keys) Rotate(ctx context.Context, atOnce bool) error {
	for {
		if _, err := k.all(ctx); err != nil { // there are keys from here on
			return err
		}
		ring, err := keyRing.Get(ctx, k.store, "", "")
		if err != nil {
			return fmt.Errorf("openid: reading the keys: %w", err)
		}
		ring.Value, err = k.rotated(ring.Value, atOnce)
		if err != nil {
			return err
		}
		event := store.NewEvent(k.now(), store.Organisation, shared.EventKeysRotated, store.Client{})
		err = k.store.Apply(ctx, store.Batch{keyRing.Put(ring), store.AddEvent{Event: event}})
		if keyRing.Changed(err) {
			continue
		}
		k.mu.Lock()
		k.read = time.Time{}
		k.mu.Unlock()
		return err
	}
}

func (k *Keys) rotated(ring []storedKey, atOnce bool) (rotated []storedKey, err error) {
	now := k.now().UTC()
	signs, until := now.Add(lead), now.Add(lead+overlap)
	if atOnce {
		signs, until = now, now
	}
	for _, old := range ring {
		if !atOnce && old.isPublished(now) && (old.Until.IsZero() || old.Until.After(until)) {
			old.Until = until
		}
		if old.isPublished(now) && !atOnce {
			rotated = append(rotated, old)
		}
	}
	if len(rotated) > mostKeys-2 {
		return nil, errors.New("the keys were rotated so often that too many are published: wait a week, or rotate them at once")
	}
	for _, algorithm := range []Algorithm{RS256, ES256} {
		made, err := k.newKey(algorithm, signs)
		if err != nil {
			return nil, err
		}
		rotated = append(rotated, made)
	}
	return rotated, nil
}
