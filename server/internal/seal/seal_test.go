package seal

import (
	"bytes"
	"testing"
)

func sealer(t testing.TB, key byte, purpose string) *Sealer {
	t.Helper()
	s, err := New(bytes.Repeat([]byte{key}, KeySize), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeal(t *testing.T) {
	s := sealer(t, 7, "test 1")
	sealed := s.Seal([]byte("plain"))
	if got, err := s.Open(sealed); err != nil || string(got) != "plain" {
		t.Errorf("got %q (%v), want plain", got, err)
	}
	if s.Seal([]byte("plain")) == sealed {
		t.Error("the same bytes are sealed to the same text")
	}
	for what, other := range map[string]*Sealer{"key": sealer(t, 8, "test 1"), "purpose": sealer(t, 7, "test 2")} {
		if _, err := other.Open(sealed); err == nil {
			t.Errorf("it opens with another %s", what)
		}
	}
	if _, err := New([]byte("short"), "test"); err == nil {
		t.Error("a short key is taken")
	}
}

// FuzzOpen opens any text as a sealed one: only the very text that was sealed opens.
func FuzzOpen(f *testing.F) {
	s := sealer(f, 7, "test 1")
	// With a nonce that stays the same, since fuzzing is done by several processes.
	nonce := bytes.Repeat([]byte{1}, s.aead.NonceSize())
	sealed := encode(s.aead.Seal(nonce, nonce, []byte("plain"), s.purpose))
	for _, seed := range []string{"", "A", sealed[:40], sealed + "A", sealed + "=", "A" + sealed, sealed[1:], sealed + sealed, sealed[:40] + "\r" + sealed[40:], sealed + "\n", "\x00", "ü"} {
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
		opened, err := s.Open(string(altered))
		if err == nil && string(altered) != sealed {
			t.Errorf("%q opened: %q", altered, opened)
		}
		if err != nil && string(altered) == sealed {
			t.Errorf("what was sealed doesn't open: %v", err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s, plain := sealer(b, 1, "benchmark"), make([]byte, 100)
	for b.Loop() {
		s.Seal(plain)
	}
}

func BenchmarkOpen(b *testing.B) {
	s := sealer(b, 1, "benchmark")
	sealed := s.Seal(make([]byte, 100))
	for b.Loop() {
		if _, err := s.Open(sealed); err != nil {
			b.Fatal(err)
		}
	}
}
