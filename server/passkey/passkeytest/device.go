// Package passkeytest is an authenticator in software, with the browser around
// it: it registers passkeys and signs in with them, for tests without a browser.
//
// A [Device] takes the options that a server sends and returns what a browser's
// toJSON would. It is written after the specification alone and shares no code
// with the server's WebAuthn library, so that the two check each other. It can
// also lie: see [Lie].
package passkeytest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// The errors stand for the DOMExceptions that a browser throws (WebAuthn Level
// 3, 5.1.3 and 5.1.4).
var (
	ErrNotAllowed   = errors.New("NotAllowedError: no passkey fits, or the user said no")
	ErrInvalidState = errors.New("InvalidStateError: the device has a passkey for this account")
	ErrSecurity     = errors.New("SecurityError: the relying party id doesn't belong to the page")
	ErrNotSupported = errors.New("NotSupportedError: no offered algorithm is known")
)

// Flags of authenticator data (6.1).
const (
	FlagUserPresent    byte = 1 << 0
	FlagUserVerified   byte = 1 << 2
	FlagBackupEligible byte = 1 << 3
	FlagBackedUp       byte = 1 << 4
	FlagAttested       byte = 1 << 6
	FlagExtensions     byte = 1 << 7
)

// Device is an authenticator and its browser, on a page of Origin. The fields may
// be set between ceremonies. It is safe for concurrent use otherwise.
type Device struct {
	Origin     string   // of the page, such as "http://localhost:8080"
	AAGUID     [16]byte // of the authenticator's model
	Transports []string // what it says of itself; nil for "internal"
	Attachment string   // "platform" or "cross-platform"; "" for "platform"

	SkipsVerification bool // it asks for no fingerprint or PIN
	BackupEligible    bool // its passkeys may be synced
	BackedUp          bool // and are
	Counts            bool // it keeps a signature counter

	mu       sync.Mutex
	passkeys []*passkey
}

// passkey is a discoverable credential on the device.
type passkey struct {
	id         []byte
	rpID       string
	userHandle []byte
	key        crypto.Signer
	count      uint32
}

// New returns a device with a page of this origin.
func New(origin string) *Device { return &Device{Origin: origin} }

// Passkeys counts the passkeys on the device.
func (d *Device) Passkeys() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.passkeys)
}

// Forget removes all passkeys from the device.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passkeys = nil
}

type bytes64 []byte

func (b *bytes64) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	*b = decoded
	return err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

type descriptor struct {
	ID bytes64 `json:"id"`
}

// Create makes a passkey, as navigator.credentials.create does (5.1.3). Options
// are a PublicKeyCredentialCreationOptionsJSON; the answer is a
// RegistrationResponseJSON.
func (d *Device) Create(options json.RawMessage, lies ...Lie) (json.RawMessage, error) {
	var o struct {
		RP struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID bytes64 `json:"id"`
		} `json:"user"`
		Challenge string `json:"challenge"`
		Params    []struct {
			Alg int64 `json:"alg"`
		} `json:"pubKeyCredParams"`
		Exclude []descriptor `json:"excludeCredentials"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("reading creation options: %w", err)
	}
	if err := d.belongs(o.RP.ID); err != nil {
		return nil, err
	}
	const es256 = -7
	if !slices.ContainsFunc(o.Params, func(p struct {
		Alg int64 `json:"alg"`
	}) bool {
		return p.Alg == es256
	}) {
		return nil, ErrNotSupported
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	if d.find(o.RP.ID, o.Exclude) != nil {
		return nil, ErrInvalidState
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	made := &passkey{id: make([]byte, 32), rpID: o.RP.ID, userHandle: o.User.ID, key: key}
	rand.Read(made.id)

	answer := d.answer("webauthn.create", o.Challenge, made)
	answer.Flags |= FlagAttested
	answer.AAGUID, answer.CredentialID, answer.PublicKey = d.AAGUID, made.id, coseKey(&key.PublicKey)
	answer.Format, answer.Statement = "none", map[string]any{}
	if d.Transports != nil {
		answer.Transports = d.Transports
	}
	for _, lie := range lies {
		lie(answer)
	}
	response, err := answer.registration()
	if err != nil {
		return nil, err
	}
	d.passkeys = append(d.passkeys, made)
	return response, nil
}

// Get uses the newest passkey that fits, as navigator.credentials.get does
// (5.1.4). Options are a PublicKeyCredentialRequestOptionsJSON; the answer is an
// AuthenticationResponseJSON.
func (d *Device) Get(options json.RawMessage, lies ...Lie) (json.RawMessage, error) {
	var o struct {
		RPID      string       `json:"rpId"`
		Challenge string       `json:"challenge"`
		Allow     []descriptor `json:"allowCredentials"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("reading request options: %w", err)
	}
	if err := d.belongs(o.RPID); err != nil {
		return nil, err
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	used := d.find(o.RPID, o.Allow)
	if len(o.Allow) == 0 {
		used = d.newest(o.RPID)
	}
	if used == nil {
		return nil, ErrNotAllowed
	}
	if d.Counts {
		used.count++
	}

	answer := d.answer("webauthn.get", o.Challenge, used)
	answer.CredentialID, answer.UserHandle = used.id, used.userHandle
	for _, lie := range lies {
		lie(answer)
	}
	return answer.assertion(used.key)
}

// belongs checks the relying party id against the page (5.1.3 step 8).
func (d *Device) belongs(rpID string) error {
	page, err := url.Parse(d.Origin)
	if err != nil {
		return fmt.Errorf("the device's origin: %w", err)
	}
	if host := page.Hostname(); rpID != host && !strings.HasSuffix(host, "."+rpID) {
		return ErrSecurity
	}
	return nil
}

func (d *Device) find(rpID string, among []descriptor) *passkey {
	for _, p := range slices.Backward(d.passkeys) {
		for _, named := range among {
			if p.rpID == rpID && bytes.Equal(p.id, named.ID) {
				return p
			}
		}
	}
	return nil
}

func (d *Device) newest(rpID string) *passkey {
	for _, p := range slices.Backward(d.passkeys) {
		if p.rpID == rpID {
			return p
		}
	}
	return nil
}

// answer begins the truth.
func (d *Device) answer(kind, challenge string, p *passkey) *Answer {
	a := &Answer{
		Type: kind, Challenge: challenge, Origin: d.Origin,
		RPIDHash: sha256.Sum256([]byte(p.rpID)), Flags: FlagUserPresent | FlagUserVerified, SignCount: p.count,
		Attachment: d.Attachment, Transports: []string{"internal"},
	}
	if d.SkipsVerification {
		a.Flags &^= FlagUserVerified
	}
	if d.BackupEligible {
		a.Flags |= FlagBackupEligible
	}
	if d.BackedUp {
		a.Flags |= FlagBackedUp
	}
	if a.Attachment == "" {
		a.Attachment = "platform"
	}
	return a
}
