package seal

import (
	"bytes"
	"testing"
)

type value struct {
	Text string
	Data []byte
}

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
	sealed, err := s.Seal(value{"a", []byte("b")})
	if err != nil {
		t.Fatal(err)
	}
	var got value
	if err := s.Open(sealed, &got); err != nil || got.Text != "a" || string(got.Data) != "b" {
		t.Errorf("got %+v (%v)", got, err)
	}
	again, err := s.Seal(value{"a", []byte("b")})
	if err != nil || again == sealed {
		t.Errorf("the same value is sealed to the same text (%v)", err)
	}
	for what, other := range map[string]*Sealer{"key": sealer(t, 8, "test 1"), "purpose": sealer(t, 7, "test 2")} {
		if err := other.Open(sealed, &got); err == nil {
			t.Errorf("it opens with another %s", what)
		}
	}
	if _, err := New([]byte("short"), "test"); err == nil {
		t.Error("a short key is taken")
	}
}

// FuzzOpen opens what strangers call sealed: only the very text that was sealed
// opens.
func FuzzOpen(f *testing.F) {
	s := sealer(f, 7, "test 1")
	// With a nonce that stays the same, since fuzzing is done by several processes.
	nonce := bytes.Repeat([]byte{1}, s.aead.NonceSize())
	sealed := encode(s.aead.Seal(nonce, nonce, []byte(`{"Text":"a"}`), s.purpose))
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
		var opened value
		err := s.Open(string(altered), &opened)
		if err == nil && string(altered) != sealed {
			t.Errorf("%q opened: %+v", altered, opened)
		}
		if err != nil && string(altered) == sealed {
			t.Errorf("what was sealed doesn't open: %v", err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s, value := sealer(b, 1, "benchmark"), value{"sign in", make([]byte, 32)}
	for b.Loop() {
		if _, err := s.Seal(value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s, value := sealer(b, 1, "benchmark"), value{"sign in", make([]byte, 32)}
	sealed, err := s.Seal(value)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.Open(sealed, &value); err != nil {
			b.Fatal(err)
		}
	}
}
