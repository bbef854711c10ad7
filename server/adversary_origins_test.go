package server_test

import (
	"bytes"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// originClaims are about where, and for what, a passkey answered: the type, the challenge,
// the origin, the frame and the relying party id.
var originClaims = []claim{
	{"an answer of the other ceremony is refused", func(s *scene) {
		s.signInFails("type", passkeytest.WithType("webauthn.create"))
		s.confirmationFails("type", passkeytest.WithType("webauthn.create"))
		s.addingFails("type", passkeytest.WithType("webauthn.get"))
		s.everywhereFails("type", passkeytest.WithType("payment.get"))
	}},
	{"a missing, empty, padded or different challenge is refused", func(s *scene) {
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
	{"an origin of another scheme, host or port is refused", func(s *scene) {
		for _, origin := range []string{
			"https://localhost:8080", "http://localhost", "http://localhost:8081", "http://a.localhost:8080",
			"http://localhost:8080.evil.test", "http://localhost.evil.test:8080", "http://evil.test", "null", "",
		} {
			s.everywhereFails("origin", passkeytest.WithOrigin(origin))
		}
	}},
	{"our origin with a path, a user or upper case is refused", func(s *scene) {
		for _, origin := range []string{
			"http://localhost:8080/", "http://localhost:8080/sign-in", "http://localhost:8080?", "http://ann@localhost:8080",
			"HTTP://localhost:8080", "http://LOCALHOST:8080", " http://localhost:8080",
		} {
			s.everywhereFails("origin", passkeytest.WithOrigin(origin))
		}
	}},
	{"an answer from a frame of another site is refused", func(s *scene) {
		s.everywhereFails("frame of another site", passkeytest.WithCrossOrigin())
	}},
	{"an answer with a top origin is refused", func(s *scene) {
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
	{"the hash of another relying party id is refused", func(s *scene) {
		s.everywhereFails("RP Hash", passkeytest.WithRPID("evil.test"))
		s.everywhereFails("RP Hash", passkeytest.WithRPIDHash([32]byte{}))
	}},
	{"a passkey of an earlier relying party id is refused, and only its holder learns why", func(s *scene) {
		user := s.record(s.ann)
		user.Passkeys[0].RPID = "old.example.com"
		if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			s.Fatal(err)
		}
		elsewhere := passkeytest.WithRPID("old.example.com")
		s.signInIsExplained(400, shared.CodePasskeyElsewhere, "relying party", "another address (old.example.com)", elsewhere)
		s.signInFails("", elsewhere, passkeytest.WithSignature([]byte("wrong")))
		s.signInFails("RP Hash", passkeytest.WithRPID("evil.test"))
	}},
}
