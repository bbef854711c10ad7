package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// keyClaims are about public keys, and who attests them.
var keyClaims = []claim{
	{"a broken or weak key is refused", func(s *scene) {
		x, y := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
		weak := bytes.Repeat([]byte{0xff}, 64)
		for _, key := range [][]byte{
			passkeytest.CoseOKP(passkeytest.EdDSA, 6, append([]byte{1}, make([]byte, 31)...)),                                // the identity
			passkeytest.CoseOKP(passkeytest.EdDSA, 6, make([]byte, 32)),                                                      // of order 4
			passkeytest.CoseOKP(passkeytest.EdDSA, 6, append([]byte{2}, make([]byte, 31)...)),                                // off the curve
			passkeytest.CoseOKP(passkeytest.EdDSA, 6, append(append([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f)), // y = p + 1
			passkeytest.CoseRSA(passkeytest.RS256, append(bytes.Repeat([]byte{0xff}, 255), 0xfe), []byte{1, 0, 1}),
			passkeytest.CoseRSA(passkeytest.RS256, bytes.Repeat([]byte{0xff}, 256), []byte{1, 0, 1}), // a multiple of 3
			passkeytest.CoseEC2(passkeytest.ES256, 1, nil, nil), passkeytest.CoseEC2(passkeytest.ES256, 1, x, nil), passkeytest.CoseEC2(passkeytest.ES256, 1, []byte{}, []byte{}),
			passkeytest.CoseEC2(passkeytest.ES256, 1, x, y), passkeytest.CoseEC2(passkeytest.ES256, 1, make([]byte, 32), make([]byte, 32)),
			passkeytest.CoseEC2(passkeytest.ES256, 3, x, y), passkeytest.CoseEC2(passkeytest.ES256, 1, append(x, 0), y),
			passkeytest.CoseOKP(passkeytest.ES256, 6, x), passkeytest.CoseEC2(passkeytest.EdDSA, 1, x, y), passkeytest.CoseRSA(passkeytest.ES256, bytes.Repeat([]byte{0xff}, 256), []byte{1, 0, 1}),
			passkeytest.CoseOKP(passkeytest.EdDSA, 6, nil), passkeytest.CoseOKP(passkeytest.EdDSA, 6, x[:31]),
			passkeytest.CoseRSA(passkeytest.RS256, weak, []byte{1, 0, 1}), passkeytest.CoseRSA(passkeytest.RS256, nil, nil),
			passkeytest.CoseRSA(passkeytest.RS256, bytes.Repeat([]byte{0xff}, 4096), []byte{1, 0, 1}),
			passkeytest.CoseRSA(passkeytest.RS256, bytes.Repeat([]byte{0xff}, 256), []byte{1}),
			passkeytest.CoseRSA(passkeytest.RS256, bytes.Repeat([]byte{0xff}, 256), []byte{2}),
			{}, {0xa0},
		} {
			s.addingFails("", passkeytest.WithPublicKey(key))
		}
	}},
	{"a key with its private part, or with unknown parameters, is refused", func(s *scene) {
		for _, parameter := range []map[any]any{{-4: bytes.Repeat([]byte{1}, 32)}, {2: []byte("kid")}, {4: []int{2}}, {5: []byte{0}}, {-3: []byte{1}, -4: []byte{2}}, {"x": 1}, {-70000: nil}} {
			for _, algorithm := range []passkeytest.Algorithm{passkeytest.ES256, passkeytest.EdDSA, passkeytest.RS256} {
				s.addingFails("", algorithmOnly(algorithm), withParameters(s, parameter))
			}
		}
		for _, algorithm := range []passkeytest.Algorithm{passkeytest.ES256, passkeytest.EdDSA, passkeytest.RS256} {
			device := passkeytest.New(origin)
			device.Algorithms = []passkeytest.Algorithm{algorithm}
			s.succeeds(s.ann.finishes(shared.PathRegisterFinish, s.madeOn(device, s.beginsAdding(s.ann)))(), 201)
		}
	}},
	{"an algorithm that was not offered is refused", func(s *scene) {
		p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			s.Fatal(err)
		}
		point, err := p384.PublicKey.Bytes()
		if err != nil {
			s.Fatal(err)
		}
		n := bytes.Repeat([]byte{0xff}, 256)
		for _, key := range [][]byte{
			passkeytest.CoseEC2(-35, 2, point[1:49], point[49:]), passkeytest.CoseEC2(-7, 2, point[1:49], point[49:]),
			passkeytest.CoseEC2(-47, 8, point[1:33], point[33:65]),
			passkeytest.CoseOKP(-8, 7, bytes.Repeat([]byte{1}, 57)), passkeytest.CoseOKP(-53, 7, bytes.Repeat([]byte{1}, 57)),
			passkeytest.CoseRSA(-65535, n, []byte{1, 0, 1}), passkeytest.CoseRSA(-37, n, []byte{1, 0, 1}), passkeytest.CoseRSA(-258, n, []byte{1, 0, 1}),
			passkeytest.CoseEC2(0, 1, point[1:33], point[33:65]),
		} {
			s.addingFails("", passkeytest.WithPublicKey(key))
		}
	}},
	{"a false or unknown attestation is refused", func(s *scene) {
		s.addingFails("", passkeytest.WithAttestation("none", map[string]any{"sig": []byte{1}}))
		s.addingFails("", passkeytest.WithAttestation("homemade", map[string]any{}))
		s.addingFails("", passkeytest.WithAttestation("", map[string]any{}))
		s.addingFails("", passkeytest.WithPackedSelf(), passkeytest.WithResigned(func(signature []byte) []byte { return signature[:len(signature)-1] }))
		s.addingFails("", passkeytest.WithPackedX5C(), passkeytest.WithAAGUID([16]byte{1}))
		s.addingFails("", passkeytest.WithAttestation("packed", map[string]any{"alg": -7, "sig": []byte{1}, "x5c": []any{}}))
		s.addingFails("", passkeytest.WithAttestation("packed", map[string]any{"alg": -7, "sig": []byte{1}, "x5c": []any{"text"}}))
		for _, format := range []string{"packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound"} {
			s.addingFails("", passkeytest.WithAttestation(format, map[string]any{}))
		}
		s.addingFails("AAGUID", passkeytest.WithFIDOU2F(), passkeytest.WithAAGUID([16]byte{1}), passkeytest.WithFlags(passkeytest.FlagUserVerified, 0))
		s.succeeds(s.adds(s.ann, passkeytest.WithPackedSelf()), 201)
		s.succeeds(s.adds(s.ann, passkeytest.WithPackedX5C()), 201)
	}},
	{"an attestation of format none without its statement is refused", func(s *scene) {
		s.addingFails("no statement", passkeytest.WithAttestation("none", nil))
	}},
	{"a model that nobody attests has no privilege", func(s *scene) {
		yubikey := [16]byte{0xee, 0x88, 0x28, 0x79, 0x72, 0x1c, 0x49, 0x13, 0x97, 0x75, 0x3d, 0xfc, 0xce, 0x97, 0x07, 0x2a}
		row := into[shared.Passkey](s.ann, s.adds(s.ann, passkeytest.WithAAGUID(yubikey)), 201)
		if row.Provider == "" || s.record(s.ann).Passkeys[1].Format != "none" {
			s.Errorf("row %+v", row)
		}
		s.onlyAttested()
		s.wrongAuthenticator(passkeytest.WithAAGUID(yubikey))
	}},
	{"where attestation is required, an answer without it is refused", func(s *scene) {
		s.onlyAttested()
		s.wrongAuthenticator()
		s.wrongAuthenticator(passkeytest.WithPackedSelf())
		begun := s.begins(s.ann, shared.PathRegisterBegin, nil)
		if !strings.Contains(string(begun.PublicKey), `"attestation":"direct"`) {
			s.Errorf("it isn't asked for: %s", begun.PublicKey)
		}
		s.refusesAs(403, shared.CodeAuthenticatorRefused, "silently", s.ann.finishes(shared.PathRegisterBegin, `{"mediation":"conditional"}`))
		s.succeeds(s.adds(s.ann, passkeytest.WithPackedX5C()), 201)
		s.succeeds(s.adds(s.ann, passkeytest.WithFIDOU2F(), passkeytest.WithFlags(passkeytest.FlagUserVerified, 0)), 201)

		s.restarts(func(c *server.Config) { c.AttestationRoots = x509.NewCertPool() }) // other makers'
		s.wrongAuthenticator(passkeytest.WithPackedX5C())
	}},
}

// onlyAttested lets the installation take the test devices' maker alone.
func (s *scene) onlyAttested() {
	s.Helper()
	root, err := passkeytest.AttestationRoot()
	if err != nil {
		s.Fatal(err)
	}
	s.restarts(func(c *server.Config) {
		c.AttestationRoots = x509.NewCertPool()
		c.AttestationRoots.AddCert(root)
	})
}

// wrongAuthenticator is a sound answer that the organisation doesn't want.
func (s *scene) wrongAuthenticator(lies ...passkeytest.Lie) {
	s.Helper()
	made := s.made(s.beginsAdding(s.ann), lies...)
	a := s.refusesAs(403, shared.CodeAuthenticatorRefused, "attestation", s.ann.finishes(shared.PathRegisterFinish, made))
	if !strings.Contains(string(a.body), "Only security keys from your organisation") {
		s.Errorf("it doesn't say what to do: %s", a)
	}
}

// algorithmOnly attests a sound key of an algorithm.
func algorithmOnly(algorithm passkeytest.Algorithm) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		switch algorithm {
		case passkeytest.EdDSA:
			a.PublicKey = passkeytest.CoseOKP(algorithm, 6, ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
		case passkeytest.RS256:
			a.PublicKey = passkeytest.CoseRSA(algorithm, soundModulus(), []byte{1, 0, 1})
		}
	}
}

var soundModulus = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key.N.Bytes()
})

// withParameters adds parameters to the attested key.
func withParameters(s *scene, parameters map[any]any) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		var key map[any]any
		if err := cbor.Unmarshal(a.PublicKey, &key); err != nil {
			s.Fatal(err)
		}
		for label, value := range parameters {
			if n, is := label.(int); is && n < 0 {
				key[int64(n)] = value
			} else if is {
				key[uint64(n)] = value
			} else {
				key[label] = value
			}
		}
		encoded, err := cbor.Marshal(key)
		if err != nil {
			s.Fatal(err)
		}
		a.PublicKey = encoded
	}
}
