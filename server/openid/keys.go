package openid

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/store"
)

// Keys sign tokens. The private keys are sealed in the store, so that all nodes sign with the same ones. A new
// key is published some minutes before it signs, and an old one stays published until nothing that it has
// signed is in use: so no program meets a token whose key it can't have. It is safe for concurrent use.
type Keys struct {
	store store.Store
	now   store.Clock
	seal  *seal.Sealer

	mu   sync.Mutex
	read time.Time
	keys []key

	reading sync.Mutex // held while the keys are read or made: a key takes long, and many tokens may wait for the first one
}

const (
	// lead is how long a new key is published before it signs. Programs look for a key that they don't know,
	// but not all at once.
	lead = 10 * time.Minute
	// overlap is how long an old key stays published after it has signed for the last time.
	overlap = 7 * 24 * time.Hour
	// rereads is how often a node looks for new keys. It is much shorter than lead.
	rereads = 30 * time.Second
	// bitsRSA is the size of a key for RS256. 2048 bits are what every library takes.
	bitsRSA = 2048
	// mostKeys bounds the record.
	mostKeys = 16
)

// storedKey is a key as the store has it.
type storedKey struct {
	ID        string    `json:"kid"`
	Algorithm Algorithm `json:"alg"`
	Sealed    string    `json:"sealed"` // PKCS #8
	Signs     time.Time `json:"signs"`  // from when on
	Until     time.Time `json:"until,omitzero"`
}

// keyRing has all keys of the organisation in one record, so that a change is one write.
var keyRing = store.Collection[[]storedKey]{Name: "openid-keys"}

// key is a key in memory.
type key struct {
	storedKey
	private crypto.Signer
	signers map[string]jose.Signer // by the type of token
}

// secretKeys is the name of the key that seals the private keys.
const secretKeys = "openid-key"

// NewKeys returns Keys. It makes none before they are needed.
func NewKeys(ctx context.Context, s store.Store, now store.Clock) (*Keys, error) {
	secret, err := store.SecretOrNew(ctx, s, secretKeys, seal.KeySize)
	if err != nil {
		return nil, err
	}
	sealer, err := seal.New(secret, "keypeg openid key 1")
	return &Keys{store: s, now: now, seal: sealer}, err
}

// Sign signs a token of a type (RFC 7515, 4.1.9), such as "at+jwt" or "", whose claims are JSON.
func (k *Keys) Sign(ctx context.Context, algorithm Algorithm, kind string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("openid: encoding claims: %w", err)
	}
	signing, err := k.signing(ctx, algorithm)
	if err != nil {
		return "", err
	}
	signer, err := k.signer(signing, kind)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("openid: signing: %w", err)
	}
	return signed.CompactSerialize()
}

// signer returns what signs with a key. It has the key's id in each header.
func (k *Keys) signer(with key, kind string) (jose.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if signer, made := with.signers[kind]; made {
		return signer, nil
	}
	options := &jose.SignerOptions{}
	if kind != "" {
		options.WithType(jose.ContentType(kind))
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(with.Algorithm), Key: jose.JSONWebKey{Key: with.private, KeyID: with.ID},
	}, options)
	if err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	with.signers[kind] = signer
	return signer, nil
}

// signing returns the key of an algorithm that signs now: the newest one that has been published long enough. A node whose
// clock is behind may have none yet, just after another node has made the only ones: then it is the oldest.
func (k *Keys) signing(ctx context.Context, algorithm Algorithm) (key, error) {
	keys, err := k.all(ctx)
	if err != nil {
		return key{}, err
	}
	now, oldest := k.now(), key{}
	for _, candidate := range slices.Backward(keys) {
		if candidate.Algorithm != algorithm || !candidate.isPublished(now) {
			continue
		}
		if !candidate.Signs.After(now) {
			return candidate, nil
		}
		oldest = candidate
	}
	if oldest.private != nil {
		return oldest, nil
	}
	return key{}, fmt.Errorf("openid: there is no key for %s", algorithm)
}

func (k storedKey) isPublished(now time.Time) bool { return k.Until.IsZero() || now.Before(k.Until) }

