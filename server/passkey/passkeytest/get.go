package passkeytest

import (
	"bytes"
	"encoding/json"
)

// Get uses the newest passkey that fits, as navigator.credentials.get does (5.1.4). Options
// is a PublicKeyCredentialRequestOptionsJSON, the publicKey member of a server's answer. It
// returns an AuthenticationResponseJSON.
//
// The error is ErrSecurity if the relying party id doesn't belong to the page, and
// ErrNotAllowed if no passkey fits or the device can't verify its user as required. Lies
// change the answer, in their order.
func (d *Device) Get(options json.RawMessage, lies ...Lie) (json.RawMessage, error) {
	o, err := readRequestOptions(options)
	if err != nil {
		return nil, err
	}
	rpID, err := d.relyingParty(o.RPID)
	if err != nil {
		return nil, err
	}
	verified, err := d.verifies(o.UserVerification)
	if err != nil {
		return nil, err
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	used := d.newest(rpID)
	if len(o.Allow) > 0 {
		used = d.named(rpID, o.Allow)
	}
	if used == nil {
		return nil, ErrNotAllowed
	}
	if d.Counts {
		used.count++
	}

	answer := d.truth("webauthn.get", o.Challenge, verified, used)
	if used.discoverable { // any other was requested by its id, and sends no user handle (6.3.3)
		answer.UserHandle = bytes.Clone(used.userHandle)
	}
	for _, lie := range lies {
		lie(answer)
	}
	return answer.assertion()
}
