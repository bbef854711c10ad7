package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Secrets are values that an installation generated for itself, such as keys. Their owner is
// "", and they never expire.
var Secrets = Collection[[]byte]{Name: "secret"}

// Secret returns a secret. It fails with [ErrNotFound].
func Secret(ctx context.Context, s Store, name string) ([]byte, error) {
	secret, err := Secrets.Get(ctx, s, "", name)
	return secret.Value, err
}

// SecretOrNew returns a secret. If there is none yet, it generates one of n random bytes. If
// several nodes do so at the same time, the first write wins, and all return the same secret.
func SecretOrNew(ctx context.Context, s Store, name string, n int) ([]byte, error) {
	secret, err := Secret(ctx, s, name)
	if !errors.Is(err, ErrNotFound) {
		return secret, err
	}

	secret = make([]byte, n)
	rand.Read(secret)
	err = s.Apply(ctx, Batch{Secrets.Put(Entry[[]byte]{Key: name, Value: secret})})
	if Secrets.Changed(err) {
		return Secret(ctx, s, name)
	}
	if err != nil {
		return nil, fmt.Errorf("storing the secret %s: %w", name, err)
	}
	return secret, nil
}
