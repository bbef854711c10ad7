package passkey

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/keypeg/keypeg/server/store"
)

// FuzzTicket opens what strangers call a ticket: only the very one that was sealed
// opens.
func FuzzTicket(f *testing.F) {
	seal, err := newSealer(bytes.Repeat([]byte{7}, chacha20poly1305.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	// With a nonce that stays the same, since fuzzing is done by several processes.
	plain, err := json.Marshal(ticket{Purpose: forSignIn, Binding: store.HashOf("x"), Challenge: "c", Expires: time.Unix(1_800_000_000, 0)})
	if err != nil {
		f.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{1}, chacha20poly1305.NonceSizeX)
	sealed := encode(seal.aead.Seal(nonce, nonce, plain, sealVersion))
	for _, seed := range []string{"", "A", sealed[:40], sealed + "A", sealed + "=", "A" + sealed, sealed[1:], sealed + sealed, "\x00", "ü"} {
		f.Add(seed, 0, byte(0))
	}
	for at := range len(sealed) {
		f.Add(sealed, at, byte(1))
	}

	f.Fuzz(func(t *testing.T, text string, at int, change byte) {
		altered := []byte(text)
		if at >= 0 && at < len(altered) {
			altered[at] ^= change
		}
		opened, err := seal.open(string(altered))
		if err == nil && string(altered) != sealed {
			t.Errorf("%q opened: %+v", altered, opened)
		}
		if err != nil && string(altered) == sealed {
			t.Errorf("the true ticket doesn't open: %v", err)
		}
	})
}
