package passkey

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func TestKind(t *testing.T) {
	const (
		hello   = "08987058-cadc-4b81-b6e1-30de50dcbe96"
		unknown = "00000000-0000-0000-0000-000000000000"
	)
	for _, test := range []struct {
		eligible   bool
		attachment string
		transports string
		aaguid     string
		want       shared.PasskeyKind
	}{
		{true, "platform", "hybrid internal", unknown, shared.KindManager},
		{true, "cross-platform", "usb", unknown, shared.KindManager},
		{true, "", "", hello, shared.KindManager},
		{false, "platform", "internal", hello, shared.KindComputer},
		{false, "", "", hello, shared.KindComputer},
		{false, "platform", "internal", unknown, shared.KindDevice},
		{false, "platform", "", unknown, shared.KindDevice},
		{false, "platform", "internal usb", unknown, shared.KindDevice},
		{false, "cross-platform", "hybrid internal", unknown, shared.KindPhone},
		{false, "cross-platform", "ble hybrid", unknown, shared.KindPhone},
		{false, "cross-platform", "usb", unknown, shared.KindSecurityKey},
		{false, "cross-platform", "nfc usb", unknown, shared.KindSecurityKey},
		{false, "", "usb", unknown, shared.KindSecurityKey},
		{false, "cross-platform", "", unknown, shared.KindDevice},
		{false, "", "", unknown, shared.KindDevice},
	} {
		p := store.Passkey{Attachment: test.attachment, Transports: strings.Fields(test.transports)}
		if test.eligible {
			p.Flags = byte(protocol.FlagBackupEligible)
		}
		if _, err := hex.Decode(p.AAGUID[:], []byte(strings.ReplaceAll(test.aaguid, "-", ""))); err != nil {
			t.Fatal(err)
		}
		if got := kindOf(p); got != test.want {
			t.Errorf("%+v is %q", test, got)
		}
	}
}
