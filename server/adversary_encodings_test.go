package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"reflect"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// encodingClaims are about how answers are written. Password managers write them in their
// own ways, so the server is strict about what decides, and lenient about the rest.
var encodingClaims = []claim{
	{"an id that differs from the raw or the attested id is refused", func(s *scene) {
		other := bytes.Repeat([]byte{7}, 32)
		s.addingFails("", passkeytest.WithClaimedID(other))
		s.everywhereFails("", passkeytest.WithClaimedRawID(other))
		s.addingFails("", func(a *passkeytest.Answer) {
			a.ClaimedID, a.ClaimedRawID = other, a.CredentialID
		})
		s.everywhereFails("", passkeytest.WithMember("id", "not base64!"))
		s.everywhereFails("", passkeytest.WithMember("type", "password"))
	}},
	{"an empty credential id, or one of more than 1023 bytes, is refused", func(s *scene) {
		s.addingFails("", passkeytest.WithCredentialID([]byte{}))
		s.addingFails("", passkeytest.WithCredentialID(make([]byte, 1024)))
		s.succeeds(s.adds(s.ann, passkeytest.WithCredentialID(make([]byte, 1023))), 201)
	}},
	{"an id may be padded, and has no other alphabet and no line breaks", func(s *scene) {
		id := base64.RawURLEncoding.EncodeToString(s.record(s.ann).Passkeys[0].CredentialID)
		s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("id", id+"="), passkeytest.WithMember("rawId", id+"==")), 200)
		for _, odd := range []string{"", "=", id[:10] + "\n" + id[10:], id + "\r\n", id + "+/", " " + id, id[:4] + "=" + id[4:]} {
			s.everywhereFails("", passkeytest.WithMember("id", odd))
			s.everywhereFails("", passkeytest.WithMember("rawId", odd))
			s.everywhereFails("", passkeytest.WithMember("id", odd), passkeytest.WithMember("rawId", odd))
		}
	}},
	{"authenticator data that is cut off, too long or unlike its flags is refused", func(s *scene) {
		for _, n := range []int{0, 1, 32, 33, 36} {
			s.everywhereFails("", func(a *passkeytest.Answer) { a.AuthData = append([]byte{}, a.EncodeAuthData()[:n]...) })
		}
		for _, n := range []int{37, 53, 54, 55, 60, 87, 88, 120} {
			s.addingFails("", func(a *passkeytest.Answer) { a.AuthData = append([]byte{}, a.EncodeAuthData()[:n]...) })
		}
		s.everywhereFails("", func(a *passkeytest.Answer) { a.AuthData = append(a.EncodeAuthData(), 0) })
		s.everywhereFails("", func(a *passkeytest.Answer) { a.AuthData = append(a.EncodeAuthData(), 0xa0) })
		s.addingFails("", passkeytest.WithFlags(0, passkeytest.FlagAttested))
		s.everywhereFails("", passkeytest.WithFlags(passkeytest.FlagExtensions, 0))
		s.signInFails("", func(a *passkeytest.Answer) {
			a.AuthData = a.EncodeAuthData()
			a.AuthData[32] |= passkeytest.FlagAttested
		})
		s.everywhereFails("", passkeytest.WithExtensions([]byte{0xa1}))
		// A length of the credential id that reaches behind the end.
		s.addingFails("", func(a *passkeytest.Answer) {
			a.AuthData = a.EncodeAuthData()
			binary.BigEndian.PutUint16(a.AuthData[53:], 0xffff)
		})
	}},
	{"CBOR with endless, repeated, huge or trailing parts is refused", func(s *scene) {
		object := func(parts func(authData []byte) []byte) passkeytest.Lie {
			return func(a *passkeytest.Answer) {
				data := a.EncodeAuthData()
				a.AttestationObject = parts(append([]byte{0x59, byte(len(data) >> 8), byte(len(data))}, data...))
			}
		}
		const format, none, statement, empty, data = "\x63fmt", "\x64none", "\x67attStmt", "\xa0", "\x68authData"
		good := func(head string, authData []byte, tail string) []byte {
			return append(append([]byte(head+format+none+statement+empty+data), authData...), tail...)
		}
		s.succeeds(s.adds(s.ann, object(func(d []byte) []byte { return good("\xa3", d, "") })), 201)
		for _, lie := range []passkeytest.Lie{
			object(func(d []byte) []byte { return good("\xbf", d, "\xff") }),
			object(func(d []byte) []byte { return good("\xa4", d, format+none) }),
			object(func(d []byte) []byte { return good("\xa4"+format+none, d, "") }),
			object(func(d []byte) []byte { return good("\xa3", d, "\x00") }),
			object(func(d []byte) []byte { return good("\xa3", d, "")[:20] }),
			object(func(d []byte) []byte { return good("\xbb\xff\xff\xff\xff\xff\xff\xff\xff", d, "") }),
			object(func(d []byte) []byte { return []byte("\xa1" + data + "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff") }),
			object(func(d []byte) []byte { return []byte("\x9b\x00\x00\x00\x7f\xff\xff\xff\xff") }),
			object(func(d []byte) []byte { return bytes.Repeat([]byte{0x81}, 15_000) }),
			object(func(d []byte) []byte { return []byte{} }),
			object(func(d []byte) []byte { return []byte("\xf6") }),
			passkeytest.WithPublicKey([]byte("\xbf\x01\x02\x03\x26\xff")),
			passkeytest.WithPublicKey([]byte("\xa2\x01\x02\x01\x02")),
			passkeytest.WithPublicKey([]byte("\xa1\x01\x5b\x7f\xff\xff\xff\xff\xff\xff\xff")),
			passkeytest.WithPublicKey(bytes.Repeat([]byte{0x81}, 15_000)),
			func(a *passkeytest.Answer) { a.PublicKey = append(a.PublicKey, 0xa0) },
			passkeytest.WithExtensions(bytes.Repeat([]byte{0xa1, 0x01}, 10_000)),
		} {
			s.addingFails("", lie)
		}
	}},
	{"an attestation object with members in other letters is refused", func(s *scene) {
		for _, names := range [][3]string{{"FMT", "attStmt", "authData"}, {"fmt", "AttStmt", "authData"}, {"fmt", "attStmt", "AUTHDATA"}} {
			s.addingFails("", withAttestation(s, map[string]string{"fmt": names[0], "attStmt": names[1], "authData": names[2]}, nil))
		}
		same := map[string]string{"fmt": "fmt", "attStmt": "attStmt", "authData": "authData"}
		s.succeeds(s.adds(s.ann, withAttestation(s, same, nil)), 201)
		s.addingFails("", withAttestation(s, same, map[string]any{"AuthData": []byte{1}}))
		s.addingFails("", withAttestation(s, same, map[string]any{"Fmt": "packed"}))
	}},
	{"JSON of wrong types, trailing data, deep nesting or 10 MB is refused", func(s *scene) {
		finishes := []string{shared.PathSignInFinish, shared.PathConfirmFinish, shared.PathRegisterFinish}
		for _, path := range finishes {
			for _, body := range []string{
				``, `null x`, `[]`, `"x"`, `1`, `{"ticket":1}`, `{"ticket":["x"]}`, `{} {}`, `{}]`, `{"ticket":"x"`, "{\"ticket\":\"\xff\x00\"}",
				strings.Repeat(`{"credential":`, 4000), strings.Repeat("[", 60_000),
			} {
				s.refusesAs(400, shared.CodeInvalidRequest, "", s.ann.finishes(path, body))
			}
			s.refusesAs(413, shared.CodeTooLarge, "", s.ann.finishes(path, `{"ticket":"`+strings.Repeat("x", 10<<20)+`"}`))
		}
		for _, credential := range []string{
			`null`, `1`, `"x"`, `[]`, `{}`, `{"id":1}`, `{"id":"AA","rawId":"AA","type":"public-key"}`, `{"id":"AA","rawId":"AA","type":"public-key","response":1}`,
			`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":{},"authenticatorData":[],"signature":1,"attestationObject":true}}`,
			`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"bnVsbA","authenticatorData":"AA","signature":"AA","attestationObject":"AA"}}`,
			strings.Repeat(`{"response":`, 4000) + `1` + strings.Repeat(`}`, 4000), strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		} {
			for _, path := range finishes {
				begin := strings.TrimSuffix(path, "finish") + "begin"
				ticket := s.begins(s.ann, begin, `{}`).Ticket
				s.refuses("", s.ann.finishes(path, `{"ticket":"`+ticket+`","credential":`+credential+`}`))
			}
		}
	}},
	{"members that decide are read by their exact names and types, and the rest leniently", func(s *scene) {
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
	{"a byte order mark before client data is accepted", func(s *scene) {
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
	{"extensions that nobody asked for are ignored", func(s *scene) {
		extensions := together(passkeytest.WithExtensions([]byte("\xa1\x6bcredProtect\x02")),
			passkeytest.WithMember("clientExtensionResults", map[string]any{"credProps": map[string]any{"rk": true}, "appid": true, "unknown": []int{1}}))
		s.succeeds(s.adds(s.ann, extensions), 201)
		s.succeeds(s.signsIn(s.ann, extensions), 200)
		s.signInFails("", extensions, passkeytest.WithSignature([]byte("wrong")))
		for _, odd := range []any{nil, "none", []int{1}, map[string]any{"credProps": true}, map[string]any{"credProps": map[string]any{"rk": "no"}}} {
			s.succeeds(s.adds(s.ann, passkeytest.WithMember("clientExtensionResults", odd)), 201)
			s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("clientExtensionResults", odd)), 200)
		}
		s.addingIsExplained(400, shared.CodeNotDiscoverable, "discoverable", "can't keep a passkey",
			passkeytest.WithMember("clientExtensionResults", map[string]any{"credProps": map[string]any{"rk": false}}))
	}},
	{"unknown transports are left out", func(s *scene) {
		s.succeeds(s.adds(s.ann, passkeytest.WithTransports("usb", "<script>", "usb", strings.Repeat("x", 5000), "", "hybrid", "USB")), 201)
		if got := s.record(s.ann).Passkeys[1].Transports; !reflect.DeepEqual(got, []string{"usb", "hybrid"}) {
			s.Errorf("kept %q", got)
		}
		if options := s.beginsConfirmation(s.ann).PublicKey; bytes.Contains(options, []byte("script")) || bytes.Contains(options, []byte("xxxxxxxxx")) {
			s.Errorf("they come back: %s", options)
		}
		for _, odd := range []any{"usb", nil, 7, map[string]any{}, []any{nil, 1, []int{}}} {
			s.succeeds(s.adds(s.ann, passkeytest.WithResponseMember("transports", odd)), 201)
		}
	}},
}

// together is several lies in one.
func together(lies ...passkeytest.Lie) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		for _, lie := range lies {
			lie(a)
		}
	}
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
