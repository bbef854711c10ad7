package server_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"strings"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// writtenLines are about how answers are written, which password managers do in their own
// ways: strict is what decides, lenient the rest.
var writtenLines = []line{
	{"members of other letters, twice, and of an odd type: what decides is strict, the rest isn't", func(s *scene) {
		for _, member := range []string{"id", "rawId", "type"} {
			s.everywhereFails("", renamed(member, strings.ToUpper(member)))
			s.everywhereFails("", passkeytest.WithMember(member, nil))
		}
		for _, member := range []string{"clientDataJSON", "authenticatorData", "signature"} {
			s.signInFails("", renamedInResponse(member, strings.ToLower(member)))
			s.confirmationFails("", passkeytest.WithResponseMember(member, nil))
		}
		s.addingFails("", renamedInResponse("attestationObject", "attestationobject"))
		s.everywhereFails("", renamed("response", "Response"))
		// One that is added in other letters is nobody's.
		s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("ID", "AAAA"), passkeytest.WithResponseMember("SIGNATURE", "AAAA")), 200)

		for _, member := range []string{"type", "challenge", "origin"} {
			s.everywhereFails("", func(a *passkeytest.Answer) {
				a.ClientData = bytes.Replace(a.EncodeClientData(), []byte(`"`+member+`"`), []byte(`"`+strings.ToUpper(member)+`"`), 1)
			})
		}
		s.everywhereFails("", inClientData(`"origin":"http://localhost:8080"`))
		s.everywhereFails("", inClientData(`"type":"webauthn.get"`))
		s.everywhereFails("", inClientData(`"crossOrigin":false`))
		s.succeeds(s.signsIn(s.ann, inClientData(`"ORIGIN":"https://evil.test","Type":"x","crossorigin":true`)), 200)

		for _, odd := range []any{nil, 7, "phone", []string{"platform"}} {
			s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("authenticatorAttachment", odd)), 200)
			s.succeeds(s.adds(s.ann, passkeytest.WithMember("authenticatorAttachment", odd), passkeytest.WithResponseMember("publicKey", odd),
				passkeytest.WithResponseMember("publicKeyAlgorithm", odd), passkeytest.WithResponseMember("authenticatorData", odd)), 201)
		}
		s.succeeds(s.signsIn(s.ann, passkeytest.WithoutMember("authenticatorAttachment"), passkeytest.WithoutMember("clientExtensionResults")), 200)
		confirmed := s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.beginsConfirmation(s.ann), passkeytest.WithResponseMember("userHandle", nil)))
		s.succeeds(confirmed(), 200)
		s.confirmationFails("", passkeytest.WithResponseMember("userHandle", 7))

		// The envelope decides too.
		begun := s.beginsSignIn(s.ann)
		proof := s.proof(s.ann.device, begun)
		s.refuses("ticket", s.ann.finishes(shared.PathSignInFinish, map[string]any{"TICKET": proof.Ticket, "credential": proof.Credential}))
		s.refusesAs(400, shared.CodeInvalidRequest, "duplicate", s.ann.finishes(shared.PathSignInFinish, `{"ticket":"x","ticket":"`+proof.Ticket+`","credential":`+string(proof.Credential)+`}`))
		s.succeeds(s.ann.finishes(shared.PathSignInFinish, proof)(), 200)
	}},
	{"a byte order mark before client data: accepted", func(s *scene) {
		mark := func(a *passkeytest.Answer) { a.ClientData = append([]byte("\xef\xbb\xbf"), a.EncodeClientData()...) }
		s.succeeds(s.adds(s.ann, mark), 201)
		s.succeeds(s.signsIn(s.ann, mark), 200)
		s.everywhereFails("client data", mark, mark)
		s.everywhereFails("client data", func(a *passkeytest.Answer) { a.ClientData = append(a.EncodeClientData(), "{}"...) })
		// The signature covers the mark.
		s.signInFails("", func(a *passkeytest.Answer) {
			mark(a)
			change := a.Rewrite
			a.Rewrite = func(credential map[string]any) {
				if change != nil {
					change(credential)
				}
				response := credential["response"].(map[string]any)
				response["clientDataJSON"] = base64.RawURLEncoding.EncodeToString(bytes.TrimPrefix(a.ClientData, []byte("\xef\xbb\xbf")))
			}
		})
	}},
	{"ids in base64url: padding is accepted, another alphabet and line breaks aren't", func(s *scene) {
		id := base64.RawURLEncoding.EncodeToString(s.record(s.ann).Passkeys[0].CredentialID)
		s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("id", id+"="), passkeytest.WithMember("rawId", id+"==")), 200)
		for _, odd := range []string{"", "=", id[:10] + "\n" + id[10:], id + "\r\n", id + "+/", " " + id, id[:4] + "=" + id[4:]} {
			s.everywhereFails("", passkeytest.WithMember("id", odd))
			s.everywhereFails("", passkeytest.WithMember("rawId", odd))
			s.everywhereFails("", passkeytest.WithMember("id", odd), passkeytest.WithMember("rawId", odd))
		}
	}},
	{"attestation objects with members of other letters", func(s *scene) {
		for _, names := range [][3]string{{"FMT", "attStmt", "authData"}, {"fmt", "AttStmt", "authData"}, {"fmt", "attStmt", "AUTHDATA"}} {
			s.addingFails("", withAttestation(s, map[string]string{"fmt": names[0], "attStmt": names[1], "authData": names[2]}, nil))
		}
		same := map[string]string{"fmt": "fmt", "attStmt": "attStmt", "authData": "authData"}
		s.succeeds(s.adds(s.ann, withAttestation(s, same, nil)), 201)
		s.addingFails("", withAttestation(s, same, map[string]any{"AuthData": []byte{1}}))
		s.addingFails("", withAttestation(s, same, map[string]any{"Fmt": "packed"}))
	}},
	{"a passkey of another relying party id: told to whoever holds it", func(s *scene) {
		user := s.record(s.ann)
		user.Passkeys[0].RPID = "old.example.com"
		if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			s.Fatal(err)
		}
		elsewhere := passkeytest.WithRPID("old.example.com")
		s.toldAtSignIn(400, shared.CodePasskeyElsewhere, "relying party", "another address (old.example.com)", elsewhere)
		s.signInFails("", elsewhere, passkeytest.WithSignature([]byte("wrong")))
		s.signInFails("RP Hash", passkeytest.WithRPID("evil.test"))
	}},
	{"a key with its private part, or with parameters that nobody asked for", func(s *scene) {
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
}

// toldAtSignIn, toldAtConfirmation and toldAtAdding check that who holds the passkey is
// told what is wrong with it, and that the ticket is spent.
func (s *scene) toldAtSignIn(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsSignIn(s.ann)
	s.told(status, code, cause, sentence, shared.PathSignInFinish, s.proof(s.ann.device, begun, lies...), s.proof(s.ann.device, begun))
}

func (s *scene) toldAtConfirmation(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsConfirmation(s.ann)
	s.told(status, code, cause, sentence, shared.PathConfirmFinish, s.proof(s.ann.device, begun, lies...), s.proof(s.ann.device, begun))
}

func (s *scene) toldAtAdding(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsAdding(s.ann)
	s.told(status, code, cause, sentence, shared.PathRegisterFinish, s.made(begun, lies...), s.made(begun))
}

func (s *scene) told(status int, code shared.Code, cause, sentence, path string, lie, truth shared.FinishCeremony) {
	s.Helper()
	a := s.refusesAs(status, code, cause, s.ann.finishes(path, lie))
	if !strings.Contains(string(a.body), sentence) {
		s.Errorf("it doesn't say %q: %s", sentence, a)
	}
	s.refuses(again, s.ann.finishes(path, truth))
}

// inClientData adds members to the client data.
func inClientData(members string) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		a.ClientData = append(bytes.TrimSuffix(a.EncodeClientData(), []byte("}")), ","+members+"}"...)
	}
}

func rename(members map[string]any, from, to string) {
	members[to] = members[from]
	delete(members, from)
}

// renamed lets a member of the credential have another name.
func renamed(from, to string) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		a.Rewrite = func(credential map[string]any) { rename(credential, from, to) }
	}
}

func renamedInResponse(from, to string) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		a.Rewrite = func(credential map[string]any) { rename(credential["response"].(map[string]any), from, to) }
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

// withAttestation writes the attestation object with other names, and more members.
func withAttestation(s *scene, names map[string]string, more map[string]any) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		object := map[string]any{names["fmt"]: "none", names["attStmt"]: map[string]any{}, names["authData"]: a.EncodeAuthData()}
		maps.Copy(object, more)
		encoded, err := cbor.Marshal(object)
		if err != nil {
			s.Fatal(err)
		}
		a.AttestationObject = encoded
	}
}
