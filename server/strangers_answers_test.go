package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// together is several lies in one.
func together(lies ...passkeytest.Lie) passkeytest.Lie {
	return func(a *passkeytest.Answer) {
		for _, lie := range lies {
			lie(a)
		}
	}
}

// answerLines are about what an authenticator and its browser say.
var answerLines = []line{
	{"clientData.type of the other ceremony", func(s *scene) {
		s.signInFails("type", passkeytest.WithType("webauthn.create"))
		s.confirmationFails("type", passkeytest.WithType("webauthn.create"))
		s.addingFails("type", passkeytest.WithType("webauthn.get"))
		s.everywhereFails("type", passkeytest.WithType("payment.get"))
	}},
	{"challenge missing, empty, padded, different", func(s *scene) {
		s.everywhereFails("challenge", func(a *passkeytest.Answer) {
			a.ClientData = []byte(`{"type":"` + a.Type + `","origin":"` + a.Origin + `","crossOrigin":false}`)
		})
		s.everywhereFails("challenge", passkeytest.WithChallenge(""))
		s.everywhereFails("challenge", func(a *passkeytest.Answer) { a.Challenge += "=" })
		s.everywhereFails("challenge", func(a *passkeytest.Answer) { a.Challenge += "AAAA" })
		s.everywhereFails("challenge", func(a *passkeytest.Answer) { a.Challenge = a.Challenge[:20] })
		other := challengeOf(s, s.beginsSignIn(s.ann))
		s.everywhereFails("challenge", passkeytest.WithChallenge(other))
	}},
	{"origin http, other port, subdomain, suffix trick, null", func(s *scene) {
		for _, origin := range []string{
			"https://localhost:8080", "http://localhost", "http://localhost:8081", "http://a.localhost:8080",
			"http://localhost:8080.evil.test", "http://localhost.evil.test:8080", "http://evil.test", "null", "",
		} {
			s.everywhereFails("origin", passkeytest.WithOrigin(origin))
		}
	}},
	{"origin with path, user info, upper case", func(s *scene) {
		for _, origin := range []string{
			"http://localhost:8080/", "http://localhost:8080/sign-in", "http://localhost:8080?", "http://ann@localhost:8080",
			"HTTP://localhost:8080", "http://LOCALHOST:8080", " http://localhost:8080",
		} {
			s.everywhereFails("origin", passkeytest.WithOrigin(origin))
		}
	}},
	{"crossOrigin true", func(s *scene) {
		s.everywhereFails("frame of another site", passkeytest.WithCrossOrigin())
	}},
	{"topOrigin present", func(s *scene) {
		for _, name := range []string{`"topOrigin":""`, `"top\u004frigin":"https://evil.test"`, `"topOrigin":{}`} {
			s.everywhereFails("top origin", inClientData(name))
		}
		// A text inside of another member is none.
		s.succeeds(s.signsIn(s.ann, inClientData(`"hint":"\"topOrigin\""`)), 200)

		s.everywhereFails("top origin", passkeytest.WithTopOrigin("https://evil.test"))
		s.everywhereFails("top origin", passkeytest.WithTopOrigin(origin))
		s.everywhereFails("top origin", func(a *passkeytest.Answer) {
			a.ClientData = append(bytes.TrimSuffix(a.EncodeClientData(), []byte("}")), `,"topOrigin":null}`...)
		})
	}},
	{"wrong rpIdHash", func(s *scene) {
		s.everywhereFails("RP Hash", passkeytest.WithRPID("evil.test"))
		s.everywhereFails("RP Hash", passkeytest.WithRPIDHash([32]byte{}))
	}},
	{"UP clear", func(s *scene) {
		s.everywhereFails("User presence", passkeytest.WithoutUserPresence())
	}},
	{"UV clear", func(s *scene) {
		// Whoever proves that they hold the passkey is told what is wrong with it.
		const sentence = "didn't check that it's you"
		s.toldAtSignIn(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.toldAtConfirmation(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.toldAtAdding(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.everywhereFails("", passkeytest.WithoutUserVerification(), passkeytest.WithChallenge("AAAA"))
		s.signInFails("", passkeytest.WithoutUserVerification(), passkeytest.WithSignature([]byte("wrong")))
	}},
	{"conditional create with UP=UV=0: accepted, marked", func(s *scene) {
		begun := s.begins(s.ann, shared.PathRegisterBegin, shared.BeginRegistration{Mediation: "conditional"})
		begun.PublicKey = without(s, begun.PublicKey, "excludeCredentials")
		made := s.made(begun, passkeytest.WithoutUserPresence(), passkeytest.WithoutUserVerification())
		row := into[shared.Passkey](s.ann, s.ann.finishes(shared.PathRegisterFinish, made)(), 201)
		if !row.Unverified {
			s.Errorf("it isn't marked: %+v", row)
		}
	}},
	{"such an answer to a normal ticket: refused", func(s *scene) {
		s.addingFails("User presence", passkeytest.WithoutUserPresence(), passkeytest.WithoutUserVerification())
		s.addingFails("User presence", passkeytest.WithoutUserPresence())
	}},
	{"BE=0 BS=1", func(s *scene) {
		s.everywhereFails("Backup", passkeytest.WithFlags(passkeytest.FlagBackedUp, passkeytest.FlagBackupEligible))
	}},
	{"BE 0 later 1: accepted, flags stored, an event; BE 1 later 0: refused", func(s *scene) {
		const be, bs = passkeytest.FlagBackupEligible, passkeytest.FlagBackedUp
		for i, begins := range []func(*visitor) shared.Ceremony{s.beginsSignIn, s.beginsConfirmation} {
			finish := []string{shared.PathSignInFinish, shared.PathConfirmFinish}[i]
			carol := s.user([]string{"carol", "dora"}[i])
			carol.registers("local at first")
			synced := passkeytest.WithFlags(be|bs, 0)
			s.succeeds(carol.finishes(finish, s.proof(carol.device, begins(carol), synced))(), 200)
			if flags := s.record(carol).Passkeys[0].Flags; flags&(be|bs) != be|bs {
				s.Errorf("flags %08b are stored", flags)
			}
			if n := s.events(carol)[shared.EventBackupChanged]; n != 1 || !carol.lists().Passkeys[0].Synced {
				s.Errorf("%d events, rows %+v", n, carol.lists().Passkeys)
			}

			for _, told := range []string{"first", "again"} {
				proof := s.proof(carol.device, begins(carol))
				a := s.refusesAs(400, shared.CodePasskeyChanged, "Backup", carol.finishes(finish, proof))
				if !strings.Contains(string(a.body), "has changed this passkey") {
					s.Errorf("%s: it doesn't say what to do: %s", told, a)
				}
			}
			s.succeeds(carol.finishes(finish, s.proof(carol.device, begins(carol), synced))(), 200)
			// Without the key, it is an answer like any other.
			s.refuses("", carol.finishes(finish, s.proof(carol.device, begins(carol), passkeytest.WithSignature([]byte("wrong")))))
		}
	}},
	{"BS 1→0: accepted, stored, an event", func(s *scene) {
		carol := s.user("carol")
		carol.device.BackupEligible, carol.device.BackedUp = true, true
		carol.registers("synced")
		carol.device.BackedUp = false
		s.succeeds(s.signsIn(carol), 200)
		if flags := s.record(carol).Passkeys[0].Flags; flags&passkeytest.FlagBackedUp != 0 || flags&passkeytest.FlagBackupEligible == 0 {
			s.Errorf("flags %08b are stored", flags)
		}
		if n := s.events(carol)[shared.EventBackupChanged]; n != 1 || carol.lists().Passkeys[0].Synced {
			s.Errorf("%d events, rows %+v", n, carol.lists().Passkeys)
		}
	}},
	{"counter equal or lower and non-zero: with BE=0 refused, with BE=1 accepted, an event each", func(s *scene) {
		s.succeeds(s.signsIn(s.ann, passkeytest.WithSignCount(5)), 200)
		for i, count := range []uint32{5, 4, 0} {
			for path, begins := range map[string]func(*visitor) shared.Ceremony{shared.PathSignInFinish: s.beginsSignIn, shared.PathConfirmFinish: s.beginsConfirmation} {
				proof := s.proof(s.ann.device, begins(s.ann), passkeytest.WithSignCount(count))
				a := s.refusesAs(400, shared.CodePasskeyCopied, "counter", s.ann.finishes(path, proof), shared.EventCounterFell)
				if !strings.Contains(string(a.body), "may have been copied") || !strings.Contains(string(a.body), "remove it") {
					s.Errorf("it doesn't say what to do: %s", a)
				}
			}
			if n := s.events(s.ann)[shared.EventCounterFell]; n != 2*(i+1) {
				s.Errorf("count %d: %d events", count, n)
			}
		}
		s.succeeds(s.signsIn(s.ann, passkeytest.WithSignCount(6)), 200)

		carol := s.user("carol")
		carol.device.BackupEligible = true
		carol.registers("synced")
		s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(50)), 200)
		for i, count := range []uint32{0, 50, 49} {
			s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(count)), 200)
			confirmed := carol.finishes(shared.PathConfirmFinish, s.proof(carol.device, s.beginsConfirmation(carol), passkeytest.WithSignCount(count)))
			s.succeeds(confirmed(), 200)
			if kept := s.record(carol).Passkeys[0].SignCount; kept != 50 {
				s.Errorf("count %d: %d is kept", count, kept)
			}
			if n := s.events(carol)[shared.EventCounterDiffers]; n != 2*(i+1) {
				s.Errorf("count %d: %d events", count, n)
			}
		}
		s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(51)), 200)
		if events, kept := s.events(carol), s.record(carol).Passkeys[0].SignCount; kept != 51 || events[shared.EventCounterFell] != 0 {
			s.Errorf("%d is kept, events %v", kept, events)
		}
	}},
	{"counter 0/0: fine", func(s *scene) {
		for range 3 {
			s.succeeds(s.signsIn(s.ann), 200)
		}
		if n := s.events(s.ann)[shared.EventCounterFell]; n != 0 {
			s.Errorf("%d events", n)
		}
	}},
	{"id, rawId and attested id differ", func(s *scene) {
		other := bytes.Repeat([]byte{7}, 32)
		s.addingFails("", passkeytest.WithSaidID(other))
		s.everywhereFails("", passkeytest.WithSaidRawID(other))
		s.addingFails("", func(a *passkeytest.Answer) {
			a.SaidID, a.SaidRawID = other, a.CredentialID
		})
		s.everywhereFails("", passkeytest.WithMember("id", "not base64!"))
		s.everywhereFails("", passkeytest.WithMember("type", "password"))
	}},
	{"credential id empty or 1024 bytes", func(s *scene) {
		s.addingFails("", passkeytest.WithCredentialID([]byte{}))
		s.addingFails("", passkeytest.WithCredentialID(make([]byte, 1024)))
		s.succeeds(s.adds(s.ann, passkeytest.WithCredentialID(make([]byte, 1023))), 201)
	}},
	{"id already this user's: 409, unchanged", func(s *scene) {
		hers := s.record(s.ann).Passkeys[0].CredentialID
		made := s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(hers))
		s.refusesAs(409, shared.CodePasskeyExists, "", s.ann.finishes(shared.PathRegisterFinish, made))
	}},
	{"id of another user: refused, owner unchanged", func(s *scene) {
		hers := s.record(s.ann).Passkeys[0].CredentialID
		made := s.made(s.beginsAdding(s.bob), passkeytest.WithCredentialID(hers))
		s.refuses("credential id", s.bob.finishes(shared.PathRegisterFinish, made))
		s.succeeds(s.signsIn(s.ann), 200)
	}},
	{"one id registered twice at once: one row", func(s *scene) {
		id := bytes.Repeat([]byte{9}, 32)
		one, two := s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(id)), s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(id))
		a, b := both(s.ann.finishes(shared.PathRegisterFinish, one), s.ann.finishes(shared.PathRegisterFinish, two))
		s.oneOf(a, b, 201, 409)
		if rows := s.ann.lists().Passkeys; len(rows) != 2 {
			s.Errorf("%d rows", len(rows))
		}
	}},
	{"key without x/y, off curve, wrong kty, weak RSA", func(s *scene) {
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
	{"algorithm not offered", func(s *scene) {
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
	{"fmt none with a statement, unknown fmt", func(s *scene) {
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
	{"fmt none without attStmt", func(s *scene) {
		s.addingFails("no statement", passkeytest.WithAttestation("none", nil))
	}},
	{"a security key's AAGUID with fmt none: accepted, shown as unverified, no privilege", func(s *scene) {
		yubikey := [16]byte{0xee, 0x88, 0x28, 0x79, 0x72, 0x1c, 0x49, 0x13, 0x97, 0x75, 0x3d, 0xfc, 0xce, 0x97, 0x07, 0x2a}
		row := into[shared.Passkey](s.ann, s.adds(s.ann, passkeytest.WithAAGUID(yubikey)), 201)
		if row.Provider == "" || s.record(s.ann).Passkeys[1].Format != "none" {
			s.Errorf("row %+v", row)
		}
		s.onlyAttested()
		s.wrongAuthenticator(passkeytest.WithAAGUID(yubikey))
	}},
	{"attestation required and none sent", func(s *scene) {
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
	{"authData truncated, trailing, AT/ED mismatched", func(s *scene) {
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
	{"CBOR indefinite, duplicate key, huge length, trailing: no panic", func(s *scene) {
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
	{"JSON of wrong types, trailing data, deep nesting: 400; 10 MB body: 413", func(s *scene) {
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
	{"signature empty, raw r‖s, trailing byte, wrong key", func(s *scene) {
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			s.Fatal(err)
		}
		for _, lie := range []passkeytest.Lie{
			passkeytest.WithSignature([]byte{}), passkeytest.WithResigned(passkeytest.RawES256),
			passkeytest.WithResigned(func(signature []byte) []byte { return append(signature, 0) }),
			passkeytest.WithResigned(func(signature []byte) []byte { return signature[:len(signature)-1] }),
			passkeytest.WithKey(other), passkeytest.WithoutResponseMember("signature"),
			passkeytest.WithSignature([]byte{0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00}), // r = s = 0
		} {
			s.signInFails("", lie)
			s.confirmationFails("", lie)
		}
	}},
	{"userHandle missing at passkey sign-in", func(s *scene) {
		s.signInFails("user handle", passkeytest.WithUserHandle(nil))
		s.signInFails("user handle", passkeytest.WithUserHandle([]byte{}))
		s.signInFails("user handle", passkeytest.WithResponseMember("userHandle", nil))
	}},
	{"userHandle of A with a credential of B", func(s *scene) {
		his := s.record(s.bob).Handle
		s.signInFails("user handle", passkeytest.WithUserHandle(his))
		s.confirmationFails("", passkeytest.WithUserHandle(his))
		his[0] ^= 1
		s.signInFails("user handle", passkeytest.WithUserHandle(his))
	}},
	{"unknown credential: as a bad signature", func(s *scene) {
		problem := func(lie passkeytest.Lie) (p shared.Problem) {
			a := s.signsIn(s.ann, lie)
			if err := json.Unmarshal(a.body, &p); err != nil {
				s.Fatal(err)
			}
			p.RequestID = ""
			return p
		}
		unknown, wrong := problem(passkeytest.WithCredentialID([]byte("nobody's"))), problem(passkeytest.WithSignature([]byte("wrong")))
		// It may be another server's: its password manager keeps it.
		if unknown.UnknownCredential {
			s.Error("a passkey that nobody has is told to be removed")
		}
		if !reflect.DeepEqual(unknown, wrong) {
			s.Errorf("unknown: %+v\nwrong:   %+v", unknown, wrong)
		}
		s.signInFails("nobody has this passkey", passkeytest.WithCredentialID([]byte("nobody's")))
	}},
	{"removed passkey", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		into[shared.PasskeyList](s.ann, s.ann.sends("DELETE", shared.PathPasskey+s.ann.lists().Passkeys[0].ID, nil), 200)
		for range 2 {
			s.saysUnknown(true, s.refusesAs(400, shared.CodePasskeyRemoved, "the passkey was removed here", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, begun))))
			begun = s.beginsSignIn(s.ann)
		}
	}},
	{"disabled account: refused, no session", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		if err := s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")); err != nil {
			s.Fatal(err)
		}
		a := s.refusesAs(403, shared.CodeAccountDisabled, "disabled", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, begun)))
		if !strings.Contains(string(a.body), "Your account is disabled") {
			s.Errorf("it doesn't say what to do: %s", a)
		}
		// Who doesn't hold the passkey isn't told that there is such an account.
		s.signInFails("", passkeytest.WithSignature([]byte("wrong")))
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return s.ann.sends("GET", shared.PathAccount, nil) })
		s.refusesAs(401, shared.CodeSignInRefused, "disabled", s.ann.finishes(shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}), shared.EventSignInFailed)
	}},
	{"unsolicited extensions: accepted, ignored", func(s *scene) {
		extensions := together(passkeytest.WithExtensions([]byte("\xa1\x6bcredProtect\x02")),
			passkeytest.WithMember("clientExtensionResults", map[string]any{"credProps": map[string]any{"rk": true}, "appid": true, "unknown": []int{1}}))
		s.succeeds(s.adds(s.ann, extensions), 201)
		s.succeeds(s.signsIn(s.ann, extensions), 200)
		s.signInFails("", extensions, passkeytest.WithSignature([]byte("wrong")))
		for _, odd := range []any{nil, "none", []int{1}, map[string]any{"credProps": true}, map[string]any{"credProps": map[string]any{"rk": "no"}}} {
			s.succeeds(s.adds(s.ann, passkeytest.WithMember("clientExtensionResults", odd)), 201)
			s.succeeds(s.signsIn(s.ann, passkeytest.WithMember("clientExtensionResults", odd)), 200)
		}
		s.toldAtAdding(400, shared.CodeNotDiscoverable, "discoverable", "can't keep a passkey",
			passkeytest.WithMember("clientExtensionResults", map[string]any{"credProps": map[string]any{"rk": false}}))
	}},
	{"transports with markup or 5 kB strings: filtered", func(s *scene) {
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
