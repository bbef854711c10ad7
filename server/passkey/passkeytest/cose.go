package passkeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Algorithm is a COSEAlgorithmIdentifier (5.8.5).
type Algorithm int

// The algorithms that a [Device] knows.
const (
	ES256 Algorithm = -7   // ECDSA with SHA-256, on P-256
	EdDSA Algorithm = -8   // on Ed25519
	RS256 Algorithm = -257 // RSASSA-PKCS1-v1_5 with SHA-256
)

// newKey makes a key. Those of RS256 are all the same one, since making it takes
// as long as a hundred tests.
func newKey(algorithm Algorithm) (crypto.Signer, error) {
	switch algorithm {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case RS256:
		return theRSAKey()
	}
	return nil, ErrNotSupported
}

var theRSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// sign hashes as the key's algorithm does. Ed25519 takes the message as it is.
func sign(key crypto.Signer, message []byte) ([]byte, error) {
	hash := crypto.SHA256
	if _, is := key.Public().(ed25519.PublicKey); is {
		hash = 0
	}
	signature, err := crypto.SignMessage(key, rand.Reader, message, hash)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return signature, nil
}

// RawES256 turns an ES256 signature into r‖s, the form of JWT. WebAuthn has ASN.1
// (6.5.5): servers must refuse this one.
func RawES256(signature []byte) []byte {
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &parts); err != nil {
		panic(fmt.Sprintf("passkeytest.RawES256: %x isn't an ES256 signature: %v", signature, err))
	}
	raw := make([]byte, 64)
	parts.R.FillBytes(raw[:32])
	parts.S.FillBytes(raw[32:])
	return raw
}

// coseKey encodes a true key.
func coseKey(algorithm Algorithm, key crypto.PublicKey) []byte {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			panic(err) // it was just made
		}
		return CoseEC2(algorithm, 1, point[1:33], point[33:])
	case ed25519.PublicKey:
		return CoseOKP(algorithm, 6, key)
	case *rsa.PublicKey:
		return CoseRSA(algorithm, key.N.Bytes(), big.NewInt(int64(key.E)).Bytes())
	}
	panic(fmt.Sprintf("a key of type %T", key)) // newKey makes no other
}

// CoseEC2 encodes an elliptic curve key (RFC 9053, 7.1.1) of any numbers, sound
// or not. P-256 is curve 1. A nil coordinate is left out.
func CoseEC2(algorithm Algorithm, curve int, x, y []byte) []byte {
	return cose(2, algorithm, map[int]any{-1: curve, -2: x, -3: y})
}

// CoseOKP encodes an Edwards curve key (RFC 9053, 7.2) of any numbers. Ed25519 is
// curve 6, Ed448 is 7. A nil x is left out.
func CoseOKP(algorithm Algorithm, curve int, x []byte) []byte {
	return cose(1, algorithm, map[int]any{-1: curve, -2: x})
}

// CoseRSA encodes an RSA key (RFC 8230, 4) of any numbers, big-endian. A nil one
// is left out.
func CoseRSA(algorithm Algorithm, n, e []byte) []byte {
	return cose(3, algorithm, map[int]any{-1: n, -2: e})
}

func cose(keyType int, algorithm Algorithm, parameters map[int]any) []byte {
	key := map[int]any{1: keyType, 3: int(algorithm)}
	for label, value := range parameters {
		if number, ok := value.([]byte); !ok || number != nil {
			key[label] = value
		}
	}
	encoded, err := canonical.Marshal(key)
	if err != nil {
		panic(err) // numbers and bytes can always be encoded
	}
	return encoded
}

// canonical is CTAP2's form of CBOR (CTAP 2.1, 8).
var canonical = func() cbor.EncMode {
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()
