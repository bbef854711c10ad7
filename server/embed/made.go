package embed

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/store"
)

// Secrets that Keypeg makes itself, where IT has no file of them: those of tenants. They are in the store of the
// program's organisation, sealed.

// madeSecret is such a secret.
type madeSecret struct {
	Sealed string    `json:"sealed"`
	Made   time.Time `json:"made"`
}

// madeSecrets has those of the organisation in one entry, the newest first.
var madeSecrets = store.Collection[[]madeSecret]{Name: "host-secrets"}

// madeSecretName is the name of the key that seals them.
const madeSecretName = "host-secret-key"

// madePrefix lets people and programs that search for secrets see whose secret it is.
const madePrefix = "kph_"

func secretSealer(ctx context.Context, s store.Store) (*seal.Sealer, error) {
	key, err := store.SecretOrNew(ctx, s, madeSecretName, seal.KeySize)
	if err != nil {
		return nil, err
	}
	return seal.New(key, "keypeg host secret 1")
}

// NewSecret makes a secret, which is the first of [MadeSecrets] from now on. The one before is accepted too until the
// next is made, unless the others end now.
func NewSecret(ctx context.Context, s store.Store, now time.Time, endOthers bool) (string, error) {
	sealer, err := secretSealer(ctx, s)
	if err != nil {
		return "", err
	}
	var random [32]byte
	rand.Read(random[:])
	secret := madePrefix + base64.RawURLEncoding.EncodeToString(random[:])
	for attempt := 1; ; attempt++ {
		entry, err := madeSecrets.Get(ctx, s, "", "")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", fmt.Errorf("reading the secrets of the program: %w", err)
		}
		kept := entry.Value[:min(1, len(entry.Value))]
		if endOthers {
			kept = nil
		}
		entry.Value = append([]madeSecret{{sealer.Seal([]byte(secret)), now}}, kept...)
		err = s.Apply(ctx, store.Batch{madeSecrets.Put(entry)})
		switch {
		case err == nil:
			return secret, nil
		case !madeSecrets.Changed(err) || attempt == store.Attempts:
			return "", fmt.Errorf("storing a secret of the program: %w", err)
		}
	}
}

// MadeSecrets returns the secrets that count, the newest first. There may be none yet.
func MadeSecrets(ctx context.Context, s store.Store) (secrets []string, err error) {
	entry, err := madeSecrets.Get(ctx, s, "", "")
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secrets of the program: %w", err)
	}
	sealer, err := secretSealer(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, made := range entry.Value {
		secret, err := sealer.Open(made.Sealed)
		if err != nil {
			return nil, fmt.Errorf("opening a secret of the program: %w", err)
		}
		secrets = append(secrets, string(secret))
	}
	return secrets, nil
}
