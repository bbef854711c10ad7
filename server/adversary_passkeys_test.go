package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// passkeyClaims are about which passkeys, and whose, are accepted.
var passkeyClaims = []claim{
	{"an id that the user has already is refused and changes nothing", func(s *scene) {
		hers := s.record(s.ann).Passkeys[0].CredentialID
		made := s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(hers))
		s.refusesAs(409, shared.CodePasskeyExists, "", s.ann.finishes(shared.PathRegisterFinish, made))
	}},
	{"an id that is added twice at once is added once", func(s *scene) {
		id := bytes.Repeat([]byte{9}, 32)
		one, two := s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(id)), s.made(s.beginsAdding(s.ann), passkeytest.WithCredentialID(id))
		a, b := both(s.ann.finishes(shared.PathRegisterFinish, one), s.ann.finishes(shared.PathRegisterFinish, two))
		s.oneOf(a, b, 201, 409)
		if rows := s.ann.lists().Passkeys; len(rows) != 2 {
			s.Errorf("%d rows", len(rows))
		}
	}},
	{"a signature that is empty, raw, too long or of another key is refused", func(s *scene) {
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
	{"a sign-in without a user handle is refused", func(s *scene) {
		s.signInFails("user handle", passkeytest.WithUserHandle(nil))
		s.signInFails("user handle", passkeytest.WithUserHandle([]byte{}))
		s.signInFails("user handle", passkeytest.WithResponseMember("userHandle", nil))
	}},
	{"an unknown passkey is refused as a wrong signature is", func(s *scene) {
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
			s.Error("the password manager may remove a passkey that nobody has")
		}
		if !reflect.DeepEqual(unknown, wrong) {
			s.Errorf("unknown: %+v\nwrong:   %+v", unknown, wrong)
		}
		s.signInFails("nobody has this passkey", passkeytest.WithCredentialID([]byte("nobody's")))
	}},
	{"a removed passkey is refused, and its holder learns why", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		into[shared.PasskeyList](s.ann, s.ann.sends("DELETE", shared.PathPasskey+s.ann.lists().Passkeys[0].ID, nil), 200)
		for range 2 {
			s.saysUnknown(true, s.refusesAs(400, shared.CodePasskeyRemoved, "the passkey was removed here", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, begun))))
			begun = s.beginsSignIn(s.ann)
		}
	}},
	{"a disabled user is refused, and only the passkey's holder learns why", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		if err := s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")); err != nil {
			s.Fatal(err)
		}
		a := s.refusesAs(403, shared.CodeAccountDisabled, "disabled", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, begun)))
		if !strings.Contains(string(a.body), "Your account is disabled") {
			s.Errorf("it doesn't say what to do: %s", a)
		}
		// Whoever doesn't hold the passkey doesn't learn that there is such an account.
		s.signInFails("", passkeytest.WithSignature([]byte("wrong")))
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return s.ann.sends("GET", shared.PathAccount, nil) })
		s.refusesAs(401, shared.CodeSignInRefused, "disabled", s.ann.finishes(shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}), shared.EventSignInFailed)
	}},
}
