package server_test

import (
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// verificationClaims are about user presence, which is a touch, and user verification.
var verificationClaims = []claim{
	{"an answer without user presence is refused", func(s *scene) {
		s.everywhereFails("User presence", passkeytest.WithoutUserPresence())
	}},
	{"an answer without user verification is refused, and only the passkey's holder learns why", func(s *scene) {
		// Whoever proves that they hold the passkey reads what is wrong with it.
		const sentence = "didn't check that it's you"
		s.signInIsExplained(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.confirmationIsExplained(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.addingIsExplained(400, shared.CodeUserNotVerified, "user verification", sentence, passkeytest.WithoutUserVerification())
		s.everywhereFails("", passkeytest.WithoutUserVerification(), passkeytest.WithChallenge("AAAA"))
		s.signInFails("", passkeytest.WithoutUserVerification(), passkeytest.WithSignature([]byte("wrong")))
	}},
	{"a passkey that is added silently needs neither, and is marked", func(s *scene) {
		begun := s.begins(s.ann, shared.PathRegisterBegin, shared.BeginRegistration{Mediation: "conditional"})
		begun.PublicKey = without(s, begun.PublicKey, "excludeCredentials")
		made := s.made(begun, passkeytest.WithoutUserPresence(), passkeytest.WithoutUserVerification())
		row := into[shared.Passkey](s.ann, s.ann.finishes(shared.PathRegisterFinish, made)(), 201)
		if !row.Unverified {
			s.Errorf("it isn't marked: %+v", row)
		}
	}},
	{"an answer without them is refused where the passkey isn't added silently", func(s *scene) {
		s.addingFails("User presence", passkeytest.WithoutUserPresence(), passkeytest.WithoutUserVerification())
		s.addingFails("User presence", passkeytest.WithoutUserPresence())
	}},
}
