// Package seal encrypts and authenticates state that a browser keeps between two requests.
// So the server stores nothing until the second request succeeds.
package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = chacha20poly1305.KeySize

// maxSealed bounds the length of a text from a stranger that is decoded. Our own texts have
// a few hundred bytes, and a program's request at most what a cookie can have.
const maxSealed = 4096

// Sealer encrypts and authenticates bytes with XChaCha20-Poly1305. Its nonces have 192
// bits, so they may be random however many values are sealed; the 96 bits of AES-GCM would
// need a counter. It is safe for concurrent use.
type Sealer struct {
	aead    cipher.AEAD
	purpose []byte
}

// New returns a Sealer. The purpose is authenticated with every value, so that a value that
// was sealed for another purpose can't be opened. Use a new purpose for a new format.
func New(key []byte, purpose string) (*Sealer, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Sealer{aead, []byte(purpose)}, nil
}

// Seal returns bytes as text in base64url.
func (s *Sealer) Seal(plain []byte) string {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	rand.Read(nonce)
	return encode(s.aead.Seal(nonce, nonce, plain, s.purpose))
}

func encode(box []byte) string { return base64.RawURLEncoding.EncodeToString(box) }

// Open reverses [Sealer.Seal]. Its error is the end of a sentence for the log, such as "is
// too short".
func (s *Sealer) Open(sealed string) ([]byte, error) {
	if len(sealed) > maxSealed {
		return nil, errors.New("is too long")
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") { // DecodeString skips line breaks
		return nil, errors.New("isn't base64url")
	}
	if len(box) < s.aead.NonceSize() {
		return nil, errors.New("is too short")
	}

	nonce, box := box[:s.aead.NonceSize()], box[s.aead.NonceSize():]
	plain, err := s.aead.Open(box[:0], nonce, box, s.purpose)
	if err != nil {
		return nil, errors.New("was altered, or belongs to another installation")
	}
	return plain, nil
}

// SealJSON seals a value as JSON. Nobody reads that as HTML, so an & stays one byte: it counts where a cookie has little
// room.
func (s *Sealer) SealJSON(value any) (string, error) {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("encoding what a browser keeps: %w", err)
	}
	return s.Seal(bytes.TrimSuffix(plain.Bytes(), []byte("\n"))), nil
}

// OpenJSON reverses [Sealer.SealJSON]. Its error is that of [Sealer.Open], or of the JSON.
func (s *Sealer) OpenJSON(sealed string, into any) error {
	plain, err := s.Open(sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}
