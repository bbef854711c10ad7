package server_test

import (
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// userClaims are about a user who tries to use what belongs to another.
var userClaims = []claim{
	{"the id of another user's passkey is refused", func(s *scene) {
		hers := s.record(s.ann).Passkeys[0].CredentialID
		made := s.made(s.beginsAdding(s.bob), passkeytest.WithCredentialID(hers))
		s.refuses("credential id", s.bob.finishes(shared.PathRegisterFinish, made))
		s.succeeds(s.signsIn(s.ann), 200)
	}},
	{"the user handle of another user is refused", func(s *scene) {
		his := s.record(s.bob).Handle
		s.signInFails("user handle", passkeytest.WithUserHandle(his))
		s.confirmationFails("", passkeytest.WithUserHandle(his))
		his[0] ^= 1
		s.signInFails("user handle", passkeytest.WithUserHandle(his))
	}},
	{"adding a passkey needs a session", func(s *scene) {
		begun := s.beginsAdding(s.ann)
		nobody := s.visitor()
		s.refusesAs(401, shared.CodeUnauthenticated, "", nobody.finishes(shared.PathRegisterBegin, nil))
		s.refusesAs(401, shared.CodeUnauthenticated, "", nobody.finishes(shared.PathRegisterFinish, s.made(begun)))

		s.succeeds(s.ann.sends("POST", shared.PathSignOut, nil), 204)
		s.refusesAs(401, shared.CodeUnauthenticated, "", s.ann.finishes(shared.PathRegisterFinish, s.made(begun)))
	}},
	{"a user id in the body is ignored", func(s *scene) {
		hers := s.record(s.ann)
		body := `{"user":"ann","userId":"` + hers.ID + `","name":"ann","id":"` + hers.ID + `"}`
		begun := s.begins(s.bob, shared.PathRegisterBegin, body)
		if !strings.Contains(string(begun.PublicKey), `"bob"`) || strings.Contains(string(begun.PublicKey), `"ann"`) {
			s.Errorf("options for somebody else: %s", begun.PublicKey)
		}
		begun.PublicKey = without(s, begun.PublicKey, "excludeCredentials")
		made := s.made(begun)
		s.succeeds(s.bob.sends("POST", shared.PathRegisterFinish, map[string]any{
			"ticket": made.Ticket, "credential": made.Credential, "userId": hers.ID, "user": "ann",
		}), 201)
		if n := len(s.record(s.ann).Passkeys); n != 1 {
			s.Errorf("Ann has %d passkeys", n)
		}
		if n := len(s.record(s.bob).Passkeys); n != 2 {
			s.Errorf("Bob has %d passkeys", n)
		}
	}},
	{"nobody renames or removes another user's passkey, or ends their session", func(s *scene) {
		hers := s.ann.lists().Passkeys[0]
		for _, id := range []string{hers.ID, hers.CredentialID, "x", "%2e%2e", strings.Repeat("0", 5000)} {
			s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("PATCH", shared.PathPasskey+url.PathEscape(id), `{"name":"mine"}`) })
			s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("DELETE", shared.PathPasskey+url.PathEscape(id), nil) })
		}
		hersToo := into[shared.SessionList](s.ann, s.ann.sends("GET", shared.PathSessions, nil), 200).Sessions[0].ID
		s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("DELETE", shared.PathSession+hersToo, nil) })
	}},
	{"another user's passkey confirms nothing", func(s *scene) {
		s.passes(10 * time.Minute)
		begun := s.beginsConfirmation(s.ann)
		begun.PublicKey = without(s, begun.PublicKey, "allowCredentials")
		s.refuses("", s.ann.finishes(shared.PathConfirmFinish, s.proof(s.bob.device, begun)))
		begun = s.beginsConfirmation(s.ann)
		begun.PublicKey = without(s, begun.PublicKey, "allowCredentials")
		handle := s.record(s.ann).Handle
		s.refuses("", s.ann.finishes(shared.PathConfirmFinish, s.proof(s.bob.device, begun, passkeytest.WithUserHandle(handle))))
		s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterBegin, nil))
	}},
}
