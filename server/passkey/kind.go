package passkey

import (
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// kindOf says where a passkey is, in a word that is true wherever it is read. The list
// shows every passkey on every device, so "this device" would be wrong on all but one.
//
// Backup Eligible comes first, because such a passkey may be on several devices, now or
// later (WebAuthn Level 3, 6.1.3). For the others, the attachment distinguishes what is
// built into a computer or a phone from what is plugged in, and the transports distinguish
// a phone (hybrid) from a security key. Many clients leave some of them out; then the kind
// is just a device.
func kindOf(p store.Passkey) shared.PasskeyKind {
	over := func(transports ...protocol.AuthenticatorTransport) bool {
		return slices.ContainsFunc(transports, func(t protocol.AuthenticatorTransport) bool {
			return slices.Contains(p.Transports, string(t))
		})
	}
	built := p.Attachment == string(protocol.Platform)
	switch {
	case protocol.AuthenticatorFlags(p.Flags).HasBackupEligible():
		return shared.KindManager
	case slices.Contains(computers, providerName(p.AAGUID)):
		return shared.KindComputer
	case over(protocol.Hybrid):
		return shared.KindPhone
	case !built && over(protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard):
		return shared.KindSecurityKey
	default:
		return shared.KindDevice
	}
}

// computers are the providers whose passkeys stay in one computer, unless they are backup
// eligible.
var computers = []string{"Windows Hello", "Chrome on Mac", "Edge on Mac"}
