package server_test

import (
	"encoding/json"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// TestHints: a user says where the passkey is to be kept, and the browser learns it.
func TestHints(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		for _, test := range []struct{ body, want string }{
			{`{}`, ``}, {`{"hint":""}`, ``}, {`{"hint":"client-device"}`, `["client-device"]`}, {`{"hint":"hybrid"}`, `["hybrid"]`}, {`{"hint":"security-key"}`, `["security-key"]`},
		} {
			begun := s.begins(s.ann, shared.PathRegisterBegin, test.body)
			var options struct {
				Hints                  json.RawMessage
				AuthenticatorSelection map[string]any
			}
			if err := json.Unmarshal(begun.PublicKey, &options); err != nil || string(options.Hints) != test.want || options.AuthenticatorSelection["authenticatorAttachment"] != nil {
				t.Errorf("%s gives %s (%v), want hints %s and nothing excluded", test.body, begun.PublicKey, err, test.want)
			}
		}
		s.ann.refused(s.ann.sends("POST", shared.PathRegisterBegin, `{"hint":"fridge"}`), 400, shared.CodeInvalidRequest)
	})
}
