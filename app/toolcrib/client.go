package toolcrib

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// call sends in to the crib's server and decodes the answer. Its error is a *[shared.Error],
// with a sentence that Keypeg's components show.
func call[Out any](ctx context.Context, method, path string, in any) (out Out, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return out, fmt.Errorf("encoding a request to %s: %w", path, err)
		}
	}
	status, answer, err := browser.Transport{}.Send(ctx, method, path, body)
	if err != nil {
		return out, shared.Errorf(shared.CodeOffline, "The server can't be reached. Check your connection and try again.").Because(err)
	}
	var refusal Refusal
	switch {
	case status == 401:
		return out, shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
	case status >= 400 && json.Unmarshal(answer, &refusal) == nil && refusal.Sentence != "":
		return out, shared.Errorf(shared.CodeSignInRefused, "%s", refusal.Sentence)
	case len(answer) == 0 && status < 400:
		return out, nil
	}
	if status >= 400 || json.Unmarshal(answer, &out) != nil {
		return out, shared.Errorf(shared.CodeInternal, "The server sent something unexpected. Please reload the page.")
	}
	return out, nil
}

type nothing struct{}

// signIn begins a session with a password.
func signIn(ctx context.Context, name, password string) error {
	_, err := call[nothing](ctx, "POST", PathSignIn, Password{Name: name, Password: password})
	return err
}

// confirm proves with a password that the signed-in person is present.
func confirm(ctx context.Context, password string) error {
	_, err := call[nothing](ctx, "POST", PathConfirm, Password{Password: password})
	return err
}
