package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

var idPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Check says what is wrong with a configuration, in a sentence for IT.
func (c Config) Check() error {
	if !idPattern.MatchString(c.ID) {
		return fmt.Errorf("%q can't name a provider: use at most 32 lower-case letters, digits and hyphens", c.ID)
	}
	issuer, err := url.Parse(c.Issuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "":
		return fmt.Errorf("the provider %s needs an issuer such as https://login.example.com", c.ID)
	case issuer.Scheme != "https" && !isLocal(issuer):
		return fmt.Errorf("the issuer of the provider %s must begin with https://", c.ID)
	case c.ClientID == "":
		return fmt.Errorf("the provider %s needs a client-id", c.ID)
	case (c.Secret == "") == (c.Key == nil):
		return fmt.Errorf("the provider %s needs either a client-secret-file or a private-key-file", c.ID)
	}
	return nil
}

// ClientKey proves in place of a secret that it is we who ask (private_key_jwt of
// OpenID Connect Core 1.0, 9).
type ClientKey struct {
	signer jose.Signer
}

// ParseClientKey reads a private key in PEM: RSA of at least 2048 bits, or ECDSA on
// P-256. The key's id is that of RFC 7638, as providers compute it from the public
// half.
func ParseClientKey(content []byte) (*ClientKey, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("it isn't a PEM file")
	}
	private, err := parsePrivate(block.Bytes)
	if err != nil {
		return nil, err
	}
	var algorithm jose.SignatureAlgorithm
	var public crypto.PublicKey
	switch key := private.(type) {
	case *rsa.PrivateKey:
		algorithm, public = jose.RS256, key.Public()
		if key.N.BitLen() < 2048 {
			return nil, fmt.Errorf("an RSA key of %d bits is too short: it needs 2048", key.N.BitLen())
		}
	case *ecdsa.PrivateKey:
		algorithm, public = jose.ES256, key.Public()
		if key.Curve != elliptic.P256() {
			return nil, errors.New("an ECDSA key must be on P-256")
		}
	default:
		return nil, errors.New("it holds neither an RSA key nor an ECDSA key")
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

func parsePrivate(der []byte) (crypto.PrivateKey, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("it holds no private key in PKCS #8, PKCS #1 or SEC 1")
}

// assertionLife is how long one assertion is good for.
const assertionLife = time.Minute

// assertion authenticates one request (RFC 7523, 2.2 and 3). It is for the token
// endpoint, as OpenID Connect Core 1.0 asks for, and for the issuer, as newer
// profiles do.
func (k *ClientKey) assertion(clientID, issuer, tokenURL string, now time.Time) ([]oauth2.AuthCodeOption, error) {
	signed, err := jwt.Signed(k.signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{issuer, tokenURL}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
	if err != nil {
		return nil, fmt.Errorf("signing a client assertion: %w", err)
	}
	return []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", signed),
	}, nil
}
