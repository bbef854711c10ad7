package embed_test

import (
	"testing"

	"github.com/keypeg/keypeg/server/embed"
)

// TestMoved: an address of the program moves with it, and one elsewhere stays.
func TestMoved(t *testing.T) {
	const from, to = "https://old.example.com", "https://new.example.com:8443"
	for address, want := range map[string]string{
		from:                                 to,
		from + "?keypeg":                     to + "?keypeg",
		from + "/keypeg-hooks?of=keypeg":     to + "/keypeg-hooks?of=keypeg",
		from + ":8443/hooks":                 from + ":8443/hooks",
		"https://old.example.com.evil.test/": "https://old.example.com.evil.test/",
		"http://old.example.com/hooks":       "http://old.example.com/hooks",
		"http://127.0.0.1:8082/keypeg-hooks": "http://127.0.0.1:8082/keypeg-hooks",
		"":                                   "",
	} {
		if got := embed.Moved(address, from, to); got != want {
			t.Errorf("%s moves to %s, want %s", address, got, want)
		}
	}
}
