package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/internal/strictjson"
)

// Limits of the keys of a client. The time that a check of a signature takes grows with the length of the key.
const (
	MostKeysLength = 32 << 10 // of the whole set, in bytes
	mostClientKeys = 10
	leastRSA       = 2048 // bits
	mostRSA        = 4096
)

// privateMembers are those of a JSON Web Key that nobody else may know (RFC 7518, 6.2.2, 6.3.2 and 6.4).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// canonicalKeys returns a JSON Web Key Set with nothing but public keys that can sign here: RSA of 2048 to 4096 bits, and
// ECDSA on P-256. Its errors are for IT, and have nothing of the keys.
func canonicalKeys(written []byte) (json.RawMessage, error) {
	if len(written) > MostKeysLength {
		return nil, fmt.Errorf("they have %d bytes: write at most %d", len(written), MostKeysLength)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.Unmarshal(written, &set); err != nil {
		return nil, errors.New(`they are no JSON Web Key Set: write {"keys": [...]}`)
	}
	if n := len(set.Keys); n == 0 || n > mostClientKeys {
		return nil, fmt.Errorf("there are %d keys: write 1 to %d", n, mostClientKeys)
	}
	var clean jose.JSONWebKeySet
	for i, text := range set.Keys {
		key, err := canonicalKey(text)
		if err == nil && key.KeyID != "" && len(clean.Key(key.KeyID)) > 0 {
			err = errors.New("has the kid of another one: give each a kid of its own")
		}
		if err != nil {
			return nil, fmt.Errorf("the key number %d %w", i+1, err)
		}
		clean.Keys = append(clean.Keys, key)
	}
	return json.Marshal(clean)
}

func canonicalKey(text []byte) (key jose.JSONWebKey, err error) {
	var members map[string]json.RawMessage
	if err := strictjson.Unmarshal(text, &members); err != nil {
		return key, errors.New("is no JSON Web Key")
	}
	for _, private := range privateMembers {
		if _, has := members[private]; has {
			return key, errors.New("is a private key: write the public key only, and make a new pair, because this one has left its program")
		}
	}
	if err := json.Unmarshal(text, &key); err != nil || !key.Valid() || !key.IsPublic() {
		return key, errors.New("is none that can be read: write an RSA key of at most 4096 bits, or an EC key on P-256")
	}
	var algorithms []string
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		algorithms = []string{string(jose.RS256), string(jose.PS256)}
		if bits := public.N.BitLen(); bits < leastRSA || bits > mostRSA || public.E < 3 || public.E%2 == 0 {
			return key, fmt.Errorf("is an RSA key of %d bits with the exponent %d: make one of %d to %d bits, with the exponent 65537", bits, public.E, leastRSA, mostRSA)
		}
	case *ecdsa.PublicKey:
		algorithms = []string{string(jose.ES256)}
		if public.Curve != elliptic.P256() {
			return key, fmt.Errorf("is on the curve %s: make one on P-256", public.Params().Name)
		}
	default:
		return key, errors.New("is neither RSA nor EC: make an EC key on P-256")
	}
	switch {
	case key.Use != "" && key.Use != "sig":
		return key, errors.New(`isn't for signatures: write "use": "sig"`)
	case key.Algorithm != "" && !slices.Contains(algorithms, key.Algorithm):
		return key, fmt.Errorf(`has an alg that doesn't fit: write %s, or leave it out`, listed(algorithms))
	case len(key.KeyID) > 200:
		return key, errors.New("has a kid of more than 200 characters: write a shorter one")
	}
	return jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm, Use: "sig"}, nil
}
