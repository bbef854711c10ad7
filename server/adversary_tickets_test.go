package server_test

import (
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// ticketClaims are about the two halves of a ceremony and the ticket between them.
var ticketClaims = []claim{
	{"a used answer is refused", func(s *scene) {
		proof := s.proof(s.ann.device, s.beginsSignIn(s.ann))
		s.succeeds(s.ann.finishes(shared.PathSignInFinish, proof)(), 200)
		s.refuses("spent ticket", s.ann.finishes(shared.PathSignInFinish, proof))

		proof = s.proof(s.ann.device, s.beginsConfirmation(s.ann))
		s.succeeds(s.ann.finishes(shared.PathConfirmFinish, proof)(), 200)
		s.refuses("another browser", s.ann.finishes(shared.PathConfirmFinish, proof)) // the session has another id now

		made := s.made(s.beginsAdding(s.ann))
		s.succeeds(s.ann.finishes(shared.PathRegisterFinish, made)(), 201)
		s.refusesAs(409, shared.CodePasskeyExists, "", s.ann.finishes(shared.PathRegisterFinish, made))
	}},
	{"of two finishes of one ticket at once exactly one succeeds", func(s *scene) {
		finish := s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann)))
		a, b := both(finish, finish)
		s.oneOf(a, b, 200, 400)
		finish = s.ann.finishes(shared.PathRegisterFinish, s.made(s.beginsAdding(s.ann)))
		a, b = both(finish, finish)
		if n := len(s.record(s.ann).Passkeys); n != 2 || (a.status == 201) == (b.status == 201) {
			s.Errorf("got %s and %s, and %d passkeys", a, b, n)
		}
	}},
	{"a ticket serves one of the users who share a browser", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		hers, his := s.proof(s.ann.device, begun), s.proof(s.bob.device, begun)
		s.succeeds(s.ann.finishes(shared.PathSignInFinish, hers)(), 200)
		s.refuses("spent ticket", s.ann.finishes(shared.PathSignInFinish, his))

		begun = s.beginsSignIn(s.ann)
		hers, his = s.proof(s.ann.device, begun), s.proof(s.bob.device, begun)
		a, b := both(s.ann.finishes(shared.PathSignInFinish, hers), s.ann.finishes(shared.PathSignInFinish, his))
		s.oneOf(a, b, 200, 400)
	}},
	{"a ticket that failed once is refused with a good answer too", func(s *scene) {
		s.signInFails("signature", passkeytest.WithSignature([]byte("signed")))
		s.confirmationFails("signature", passkeytest.WithSignature([]byte("signed")))
		s.addingFails("origin", passkeytest.WithOrigin("https://evil.test"))
	}},
	{"an expired ticket is refused", func(s *scene) {
		signIn, confirmation, adding := s.beginsSignIn(s.ann), s.beginsConfirmation(s.ann), s.beginsAdding(s.ann)
		s.passes(5 * time.Minute)
		s.refusesAs(400, shared.CodeCeremonyExpired, "", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, signIn)))
		s.refusesAs(400, shared.CodeCeremonyExpired, "", s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, confirmation)))
		s.refusesAs(400, shared.CodeCeremonyExpired, "", s.ann.finishes(shared.PathRegisterFinish, s.made(adding)))

		// A clock that is set back gives no ticket a longer life.
		signIn = s.beginsSignIn(s.ann)
		s.passes(-time.Hour)
		s.refusesAs(400, shared.CodeCeremonyExpired, "", s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, signIn)))
	}},
	{"a ticket of another browser is refused", func(s *scene) {
		other := s.elsewhere(s.ann)
		const cause = "issued to another browser"
		s.refuses(cause, s.bob.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann))))
		nobody := s.visitor()
		s.beginsSignIn(nobody)
		s.refuses(cause, nobody.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann))))
		s.refuses(cause, other.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.beginsConfirmation(s.ann))))
		s.refuses(cause, other.finishes(shared.PathRegisterFinish, s.made(s.beginsAdding(s.ann))))
		s.refuses(cause, s.bob.finishes(shared.PathRegisterFinish, s.made(s.beginsAdding(s.ann))))
	}},
	{"a registration ticket is refused at sign-in and confirmation", func(s *scene) {
		ticket := s.beginsAdding(s.ann).Ticket
		proof := s.proof(s.ann.device, s.beginsSignIn(s.ann))
		proof.Ticket = ticket
		s.refuses(`\"register\", not for \"sign in\"`, s.ann.finishes(shared.PathSignInFinish, proof))
		s.refuses(`\"register\", not for \"confirm\"`, s.ann.finishes(shared.PathConfirmFinish, proof))
	}},
	{"a sign-in or confirmation ticket is refused at registration", func(s *scene) {
		made := s.made(s.beginsAdding(s.ann))
		made.Ticket = s.beginsSignIn(s.ann).Ticket
		s.refuses(`\"sign in\", not for \"register\"`, s.ann.finishes(shared.PathRegisterFinish, made))
		made.Ticket = s.beginsConfirmation(s.ann).Ticket
		s.refuses(`\"confirm\", not for \"register\"`, s.ann.finishes(shared.PathRegisterFinish, made))
	}},
	{"a confirmation ticket is refused at sign-in, and the reverse", func(s *scene) {
		s.refuses(`\"confirm\", not for \"sign in\"`, s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsConfirmation(s.ann))))
		s.refuses(`\"sign in\", not for \"confirm\"`, s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann))))
	}},
	{"a challenge that the client chose is ignored", func(s *scene) {
		const chosen = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		for _, path := range []string{shared.PathSignInBegin, shared.PathConfirmBegin, shared.PathRegisterBegin} {
			begun := s.begins(s.ann, path, `{"challenge":"`+chosen+`","publicKey":{"challenge":"`+chosen+`"}}`)
			if got := challengeOf(s, begun); got == chosen {
				s.Errorf("%s: the options have it", path)
			}
		}
		s.everywhereFails("challenge", passkeytest.WithChallenge(chosen), passkeytest.WithMember("challenge", chosen))
	}},
	{"a ticket that is missing, altered or of another installation is refused", func(s *scene) {
		begun := s.beginsSignIn(s.ann)
		elsewhere := newScene(s.T, stores["memstore"])
		last := begun.Ticket[len(begun.Ticket)-1:]
		for ticket, cause := range map[string]string{
			"":                                 "too short",
			"AAAA":                             "too short",
			"not base64!":                      "isn't base64url",
			begun.Ticket + "=":                 "isn't base64url",
			strings.Repeat("A", 1<<15):         "too long",
			"A" + begun.Ticket[1:]:             "was altered",
			begun.Ticket[:len(begun.Ticket)-4]: "ticket ",
			begun.Ticket[:100] + begun.Ticket:  "ticket ",
			elsewhere.beginsSignIn(elsewhere.ann).Ticket:                                                 "another installation",
			strings.TrimSuffix(begun.Ticket, last) + map[bool]string{true: "Q", false: "A"}[last == "A"]: "",
		} {
			if ticket == begun.Ticket {
				continue
			}
			proof := s.proof(s.ann.device, begun)
			proof.Ticket = ticket
			s.refuses(cause, s.ann.finishes(shared.PathSignInFinish, proof))
			s.refuses(cause, s.ann.finishes(shared.PathConfirmFinish, proof))
			made := s.made(s.beginsAdding(s.ann))
			made.Ticket = ticket
			s.refuses(cause, s.ann.finishes(shared.PathRegisterFinish, made))
		}
		s.succeeds(s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, begun))(), 200) // it was none of them
	}},
}
