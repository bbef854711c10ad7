package passkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// This file holds what WebAuthn asks of a relying party and go-webauthn v0.18.2
// doesn't check, each found by trying it.

// checkClientData compares the origin byte for byte (7.1 step 9, 7.2 step 12):
// the library also takes one with a path, user info, a default port or capital
// letters. Frames of other sites are refused (7.1 steps 10 and 11): we are never
// embedded. Raw is what data were read from: an empty top origin is there only.
func (s *Service) checkClientData(data protocol.CollectedClientData, raw []byte) error {
	switch {
	case data.Origin != s.origin:
		return fmt.Errorf("client data come from origin %q", data.Origin)
	case data.CrossOrigin:
		return errors.New("client data come from a frame of another site")
	case data.TopOrigin != "" || bytes.Contains(raw, []byte(`"topOrigin"`)):
		return errors.New("client data name a top origin")
	}
	return nil
}

// maxCredentialID is the longest credential id in bytes (WebAuthn Level 3, 7.1
// step 25).
const maxCredentialID = 1023

// checkAttested looks at what a new passkey attests about itself.
func checkAttested(parsed *protocol.ParsedCredentialCreationData) error {
	attested := parsed.Response.AttestationObject.AuthData.AttData
	if n := len(attested.CredentialID); n == 0 || n > maxCredentialID {
		return fmt.Errorf("the credential id has %d bytes", n)
	}
	if err := checkPublicKey(attested.CredentialPublicKey); err != nil {
		return err
	}
	return checkStatement(parsed.Raw.AttestationResponse.AttestationObject, attested.AAGUID)
}

// checkStatement refuses an attestation object without a statement: with format
// "none" it must be an empty map, not absent (8.7). A fido-u2f statement comes
// from an authenticator that has no AAGUID (8.6): one with another is made up.
func checkStatement(object []byte, aaguid []byte) error {
	var attestation struct {
		Format    string                  `cbor:"fmt"`
		Statement webauthncbor.RawMessage `cbor:"attStmt"`
	}
	if err := webauthncbor.Unmarshal(object, &attestation); err != nil {
		return fmt.Errorf("reading the attestation object: %w", err)
	}

	if len(attestation.Statement) == 0 {
		return errors.New("the attestation object has no statement")
	}
	isZero := !slices.ContainsFunc(aaguid, func(b byte) bool { return b != 0 })
	if attestation.Format == string(protocol.AttestationFormatFIDOUniversalSecondFactor) && !isZero {
		return errors.New("a fido-u2f attestation names an AAGUID")
	}
	return nil
}

const (
	minRSABits = 2048
	maxRSABits = 8192 // verification time grows with the size

	minRSAExponent = 1<<16 + 1
)

// checkPublicKey takes only keys that can later verify: of the three algorithms
// that we offer, with the key type and curve that belong to them (5.8.5), on the
// curve and of a sound size. The library looks at the algorithm's number only.
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
	case webauthncose.OKPPublicKeyData:
		if key.Algorithm != int64(webauthncose.AlgEdDSA) || key.Curve != int64(webauthncose.Ed25519) || len(key.XCoord) != 32 {
			return fmt.Errorf("algorithm %d with curve %d and %d bytes isn't offered", key.Algorithm, key.Curve, len(key.XCoord))
		}
	case webauthncose.RSAPublicKeyData:
		if key.Algorithm != int64(webauthncose.AlgRS256) {
			return fmt.Errorf("algorithm %d with an RSA key isn't offered", key.Algorithm)
		}
		if bits := new(big.Int).SetBytes(key.Modulus).BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("an RSA key of %d bits", bits)
		}
		// With a small exponent a signature can be made up without the key; every
		// authenticator has 65537 (FIPS 186-5, A.1.1).
		if e := new(big.Int).SetBytes(key.Exponent); e.Cmp(big.NewInt(minRSAExponent)) < 0 || e.BitLen() > 31 || e.Bit(0) == 0 {
			return fmt.Errorf("an RSA key with exponent %s", e)
		}
	default:
		return fmt.Errorf("a key of type %T", key)
	}
	return nil
}

// maxTransports is how many transports of a passkey are kept.
const maxTransports = 8

// knownTransports keeps what WebAuthn Level 3, 5.8.4 names, once each. A client
// may send any strings, and they come back into every later ceremony.
func knownTransports(sent []string) []string {
	var known []string
	for _, transport := range sent {
		switch transport {
		case "ble", "hybrid", "internal", "nfc", "smart-card", "usb":
			if !slices.Contains(known, transport) && len(known) < maxTransports {
				known = append(known, transport)
			}
		}
	}
	return known
}
