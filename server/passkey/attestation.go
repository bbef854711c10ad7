package passkey

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
)

// An organisation may want passkeys on its own make of security key and nowhere
// else. It names the makers' root certificates, and then a new passkey must come
// with an attestation that one of them vouches for (WebAuthn Level 3, 7.1 steps
// 24 and 25). Without roots none is asked for, since it tells about the user's
// device and proves nothing.

// conveyance is what browsers are asked for.
func conveyance(roots *x509.CertPool) protocol.ConveyancePreference {
	if roots == nil {
		return protocol.PreferNoAttestation
	}
	return protocol.PreferDirectAttestation
}

// checkAttestation refuses what none of the trusted makers vouches for. That the
// statement's signature fits is checked before.
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

// certificates are the attestation's own, the leaf first. Formats without any
// ("none", and a key that vouches for itself) prove nothing.
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
		// Go knows no extension of FIDO's, and one may be marked critical.
		certificate.UnhandledCriticalExtensions = nil
		chain = append(chain, certificate)
	}
	return chain, nil
}
