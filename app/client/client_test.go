package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/keypeg/keypeg/shared"
)

// fixed is a server, or something in front of it, with one answer.
type fixed struct {
	status int
	body   string
	err    error
	sent   *string
}

func (s fixed) Send(_ context.Context, method, path string, body []byte) (int, []byte, error) {
	if s.sent != nil {
		*s.sent = method + " " + path + " " + string(body)
	}
	return s.status, []byte(s.body), s.err
}

const (
	away    = "The server isn't there at the moment. Please try again in a minute."
	refused = "Something between you and the server refused this. Please tell IT. (Code answer-refused)"
	other   = "Something else answered in the server's place. If your network asks you to sign in, do that, and reload this page. If not, tell IT. (Code answer-other)"
	cut     = "The server's answer didn't arrive whole. Reload this page. If that doesn't help, tell IT. (Code answer-cut)"
)

func TestCall(t *testing.T) {
	t.Run("a request names method, path and body", func(t *testing.T) {
		var sent string
		got, err := New(fixed{status: 200, body: `{"id":"1","name":"Phone"}`, sent: &sent}).RenamePasskey(t.Context(), "1", "Phone")
		if want := `PATCH /api/v1/passkeys/1 {"name":"Phone"}`; sent != want || got.Name != "Phone" || err != nil {
			t.Errorf("sent %s, got %+v (%v), want %s", sent, got, err, want)
		}
	})
	t.Run("signing out takes an answer without a body", func(t *testing.T) {
		if out, err := New(fixed{status: 204}).SignOut(t.Context(), false); err != nil || out.Continue != "" {
			t.Errorf("got %+v (%v)", out, err)
		}
	})
	for name, test := range map[string]struct {
		answer  fixed
		code    shared.Code
		message string
	}{
		"a problem keeps its code and sentence":                       {fixed{status: 409, body: `{"code":"last_method","detail":"Add another 100% first."}`}, shared.CodeLastMethod, "Add another 100% first."},
		"no answer is offline":                                        {fixed{err: errors.New("TypeError")}, shared.CodeOffline, "The server can't be reached. Check your connection and try again."},
		"a proxy's page means that the server is away":                {fixed{status: 502, body: "<html>Bad Gateway"}, shared.CodeAway, away},
		"a proxy's limit means that the server is away":               {fixed{status: 429, body: "slow down"}, shared.CodeAway, away},
		"a filter's page is a refusal in between":                     {fixed{status: 403, body: "<html>Forbidden"}, shared.CodeInBetween, refused},
		"a method that only a filter refuses is a refusal in between": {fixed{status: 405, body: "<html>Not Allowed"}, shared.CodeInBetween, refused},
		"a problem without a code is a refusal in between":            {fixed{status: 400, body: `{"detail":"x"}`}, shared.CodeInBetween, refused},
		"a body that is too large for a proxy has its own sentence":   {fixed{status: 413, body: "<html>Request Entity Too Large"}, shared.CodeInBetween, "Something between you and the server takes no request of this size. Please tell IT. (Code answer-large)"},
		"success that isn't JSON comes from something in between":     {fixed{status: 200, body: "<html>Sign in to the wireless network"}, shared.CodeInBetween, other},
		"a network that wants a sign-in is something in between":      {fixed{status: 511}, shared.CodeInBetween, other},
		"success with an empty body was cut off":                      {fixed{status: 200}, shared.CodeInBetween, cut},
		"half of a JSON text was cut off":                             {fixed{status: 200, body: `{"passkeys":[{"id":`}, shared.CodeInBetween, cut},
		"an error of the transport is kept":                           {fixed{err: shared.TroubleCached.Refusal()}, shared.CodeInBetween, "An older answer came, which may be for somebody else, so it isn't shown. Please tell IT. (Code answer-kept)"},
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

// recorder is a fixed server that also records the reports that it gets.
type recorder struct {
	fixed
	requests chan string
}

func (r recorder) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	if path == shared.PathTrouble {
		r.requests <- method + " " + string(body)
		return 204, nil, nil
	}
	return r.fixed.Send(ctx, method, path, body)
}

func TestReports(t *testing.T) {
	for name, test := range map[string]struct {
		answer fixed
		want   []string
	}{
		"each trouble is reported once":         {fixed{status: 403, body: "<html>Forbidden"}, []string{`POST {"trouble":"answer-refused"}`}},
		"a refusal of the server is no trouble": {fixed{status: 409, body: `{"code":"last_method","detail":"No."}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := recorder{test.answer, make(chan string, 3)}
				c := New(server)
				for range 3 {
					c.Passkeys(t.Context())
				}
				synctest.Wait() // reports hold nobody up
				close(server.requests)
				var got []string
				for request := range server.requests {
					got = append(got, request)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("reported %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestUnknownCredential(t *testing.T) {
	_, err := New(fixed{status: 400, body: `{"code":"ceremony_refused","detail":"No.","unknownCredential":true}`}).FinishSignIn(t.Context(), shared.FinishCeremony{})
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
