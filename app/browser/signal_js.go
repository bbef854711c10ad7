package browser

import (
	"context"
	"encoding/json"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// The signals of WebAuthn Level 3, 5.1.10, inform password managers. The server decides which
// ones are sent. If a browser doesn't have a signal, or a signal fails, nothing happens.

// Signal sends the signals that an answer of the server allows, and none for nil. It doesn't
// wait until a password manager has received them.
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

// Forget signals that the passkey that was just used doesn't exist any more (5.1.10.1). It
// takes the argument and the result of Get.
func (Authenticator) Forget(ctx context.Context, publicKey, credential json.RawMessage) {
	signal(ctx, "signalUnknownCredential", map[string]any{
		"rpId": parseJSON(publicKey).Get("rpId"), "credentialId": parseJSON(credential).Get("id"),
	})
}

// signalFor is how long a password manager may take to receive a signal.
const signalFor = 5 * time.Second

func signal(ctx context.Context, method string, details map[string]any) {
	credential := js.Global().Get("PublicKeyCredential")
	if !credential.Truthy() || !credential.Get(method).Truthy() {
		return
	}
	promise, err := try(func() js.Value { return credential.Call(method, details) })
	if err == nil {
		// The user reads the result meanwhile. A password manager may take long, or never
		// answer.
		go func() {
			hearing, done := context.WithTimeout(context.WithoutCancel(ctx), signalFor)
			defer done()
			_, _ = await(hearing, promise)
		}()
	}
}
