package passkeytest

import (
	"bytes"
	"encoding/json"
)

// Get uses the newest passkey that fits, as navigator.credentials.get does
// (5.1.4). Options are a PublicKeyCredentialRequestOptionsJSON, the publicKey
// member of what a server sends; the answer is an AuthenticationResponseJSON.
//
// It returns ErrSecurity where the relying party id doesn't belong to the page,
// and ErrNotAllowed where no passkey fits or the device can't verify its user as
// required. Lies change what it says, in their order.
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
	if used.discoverable { // any other was asked for by its id, and has no handle to tell (6.3.3)
		answer.UserHandle = bytes.Clone(used.userHandle)
	}
	for _, lie := range lies {
		lie(answer)
	}
	return answer.assertion()
}
