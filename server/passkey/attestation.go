package passkey

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
)

// An organisation may accept only passkeys on security keys of certain makers. It
// configures the makers' root certificates, and then a new passkey must come with an
// attestation that leads to one of them (WebAuthn Level 3, 7.1 steps 24 and 25). Without
// roots no attestation is requested, because it would tell us about the user's device and
// prove nothing.

// conveyance is the attestation that browsers are asked for.
func conveyance(roots *x509.CertPool) protocol.ConveyancePreference {
	if roots == nil {
		return protocol.PreferNoAttestation
	}
	return protocol.PreferDirectAttestation
}

// checkAttestation refuses an attestation that leads to none of the roots. The signature of
// the statement was verified before.
func (s *Service) checkAttestation(object protocol.AttestationObject) error {
	if s.roots == nil {
		return nil
	}
	chain, err := certificates(object)
	if err != nil {
		return notTrusted(err)
	}

	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots: s.roots, Intermediates: between, CurrentTime: s.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return notTrusted(fmt.Errorf("attestation of format %q: %w", object.Format, err))
	}
	return nil
}

// certificates returns the certificates of an attestation, the leaf first. Formats without
// any prove nothing: "none", and self attestation.
func certificates(object protocol.AttestationObject) ([]*x509.Certificate, error) {
	listed, _ := object.AttStatement["x5c"].([]any)
	if len(listed) == 0 {
		return nil, fmt.Errorf("attestation of format %q has no certificate", object.Format)
	}

	var chain []*x509.Certificate
	for _, raw := range listed {
		der, isBytes := raw.([]byte)
		if !isBytes {
			return nil, errors.New("an attestation certificate isn't bytes")
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("reading an attestation certificate: %w", err)
		}
		// Go doesn't know the extensions of FIDO, and one of them may be marked critical.
		certificate.UnhandledCriticalExtensions = nil
		chain = append(chain, certificate)
	}
	return chain, nil
}
