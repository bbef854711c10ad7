package browser

import (
	"context"
	"encoding/json"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// The signals of WebAuthn Level 3, 5.1.10, tell password managers what the
// server says that they may be told. Browsers without them, and failures, are
// silent: they are a courtesy.

// Signal tells what an answer says may be told; nothing for nil. It doesn't wait until
// anybody has heard.
func Signal(ctx context.Context, signals *shared.Signals) {
	if signals == nil {
		return
	}
	if gone := signals.UnknownCredential; gone != nil {
		signal(ctx, "signalUnknownCredential", map[string]any{"rpId": gone.RPID, "credentialId": gone.CredentialID})
	}
	if user := signals.CurrentUserDetails; user != nil {
		signal(ctx, "signalCurrentUserDetails", map[string]any{
			"rpId": user.RPID, "userId": user.UserID, "name": user.Name, "displayName": user.DisplayName,
		})
	}
}

// Forget tells that a passkey that was just used was removed (5.1.10.1). It gets
// what Get got and returned.
func (Authenticator) Forget(ctx context.Context, publicKey, credential json.RawMessage) {
	signal(ctx, "signalUnknownCredential", map[string]any{
		"rpId": parseJSON(publicKey).Get("rpId"), "credentialId": parseJSON(credential).Get("id"),
	})
}

// signalFor is how long a password manager may take to hear of a change.
const signalFor = 5 * time.Second

func signal(ctx context.Context, method string, details map[string]any) {
	credential := js.Global().Get("PublicKeyCredential")
	if !credential.Truthy() || !credential.Get(method).Truthy() {
		return
	}
	promise, err := try(func() js.Value { return credential.Call(method, details) })
	if err == nil {
		// Nobody waits: there is a sentence to show, and a password manager may take its time,
		// or never answer.
		go func() {
			hearing, done := context.WithTimeout(context.WithoutCancel(ctx), signalFor)
			defer done()
			_, _ = await(hearing, promise)
		}()
	}
}