// Published returns the public keys, as programs get them.
func (k *Keys) Published(ctx context.Context) (jose.JSONWebKeySet, error) {
	keys, err := k.all(ctx)
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, each := range keys {
		if each.isPublished(k.now()) {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: each.private.Public(), KeyID: each.ID, Algorithm: string(each.Algorithm), Use: "sig"})
		}
	}
	return set, err
}

// KeyInfo is what IT may know of a key.
type KeyInfo struct {
	ID        string    `json:"kid"`
	Algorithm Algorithm `json:"alg"`
	Signs     time.Time `json:"signs"`          // from when on
	Until     time.Time `json:"until,omitzero"` // when it is published no more; zero for no end yet
}

// List returns all keys, the oldest first.
func (k *Keys) List(ctx context.Context) ([]KeyInfo, error) {
	keys, err := k.all(ctx)
	list := make([]KeyInfo, len(keys))
	for i, each := range keys {
		list[i] = KeyInfo{each.ID, each.Algorithm, each.Signs, each.Until}
	}
	return list, err
}

// errUnsigned is the error for a token that none of our keys has signed.
var errUnsigned = errors.New("no key of ours has signed it")

// errOldKey is the same for a token that one may have signed which isn't kept any more.
var errOldKey = fmt.Errorf("%w that is still kept", errUnsigned)

// Verify returns the payload of a token of a type that one of our keys has signed, also an old one.
func (k *Keys) Verify(ctx context.Context, token, kind string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsigned, err)
	}
	header := signed.Signatures[0].Protected
	keys, err := k.all(ctx)
	if err != nil {
		return nil, err
	}
	if sent, _ := header.ExtraHeaders[jose.HeaderType].(string); sent != kind {
		return nil, fmt.Errorf("%w as %q: its type is %q", errUnsigned, kind, sent)
	}
	for _, each := range keys {
		if each.ID == header.KeyID && string(each.Algorithm) == header.Algorithm {
			payload, err := signed.Verify(each.private.Public())
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errUnsigned, err)
			}
			return payload, nil
		}
	}
	return nil, errOldKey
}

// all returns the keys, the oldest first. If there are none yet, it makes one for each algorithm.
func (k *Keys) all(ctx context.Context) ([]key, error) {
	if keys, fresh := k.inMemory(); fresh {
		return keys, nil
	}
	k.reading.Lock()
	defer k.reading.Unlock()
	if keys, fresh := k.inMemory(); fresh {
		return keys, nil // another request was faster
	}
	for {
		ring, err := keyRing.Get(ctx, k.store, "", "")
		if errors.Is(err, store.ErrNotFound) {
			err = k.begin(ctx)
			if err == nil || keyRing.Changed(err) {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("openid: reading the keys: %w", err)
		}
		return k.keep(ring.Value)
	}
}

// inMemory returns the keys that were read a moment ago, if they were.
func (k *Keys) inMemory() (keys []key, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.read)
	return k.keys, len(k.keys) > 0 && age >= 0 && age < rereads
}

// keep opens the keys that aren't in memory, and keeps them there.
func (k *Keys) keep(ring []storedKey) ([]key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := make([]key, len(ring))
	for i, stored := range ring {
		at := slices.IndexFunc(k.keys, func(known key) bool { return known.ID == stored.ID })
		if at >= 0 {
			keys[i] = k.keys[at]
			keys[i].storedKey = stored
			continue
		}
		private, err := k.open(stored)
		if err != nil {
			return nil, err
		}
		keys[i] = key{stored, private, map[string]jose.Signer{}}
	}
	k.keys, k.read = keys, k.now()
	return keys, nil
}

func (k *Keys) open(stored storedKey) (crypto.Signer, error) {
	plain, err := k.seal.Open(stored.Sealed)
	if err != nil {
		return nil, fmt.Errorf("openid: the key %s %w", stored.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, fmt.Errorf("openid: the key %s: %w", stored.ID, err)
	}
	private, is := parsed.(crypto.Signer)
	if !is {
		return nil, fmt.Errorf("openid: the key %s can't sign", stored.ID)
	}
	return private, nil
}

// halfHash is the value of at_hash (OpenID Connect Core 1.0, 3.1.3.6). Both algorithms hash with SHA-256.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
