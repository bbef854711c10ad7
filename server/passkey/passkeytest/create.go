package passkeytest

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
)

// Create makes a passkey, as navigator.credentials.create does (5.1.3). Options is a
// PublicKeyCredentialCreationOptionsJSON, the publicKey member of a server's answer. It
// returns a RegistrationResponseJSON.
//
// The error is ErrSecurity if the relying party id doesn't belong to the page,
// ErrNotSupported if no algorithm fits, ErrNotAllowed if the device can't do what is
// required, and ErrInvalidState if excludeCredentials has a passkey of the device. Lies
// change the answer, in their order; the device keeps the true passkey.
func (d *Device) Create(options json.RawMessage, lies ...Lie) (json.RawMessage, error) {
	o, err := readCreationOptions(options)
	if err != nil {
		return nil, err
	}
	rpID, err := d.relyingParty(o.RP.ID)
	if err != nil {
		return nil, err
	}
	algorithm, err := d.algorithm(o.Parameters)
	if err != nil {
		return nil, err
	}
	if wanted := o.Selection.Attachment; wanted != "" && wanted != d.attachment() {
		return nil, ErrNotAllowed
	}
	verified, err := d.verifies(o.Selection.UserVerification)
	if err != nil {
		return nil, err
	}

	// Before the lock, because making an RSA key takes long.
	key, err := newKey(algorithm)
	if err != nil {
		return nil, err
	}
	made := &passkey{
		id: make([]byte, 32), rpID: rpID, userHandle: o.User.ID, algorithm: algorithm, key: key,
		discoverable: o.discoverable(), backupEligible: d.BackupEligible,
	}
	rand.Read(made.id)

	d.mu.Lock()
	defer d.mu.Unlock()
	if d.named(rpID, o.Exclude) != nil {
		return nil, ErrInvalidState
	}

	answer := d.truth("webauthn.create", o.Challenge, verified, made)
	if err := d.attest(answer, made); err != nil {
		return nil, err
	}
	for _, lie := range lies {
		lie(answer)
	}
	response, err := answer.registration()
	if err != nil {
		return nil, err
	}
	d.keep(made)
	return response, nil
}

// algorithm chooses the device's favourite among those offered. The order of the relying
// party is only a preference (5.4).
func (d *Device) algorithm(offered []parameter) (Algorithm, error) {
	known := d.Algorithms
	if known == nil {
		known = []Algorithm{ES256, EdDSA, RS256}
	}
	if len(offered) == 0 {
		offered = []parameter{{publicKeyType, ES256}, {publicKeyType, RS256}} // 5.1.3
	}
	for _, algorithm := range known {
		if slices.Contains(offered, parameter{publicKeyType, algorithm}) {
			return algorithm, nil
		}
	}
	return 0, ErrNotSupported
}

// attest adds what only a registration has (6.5).
func (d *Device) attest(a *Answer, made *passkey) error {
	spki, err := x509.MarshalPKIXPublicKey(made.key.Public())
	if err != nil {
		return fmt.Errorf("encoding a public key: %w", err)
	}

	a.Flags |= FlagAttested
	a.AAGUID = d.AAGUID
	a.PublicKey = coseKey(made.algorithm, made.key.Public())
	a.Format, a.Statement = "none", map[string]any{}

	a.SPKI, a.Algorithm = bytes.Clone(spki), made.algorithm
	a.Discoverable = made.discoverable
	a.Transports = []string{"internal"}
	if d.Transports != nil {
		// Unique and in this order, so that they tell less about the device (5.2.1).
		a.Transports = slices.Compact(slices.Sorted(slices.Values(d.Transports)))
	}
	return nil
}
