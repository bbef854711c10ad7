package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// takesNothing checks that a request is refused as a client's fault and changes
// nothing.
func (s *scene) takesNothing(do func() answer) {
	s.Helper()
	s.changesOnly(nil, func() {
		s.Helper()
		if a := do(); a.status < 400 || a.status > 499 {
			s.Errorf("got %s", a)
		}
	})
	s.keepsSecrets()
}

// FuzzSignInBody sends any body to the second half of a sign-in.
func FuzzSignInBody(f *testing.F) { fuzzBody(f, shared.PathSignInFinish) }

// FuzzRegistrationBody sends any body to the second half of a registration.
func FuzzRegistrationBody(f *testing.F) { fuzzBody(f, shared.PathRegisterFinish) }

func fuzzBody(f *testing.F, path string) {
	device := passkeytest.New(origin)
	options := []byte(`{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rpId":"localhost","rp":{"id":"localhost"},"user":{"id":"AAAA"}}`)
	created, err := device.Create(options)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"ticket":"x","name":"` + "\u202e" + `","credential":` + string(created) + `}`))
	for _, body := range []string{
		``, `null`, `{}`, `{"ticket":null,"credential":null}`, `{"ticket":"","credential":{"id":"AA","rawId":"AA","type":"public-key","response":{}}}`,
		`{"credential":[[[[`, `{"ticket":"\u0000","name":1}`, "{\"ticket\":\"\xff\"}", `{"ticket":1e999}`, `{"ticket":"x","ticket":{}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newScene(t, stores["memstore"])
		s.takesNothing(s.ann.finishes(path, string(body)))
	})
}

// FuzzAssertion answers a true challenge with any authenticator data, signature
// and user handle. Nobody gets in.
func FuzzAssertion(f *testing.F) {
	rpID := []byte("I\x96\r\xe5\x88\x0e\x8chqA\x17\x0fdv`[\x8f\xe4\xae\xb9\xa2\x862\xc7\x99\\\xf3\xba\x83\x1d\x97c") // SHA-256 of localhost
	f.Add(append(bytes.Clone(rpID), 5, 0, 0, 0, 0), []byte{0x30, 6, 2, 1, 0, 2, 1, 0}, bytes.Repeat([]byte{1}, 64))
	f.Add(append(bytes.Clone(rpID), 0xc5, 0, 0, 0, 1, 0xa1, 1), []byte{0x30, 0x80}, []byte{})
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200), bytes.Repeat([]byte{0xff}, 72), []byte{0})

	f.Fuzz(func(t *testing.T, authData, signature, handle []byte) {
		s := newScene(t, stores["memstore"])
		lie := func(a *passkeytest.Answer) {
			a.AuthData, a.Signature = append([]byte{}, authData...), append([]byte{}, signature...)
			if len(handle) > 0 { // else the true one
				a.UserHandle = handle
			}
		}
		s.takesNothing(s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann), lie)))
	})
}

// FuzzAttestation answers a true challenge with any attestation object, and any transports
// and name. An accepted passkey can be listed and used; a refused one changes nothing.
func FuzzAttestation(f *testing.F) {
	device := passkeytest.New(origin)
	options := []byte(`{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rp":{"id":"localhost"},"user":{"id":"AAAA"}}`)
	for _, lies := range [][]passkeytest.Lie{nil, {passkeytest.WithPackedSelf()}, {passkeytest.WithPackedX5C()}, {passkeytest.WithFIDOU2F()}, {passkeytest.WithExtensions([]byte{0xa0})}} {
		var object []byte
		keep := func(a *passkeytest.Answer) {
			a.Rewrite = func(credential map[string]any) {
				text, _ := credential["response"].(map[string]any)["attestationObject"].(string)
				object = decode(f, text)
			}
		}
		if _, err := device.Create(options, append(lies, keep)...); err != nil {
			f.Fatal(err)
		}
		f.Add(object, "usb", "Laptop")
	}
	f.Add([]byte{0xa0}, "<b>", "\u202egnp.exe")
	f.Add([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"), "", "\u200b")
	f.Add(bytes.Repeat([]byte{0x81}, 1000), "\xff", "\xff")

	f.Fuzz(func(t *testing.T, object []byte, transport, name string) {
		s := newScene(t, stores["memstore"])
		lie := func(a *passkeytest.Answer) {
			a.AttestationObject = append([]byte{}, object...)
			a.Transports = []string{transport}
		}
		made := s.made(s.beginsAdding(s.ann), lie, passkeytest.WithResponseMember("authenticatorData", ""))
		send := s.ann.finishes(shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: made, Name: name})
		before := s.everything()
		a := send()
		if a.status == 201 {
			row := into[shared.Passkey](s.ann, a, 201)
			if rows := s.ann.lists().Passkeys; len(rows) != 2 || rows[1].ID != row.ID || !utf8.ValidString(row.Name) || row.Name == "" {
				t.Errorf("rows %+v", rows)
			}
			if options := s.beginsConfirmation(s.ann).PublicKey; !json.Valid(options) {
				t.Errorf("options %s", options)
			}
			return
		}
		if after := s.everything(); a.status > 499 || len(after) != len(before) {
			t.Errorf("got %s", a)
		}
		s.keepsSecrets()
	})
}

func decode(f *testing.F, text string) []byte {
	f.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		f.Fatal(err)
	}
	return decoded
}
