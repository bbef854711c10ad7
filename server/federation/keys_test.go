package federation

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"
)

// TestRSAModulus checks that an RSA key is read only if its modulus is too long to be
// factored, and too short for its checks to occupy a processor.
func TestRSAModulus(t *testing.T) {
	for bits, isRead := range map[uint]bool{1024: false, 2047: false, 2048: true, 4096: true, 4097: false, 16384: false} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		n.SetBit(n, 0, 1)
		set := fmt.Sprintf(`{"keys":[{"kty":"RSA","e":"AQAB","n":%q}]}`, base64.RawURLEncoding.EncodeToString(n.Bytes()))
		if got := len(readKeys([]byte(set))) == 1; got != isRead {
			t.Errorf("a key of %d bits: read is %t, want %t", bits, got, isRead)
		}
	}
}
