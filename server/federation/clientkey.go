package federation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/keypeg/keypeg/server/internal/textfile"
)

// ClientKey authenticates this client with a signature in place of a secret
// (private_key_jwt of OpenID Connect Core 1.0, 9).
type ClientKey struct {
	signer jose.Signer
}

// ReadClientKey reads a file with a private key in PEM: RSA of at least 2048 bits, or ECDSA
// on P-256. The key's id is the thumbprint of RFC 7638, which providers compute from the
// public key.
func ReadClientKey(path string) (*ClientKey, error) {
	private, err := textfile.PrivateKey(path)
	if err != nil {
		return nil, err
	}
	key, err := newClientKey(private)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

// newClientKey makes a ClientKey of a private key. Its errors say what is wrong with the
// file, without its path.
func newClientKey(private crypto.PrivateKey) (*ClientKey, error) {
	var algorithm jose.SignatureAlgorithm
	var public crypto.PublicKey
	switch key := private.(type) {
	case *rsa.PrivateKey:
		algorithm, public = jose.RS256, key.Public()
		if key.N.BitLen() < 2048 {
			return nil, fmt.Errorf("holds an RSA key of %d bits: make one of 2048 or more", key.N.BitLen())
		}
	case *ecdsa.PrivateKey:
		algorithm, public = jose.ES256, key.Public()
		if key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("holds an ECDSA key on %s: make one on P-256", key.Params().Name)
		}
	default:
		return nil, fmt.Errorf("holds a key that is neither RSA nor ECDSA (%T): make one on P-256", key)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: private, KeyID: base64.RawURLEncoding.EncodeToString(thumbprint)}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	return &ClientKey{signer}, nil
}

// assertionLife is how long one assertion is valid.
const assertionLife = time.Minute

// assertion returns the authentication of one request (RFC 7523, 2.2 and 3). Its audience
// is the token endpoint, as OpenID Connect Core 1.0 requires, and the issuer, as newer
// profiles do.
func (k *ClientKey) assertion(clientID, issuer, tokenURL string, now time.Time) (signed string, err error) {
	signed, err = jwt.Signed(k.signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{issuer, tokenURL}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing a client assertion: %w", err)
	}
	return signed, nil
}

// isAssertion is the client_assertion_type of an assertion (RFC 7523, 2.2).
const isAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
