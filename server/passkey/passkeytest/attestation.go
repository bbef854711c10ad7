package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// WithAttestation sends another attestation. A nil statement is left out; a
// [Signed] one is made last.
func WithAttestation(format string, statement any) Lie {
	return func(a *Answer) { a.Format, a.Statement = format, statement }
}

// WithPackedSelf attests with the passkey's own key (8.2), which proves no more
// than none. It is sound, unless [WithKey] or another lie makes it a lie.
func WithPackedSelf() Lie {
	return func(a *Answer) {
		a.Format = "packed"
		a.Statement = Signed(func(authData, clientDataHash []byte) (map[string]any, error) {
			signature, err := a.sign(a.Key, authData, clientDataHash)
			return map[string]any{"alg": int(a.Algorithm), "sig": signature}, err
		})
	}
}

// WithPackedX5C attests with a certificate for the answer's AAGUID (8.2.1), issued
// by [AttestationRoot]. It is sound, unless another lie makes it a lie: one about
// the AAGUID, if it comes later.
func WithPackedX5C() Lie {
	return func(a *Answer) {
		aaguid := a.AAGUID
		a.Format = "packed"
		a.Statement = Signed(func(authData, clientDataHash []byte) (map[string]any, error) {
			maker, err := theMaker()
			if err != nil {
				return nil, err
			}
			certificate, err := maker.certificate(aaguid[:])
			if err != nil {
				return nil, err
			}
			signature, err := a.sign(maker.key, authData, clientDataHash)
			return map[string]any{"alg": int(ES256), "sig": signature, "x5c": [][]byte{certificate}}, err
		})
	}
}

// WithFIDOU2F attests as a security key of the time before WebAuthn (8.6), issued
// by [AttestationRoot]. Such a key has no AAGUID and doesn't verify its user. The
// statement doesn't sign the AAGUID: a lie about that leaves a good signature.
func WithFIDOU2F() Lie {
	return func(a *Answer) {
		a.AAGUID = [16]byte{}
		a.Flags &^= FlagUserVerified
		a.Format = "fido-u2f"
		a.Statement = Signed(func(_, clientDataHash []byte) (map[string]any, error) {
			public, ok := a.Key.Public().(*ecdsa.PublicKey)
			if !ok {
				return nil, errors.New("U2F knows ES256 only")
			}
			point, err := public.Bytes()
			if err != nil {
				return nil, err
			}
			maker, err := theMaker()
			if err != nil {
				return nil, err
			}
			certificate, err := maker.certificate(nil)
			if err != nil {
				return nil, err
			}
			// FIDO U2F Raw Message Formats, 4.3.
			signature, err := a.sign(maker.key, []byte{0}, a.RPIDHash[:], clientDataHash, a.CredentialID, point)
			return map[string]any{"sig": signature, "x5c": [][]byte{certificate}}, err
		})
	}
}

// AttestationRoot is the certificate authority of the devices' maker. It lives as
// long as the test's process.
func AttestationRoot() (*x509.Certificate, error) {
	maker, err := theMaker()
	if err != nil {
		return nil, err
	}
	return maker.root, nil
}

// manufacturer issues attestation certificates.
type manufacturer struct {
	root    *x509.Certificate
	rootKey *ecdsa.PrivateKey
	key     *ecdsa.PrivateKey // in every device (14.4.1: shared by a batch, for privacy)
}

var theMaker = sync.OnceValues(func() (*manufacturer, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}

	template := certificateTemplate("Keypeg test root")
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, template, template, rootKey.Public(), rootKey)
	if err != nil {
		return nil, fmt.Errorf("making the attestation root: %w", err)
	}
	root, err := x509.ParseCertificate(raw)
	return &manufacturer{root, rootKey, key}, err
})

// aaguidExtension is id-fido-gen-ce-aaguid (8.2.1).
var aaguidExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}

// certificate issues one, for a model if that has an AAGUID.
func (m *manufacturer) certificate(aaguid []byte) ([]byte, error) {
	template := certificateTemplate("Keypeg test device")
	if aaguid != nil {
		value, err := asn1.Marshal(aaguid)
		if err != nil {
			return nil, fmt.Errorf("encoding an AAGUID: %w", err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: aaguidExtension, Value: value}}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, m.root, m.key.Public(), m.rootKey)
	if err != nil {
		return nil, fmt.Errorf("making an attestation certificate: %w", err)
	}
	return raw, nil
}

// certificateTemplate meets 8.2.1. The dates leave the clock out of it; the last
// one means "never" (RFC 5280, 4.1.2.5).
func certificateTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject: pkix.Name{
			Country: []string{"AQ"}, Organization: []string{"Keypeg tests"},
			OrganizationalUnit: []string{"Authenticator Attestation"}, CommonName: name,
		},
		NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		BasicConstraintsValid: true,
	}
}
