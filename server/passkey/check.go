package passkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"filippo.io/edwards25519"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/keypeg/keypeg/server/internal/strictjson"
)

// This file has the checks that WebAuthn requires of a relying party and that go-webauthn
// v0.18.2 doesn't make. Each was found by trying it.

// maxCredentialID is the longest credential id in bytes (WebAuthn Level 3, 7.1
// step 25).
const maxCredentialID = 1023

// checkAttested checks what a new passkey attests about itself.
func checkAttested(parsed *protocol.ParsedCredentialCreationData) error {
	object := parsed.Response.AttestationObject
	attested := object.AuthData.AttData
	if n := len(attested.CredentialID); n == 0 || n > maxCredentialID {
		return fmt.Errorf("the credential id has %d bytes", n)
	}
	if err := checkPublicKey(attested.CredentialPublicKey); err != nil {
		return err
	}
	// A fido-u2f statement comes from an authenticator that has no AAGUID (8.6), so a
	// statement with one is forged.
	hasAAGUID := slices.ContainsFunc(attested.AAGUID, func(b byte) bool { return b != 0 })
	if object.Format == string(protocol.AttestationFormatFIDOUniversalSecondFactor) && hasAAGUID {
		return errors.New("a fido-u2f attestation names an AAGUID")
	}
	return nil
}

const (
	minRSABits = 2048
	maxRSABits = 8192 // verification time grows with the size

	minRSAExponent = 1<<16 + 1
)

// smallPrimes is the product of the odd primes below a hundred. Anybody can factor a key
// that shares a factor with it.
var smallPrimes = func() *big.Int {
	product := big.NewInt(1)
	for n := int64(3); n < 100; n += 2 {
		if candidate := big.NewInt(n); candidate.ProbablyPrime(0) {
			product.Mul(product, candidate)
		}
	}
	return product
}()

// checkPublicKey accepts only keys that can verify later: of one of the three algorithms
// that the options offer, with its key type and curve (5.8.5), on the curve and of a secure
// size. The library checks only the number of the algorithm.
func checkPublicKey(cose []byte) error {
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return fmt.Errorf("the public key can't be used: %w", err)
	}

	switch key := key.(type) {
	case webauthncose.EC2PublicKeyData:
		if key.Algorithm != int64(webauthncose.AlgES256) || key.Curve != int64(webauthncose.P256) {
			return fmt.Errorf("algorithm %d with elliptic curve %d isn't offered", key.Algorithm, key.Curve)
		}
		point := append([]byte{4}, append(slices.Clone(key.XCoord), key.YCoord...)...)
		if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
			return fmt.Errorf("the public key isn't a point of P-256: %w", err)
		}
		return onlyLabels(cose, 1, 3, -1, -2, -3)
	case webauthncose.OKPPublicKeyData:
		if key.Algorithm != int64(webauthncose.AlgEdDSA) || key.Curve != int64(webauthncose.Ed25519) {
			return fmt.Errorf("algorithm %d with curve %d isn't offered", key.Algorithm, key.Curve)
		}
		if err := checkEd25519(key.XCoord); err != nil {
			return err
		}
		return onlyLabels(cose, 1, 3, -1, -2)
	case webauthncose.RSAPublicKeyData:
		if key.Algorithm != int64(webauthncose.AlgRS256) {
			return fmt.Errorf("algorithm %d with an RSA key isn't offered", key.Algorithm)
		}
		if err := checkRSA(new(big.Int).SetBytes(key.Modulus), new(big.Int).SetBytes(key.Exponent)); err != nil {
			return err
		}
		return onlyLabels(cose, 1, 3, -1, -2)
	default:
		return fmt.Errorf("a key of type %T", key)
	}
}

// onlyLabels refuses a COSE_Key that has other parameters than the required ones (6.5.1.1).
// A key with its private part isn't secret any more.
func onlyLabels(cose []byte, labels ...int64) error {
	var parameters map[int64]webauthncbor.RawMessage
	if err := webauthncbor.Unmarshal(cose, &parameters); err != nil {
		return fmt.Errorf("the public key has odd parameters: %w", err)
	}
	for label := range parameters {
		if !slices.Contains(labels, label) {
			return fmt.Errorf("the public key has a parameter %d", label)
		}
	}
	return nil
}

// checkEd25519 refuses bytes that aren't a point of the curve, that encode it in another
// than the canonical form (RFC 8032, 5.1.3), or a point of small order: with such a key
// anybody can make signatures that fit many messages.
func checkEd25519(encoded []byte) error {
	point, err := new(edwards25519.Point).SetBytes(encoded)
	switch {
	case err != nil:
		return fmt.Errorf("the public key isn't a point of Ed25519: %w", err)
	case !bytes.Equal(point.Bytes(), encoded):
		return errors.New("the public key isn't in the form of Ed25519")
	case new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 1:
		return errors.New("the public key is a point of small order")
	}
	return nil
}

// checkRSA refuses keys that no key generator makes. With a small exponent anybody can make
// a signature without the key; every authenticator uses 65537 (FIPS 186-5, A.1.1).
func checkRSA(modulus, exponent *big.Int) error {
	if bits := modulus.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("an RSA key of %d bits", bits)
	}
	if modulus.Bit(0) == 0 || new(big.Int).GCD(nil, nil, modulus, smallPrimes).BitLen() != 1 {
		return errors.New("an RSA key whose modulus has a small factor")
	}
	if exponent.Cmp(big.NewInt(minRSAExponent)) < 0 || exponent.BitLen() > 31 || exponent.Bit(0) == 0 {
		return fmt.Errorf("an RSA key with exponent %s", exponent)
	}
	return nil
}

// maxTransports is how many transports of a passkey are stored.
const maxTransports = 8

// knownTransports returns the transports that WebAuthn Level 3, 5.8.4 names, each once. A
// client may send anything, and the rest would be part of every later ceremony.
func knownTransports(sent json.RawMessage) []string {
	var names []strictjson.Lenient
	if err := strictjson.Unmarshal(sent, &names); err != nil {
		return nil // transports are only a hint for the browser
	}
	var known []string
	for _, name := range names {
		switch transport := string(name); transport {
		case "ble", "hybrid", "internal", "nfc", "smart-card", "usb":
			if !slices.Contains(known, transport) && len(known) < maxTransports {
				known = append(known, transport)
			}
		}
	}
	return known
}
