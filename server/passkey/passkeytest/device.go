// Package passkeytest is an authenticator in software, with the browser around it: it
// registers passkeys and signs in with them, for tests without a browser.
//
// A [Device] is on a page. [Device.Create] and [Device.Get] take the options that a server
// sends. They return what a browser's toJSON would, or one of the errors that a browser
// throws, such as [ErrInvalidState]. Begin with [New].
//
// A device can also lie. Every answer exists in parts first, the [Answer]. A [Lie] changes
// some of them, and only then the answer is put together and signed. So a lie about the
// origin has a valid signature, and a server that refuses it must have checked the origin.
//
// It follows the specification (WebAuthn Level 3) and shares no code with the server's
// WebAuthn library, so that the two check each other. It asks nobody for a fingerprint,
// keeps everything in memory, and protects nothing. Use it for tests only.
package passkeytest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
)

// The errors stand for the DOMExceptions that a browser throws (5.1.3 and 5.1.4). They are
// never wrapped, so == finds them too.
var (
	ErrNotAllowed   = errors.New("NotAllowedError: no passkey or device fits, or the user said no")
	ErrInvalidState = errors.New("InvalidStateError: the device has a passkey for this account")
	ErrSecurity     = errors.New("SecurityError: the relying party id doesn't belong to the page")
	ErrNotSupported = errors.New("NotSupportedError: no offered algorithm is known")
)

// Device is an authenticator and its browser, on a page of Origin. Create and Get may be
// called concurrently. The fields may be set between ceremonies.
type Device struct {
	Origin     string      // of the page, such as "http://localhost:8080"
	AAGUID     [16]byte    // of the authenticator's model
	Transports []string    // nil for "internal"
	Attachment string      // "platform" or "cross-platform"; "" for "platform"
	Algorithms []Algorithm // that it supports, its favourite first; nil for ES256, EdDSA and RS256
	// RelatedTo are the relying party ids whose list of related origins has Origin (5.11). A browser
	// without related origin requests has none.
	RelatedTo []string

	SkipsVerification bool // it can't ask for a fingerprint or PIN
	BackupEligible    bool // its new passkeys may be synced
	BackedUp          bool // its backup eligible passkeys are synced now
	Counts            bool // it keeps a signature counter

	mu       sync.Mutex
	passkeys []*passkey // oldest first
}

// New returns a device on a page of this origin.
func New(origin string) *Device { return &Device{Origin: origin} }

// passkey is what the device stores of a passkey: a public key credential source (4).
type passkey struct {
	id         []byte
	rpID       string
	userHandle []byte
	algorithm  Algorithm
	key        crypto.Signer
	count      uint32

	discoverable bool // found without its id being named
	// A passkey is backup eligible or not from the beginning (6.1.3).
	backupEligible bool
}

// Credential describes a passkey on the device.
type Credential struct {
	ID           []byte
	RPID         string
	UserHandle   []byte
	Algorithm    Algorithm
	PublicKey    []byte // COSE_Key
	SignCount    uint32
	Discoverable bool
}

// Credentials returns the passkeys on the device, the oldest first. They are the true ones,
// without the changes of a [Lie].
func (d *Device) Credentials() []Credential {
	d.mu.Lock()
	defer d.mu.Unlock()

	var all []Credential
	for _, p := range d.passkeys {
		all = append(all, Credential{
			ID: bytes.Clone(p.id), RPID: p.rpID, UserHandle: bytes.Clone(p.userHandle), Algorithm: p.algorithm,
			PublicKey: coseKey(p.algorithm, p.key.Public()), SignCount: p.count, Discoverable: p.discoverable,
		})
	}
	return all
}

// Forget removes all passkeys from the device.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passkeys = nil
}

// ForgetID removes one passkey, and reports whether it was there.
func (d *Device) ForgetID(id []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := len(d.passkeys)
	d.passkeys = slices.DeleteFunc(d.passkeys, func(p *passkey) bool { return bytes.Equal(p.id, id) })
	return len(d.passkeys) < before
}

// keep adds a passkey. A device has one discoverable passkey for each account, so the new
// one replaces the old one (6.3.2, step 7).
func (d *Device) keep(made *passkey) {
	if made.discoverable {
		d.passkeys = slices.DeleteFunc(d.passkeys, func(p *passkey) bool {
			return p.discoverable && p.rpID == made.rpID && bytes.Equal(p.userHandle, made.userHandle)
		})
	}
	d.passkeys = append(d.passkeys, made)
}

// named returns the newest passkey of the relying party that is in the list.
func (d *Device) named(rpID string, list []descriptor) *passkey {
	for _, p := range slices.Backward(d.passkeys) {
		listed := slices.ContainsFunc(list, func(named descriptor) bool {
			return named.Type == publicKeyType && bytes.Equal(named.ID, p.id)
		})
		if p.rpID == rpID && listed {
			return p
		}
	}
	return nil
}

// newest returns the newest discoverable passkey of the relying party.
func (d *Device) newest(rpID string) *passkey {
	for _, p := range slices.Backward(d.passkeys) {
		if p.rpID == rpID && p.discoverable {
			return p
		}
	}
	return nil
}

func (d *Device) attachment() string {
	if d.Attachment == "" {
		return "platform"
	}
	return d.Attachment
}

// verifies decides whether the user is verified. Its error is ErrNotAllowed if that is
// required and the device can't.
func (d *Device) verifies(requirement string) (bool, error) {
	if requirement == "required" && d.SkipsVerification {
		return false, ErrNotAllowed
	}
	return !d.SkipsVerification && requirement != "discouraged", nil
}

// truth returns a true answer, before any lie.
func (d *Device) truth(kind string, challenge []byte, verified bool, p *passkey) *Answer {
	a := &Answer{
		Type: kind, Challenge: encode(challenge), Origin: d.Origin,
		RPIDHash: sha256.Sum256([]byte(p.rpID)), Flags: FlagUserPresent, SignCount: p.count,
		CredentialID: bytes.Clone(p.id), Key: p.key,
		Attachment: d.attachment(),
	}
	if verified {
		a.Flags |= FlagUserVerified
	}
	if p.backupEligible {
		a.Flags |= FlagBackupEligible
	}
	if p.backupEligible && d.BackedUp {
		a.Flags |= FlagBackedUp
	}
	return a
}
