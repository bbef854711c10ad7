// Package seal lets a browser keep what the server must find again unread and
// unchanged: the state of something that takes two requests. So the server keeps
// nothing until it succeeds.
package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = chacha20poly1305.KeySize

// maxSealed bounds what is decoded of a stranger's text. Ours have some hundred bytes.
const maxSealed = 2048

// Sealer encrypts and authenticates bytes with XChaCha20-Poly1305. Its 192-bit
// nonces may be random however many values are sealed; AES-GCM's 96 bits would
// need counting. It is safe for concurrent use.
type Sealer struct {
	aead    cipher.AEAD
	purpose []byte
}

// New returns a Sealer. The purpose is authenticated with every value, so that one
// that was sealed for another opens nothing; another format gets another.
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

// Open reverses [Sealer.Seal]. The error goes on from a noun, for the log: "is too
// short".
func (s *Sealer) Open(sealed string) ([]byte, error) {
	if len(sealed) > maxSealed {
		return nil, errors.New("is too long")
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
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

// SealJSON seals a value as JSON.
func (s *Sealer) SealJSON(value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encoding what a browser keeps: %w", err)
	}
	return s.Seal(plain), nil
}

// OpenJSON reverses it. The error is that of [Sealer.Open], or of what isn't such a value.
func (s *Sealer) OpenJSON(sealed string, into any) error {
	plain, err := s.Open(sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}
