package server_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

func triesAt(id string) (begin, finish string) {
	return shared.PathPasskey + id + shared.PathTryBeginOf, shared.PathPasskey + id + shared.PathTryFinishOf
}

// TestTrial: a user finds out whether a passkey works. Nothing else changes by that.
func TestTrial(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		hers, also := s.record(s.ann).Passkeys[0], s.ann.device
		begin, finish := triesAt(hers.ID)
		s.passes(20 * time.Minute)

		begun := s.begins(s.ann, begin, nil)
		var options struct {
			AllowCredentials []struct{ ID string }
			UserVerification string
		}
		if err := json.Unmarshal(begun.PublicKey, &options); err != nil || len(options.AllowCredentials) != 1 || options.UserVerification != "required" {
			t.Errorf("the browser may use %s (%v)", begun.PublicKey, err)
		}
		before, events, token := s.record(s.ann), s.events(s.ann), s.ann.token()
		proof := s.proof(also, begun)
		tried := into[shared.Passkey](s.ann, s.ann.sends("POST", finish, proof), 200)
		if tried.ID != hers.ID || tried.LastUsed == nil || !tried.LastUsed.Equal(s.now()) {
			t.Errorf("the passkey is %+v now", tried)
		}

		after := s.record(s.ann)
		if after.LastSignIn != before.LastSignIn || s.ann.token() != token {
			t.Error("it counts as a sign-in")
		}
		for kind, n := range s.events(s.ann) {
			if events[kind] != n {
				t.Errorf("the activity shows %s", kind)
			}
		}
		s.ann.refused(s.ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)

		s.refuses("spent ticket", s.ann.finishes(finish, proof))
		s.assertionFails(s.begins(s.ann, begin, nil), finish, "signature", passkeytest.WithSignature([]byte("signed")))
	})
}

// TestTrialOfOthers: a ticket to try one passkey does nothing else, and another's passkey isn't there.
func TestTrialOfOthers(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		hers, his := s.record(s.ann).Passkeys[0].ID, s.record(s.bob).Passkeys[0].ID
		begin, finish := triesAt(hers)
		for what, id := range map[string]string{"nobody's": "0123456789abcdef01234567", "Bob's": his} {
			begins, finishes := triesAt(id)
			if a := s.ann.sends("POST", begins, nil); a.status != 404 {
				t.Errorf("%s can be tried: %s", what, a)
			}
			s.refusesAs(404, shared.CodeNotFound, "", s.ann.finishes(finishes, s.proof(s.ann.device, s.begins(s.ann, begin, nil))))
		}
		s.refuses("another browser", s.bob.finishes(finish, s.proof(s.ann.device, s.begins(s.ann, begin, nil))))
		s.refuses(`\"try\", not for \"confirm\"`, s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.begins(s.ann, begin, nil))))
		s.refuses(`\"try\", not for \"sign in\"`, s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.begins(s.ann, begin, nil))))
		s.refuses(`\"confirm\", not for \"try\"`, s.ann.finishes(finish, s.proof(s.ann.device, s.beginsConfirmation(s.ann))))

		phone := passkeytest.New(origin)
		s.succeeds(s.ann.finishes(shared.PathRegisterFinish, s.madeOn(phone, s.beginsAdding(s.ann)))(), 201)
		other := s.begins(s.ann, begin, nil)
		other.PublicKey = without(s, other.PublicKey, "allowCredentials") // by a page that lies
		s.refuses("another passkey", s.ann.finishes(finish, s.proof(phone, other)))
	})
}
