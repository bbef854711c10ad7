package federation

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// keySet has the keys of an issuer. If none of them made a signature, it fetches the keys
// again, because the issuer may have a new one (OpenID Connect Core 1.0, 10.1.1).
type keySet struct {
	fetch func(context.Context) (document, error)

	mu   sync.Mutex
	keys []jose.JSONWebKey
}

// errSignature is the error for a token that no key of the provider has signed.
var errSignature = errors.New("no key of the provider has signed it")

// verify returns the payload of a signed token. The caller must check its algorithm.
func (s *keySet) verify(ctx context.Context, token string) (payload []byte, err error) {
	allowed := make([]jose.SignatureAlgorithm, len(algorithms))
	for i, a := range algorithms {
		allowed[i] = jose.SignatureAlgorithm(a)
	}
	signed, err := jose.ParseSignedCompact(token, allowed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSignature, err)
	}
	s.mu.Lock()
	known := s.keys
	s.mu.Unlock()
	if payload, is := verifyWith(known, signed); is {
		return payload, nil
	}
	known, err = s.renew(ctx)
	if err != nil {
		return nil, err
	}
	if payload, is := verifyWith(known, signed); is {
		return payload, nil
	}
	return nil, errSignature
}

// renew fetches the keys.
func (s *keySet) renew(ctx context.Context) ([]jose.JSONWebKey, error) {
	document, err := s.fetch(ctx)
	if e, is := errors.AsType[*statusError](err); is && !e.passes() {
		return nil, mend(fmt.Errorf("the provider's keys: %w", err), "the provider itself must be mended: tell those who run it")
	}
	if err != nil {
		return nil, fmt.Errorf("the provider's keys: %w", err)
	}
	keys := readKeys(document.body)
	if len(keys) == 0 {
		return nil, mend(errors.New("the provider has no key that we can read"), "let the provider sign ID tokens with ES256, or with RS256 and a key of %d to %d bits", leastRSA, jose.MaxRSAModulusBits)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
	return keys, nil
}

// verifyWith tries the keys that may have made the signature. A key without an id may be
// any of them, and several keys may have the same id.
func verifyWith(keys []jose.JSONWebKey, signed *jose.JSONWebSignature) (payload []byte, is bool) {
	header := signed.Signatures[0].Header
	for _, key := range keys {
		if header.KeyID != "" && key.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// leastRSA is the shortest modulus that is accepted, in bits (RFC 7518, 3.3). The library
// reads no modulus over [jose.MaxRSAModulusBits], because checking a signature would take
// too long.
const leastRSA = 2048

// readKeys reads the public keys of a JWK Set that may sign. It ignores keys that can't be
// read and keys for another use (RFC 7517, 5).
func readKeys(set []byte) (keys []jose.JSONWebKey) {
	var all struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(set, &all) != nil {
		return nil
	}
	for _, raw := range all.Keys {
		var jwk members
		if json.Unmarshal(raw, &jwk) != nil {
			continue
		}
		if use := jwk.text("use"); use != "" && use != "sig" {
			continue
		}
		if uses := jwk.texts("key_ops"); len(uses) > 0 && !slices.Contains(uses, "verify") {
			continue
		}
		var key jose.JSONWebKey
		if bare, err := json.Marshal(jwk.keyAlone()); err != nil || json.Unmarshal(bare, &key) != nil || !key.IsPublic() || !key.Valid() {
			continue
		}
		if public, is := key.Key.(*rsa.PublicKey); is && public.N.BitLen() < leastRSA {
			continue
		}
		key.KeyID, key.Algorithm = jwk.text("kid"), jwk.text("alg")
		keys = append(keys, key)
	}
	return keys
}

// keyAlone returns only the members that are the key itself. The library would refuse a key
// because of a certificate in it, which isn't used here.
func (m members) keyAlone() members {
	alone := members{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if m.has(name) {
			alone[name] = m[name]
		}
	}
	return alone
}
