package client

import (
	"context"
	"errors"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// says is a server, or what stands in front of it, with one answer.
type says struct {
	status int
	body   string
	err    error
	sent   *string
}

func (s says) Send(_ context.Context, method, path string, body []byte) (int, []byte, error) {
	if s.sent != nil {
		*s.sent = method + " " + path + " " + string(body)
	}
	return s.status, []byte(s.body), s.err
}

func TestCall(t *testing.T) {
	t.Run("a request names method, path and body", func(t *testing.T) {
		var sent string
		got, err := New(says{status: 200, body: `{"id":"1","name":"Phone"}`, sent: &sent}).RenamePasskey(t.Context(), "1", "Phone")
		if want := `PATCH /api/v1/passkeys/1 {"name":"Phone"}`; sent != want || got.Name != "Phone" || err != nil {
			t.Errorf("sent %s, got %+v (%v), want %s", sent, got, err, want)
		}
	})
	t.Run("nothing is a good answer to signing out", func(t *testing.T) {
		if out, err := New(says{status: 204}).SignOut(t.Context()); err != nil || out.Continue != "" {
			t.Errorf("got %+v (%v)", out, err)
		}
	})
	for name, test := range map[string]struct {
		answer  says
		code    shared.Code
		message string
	}{
		"a problem keeps its code and sentence": {says{status: 409, body: `{"code":"last_method","detail":"Add another 100% first."}`}, shared.CodeLastMethod, "Add another 100% first."},
		"no answer is offline":                  {says{err: errors.New("TypeError")}, shared.CodeOffline, "The server can't be reached. Check your connection and try again."},
		"a proxy's page is unexpected":          {says{status: 502, body: "<html>Bad Gateway"}, shared.CodeInternal, "The server sent something unexpected. Please reload the page."},
		"a problem without a code too":          {says{status: 400, body: `{"detail":"x"}`}, shared.CodeInternal, "The server sent something unexpected. Please reload the page."},
		"so is success that isn't JSON":         {says{status: 200, body: "<html>Sign in to the wireless network"}, shared.CodeInternal, "The server sent something unexpected. Please reload the page."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.answer).Passkeys(t.Context())
			refusal, ok := errors.AsType[*shared.Error](err)
			if !ok || refusal.Code != test.code || refusal.Message != test.message {
				t.Errorf("got %v, want %s: %s", err, test.code, test.message)
			}
		})
	}
}

func TestUnknownCredential(t *testing.T) {
	_, err := New(says{status: 400, body: `{"code":"ceremony_refused","detail":"No.","unknownCredential":true}`}).FinishSignIn(t.Context(), shared.FinishCeremony{})
	if refusal, ok := errors.AsType[*shared.Error](err); !ok || !refusal.UnknownCredential {
		t.Errorf("got %#v", err)
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add(409, []byte(`{"code":"last_method","detail":"x"}`))
	f.Add(500, []byte(`[]`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		refusal, ok := errors.AsType[*shared.Error](refusal(status, body))
		if !ok || refusal.Code == "" || refusal.Message == "" {
			t.Errorf("%d %q became %v", status, body, refusal)
		}
	})
}
