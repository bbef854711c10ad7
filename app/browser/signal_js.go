package browser

import (
	"context"
	"encoding/json"
	"syscall/js"

	"github.com/keypeg/keypeg/shared"
)

// The signals of WebAuthn Level 3, 5.1.10, tell password managers what the
// server knows. Browsers without them, and failures, are silent: they are a
// courtesy.

// SignalAccepted tells which of the user's passkeys work, so that the others can
// be hidden (5.1.10.3). The list must be complete.
func SignalAccepted(ctx context.Context, list shared.PasskeyList) {
	ids := make([]any, len(list.Passkeys))
	for i, p := range list.Passkeys {
		ids[i] = p.CredentialID
	}
	signal(ctx, "signalAllAcceptedCredentials", map[string]any{
		"rpId": list.RPID, "userId": list.UserHandle, "allAcceptedCredentialIds": ids,
	})
}

// SignalUser tells what the user is called now (5.1.10.4).
func SignalUser(ctx context.Context, list shared.PasskeyList, user shared.User) {
	signal(ctx, "signalCurrentUserDetails", map[string]any{
		"rpId": list.RPID, "userId": list.UserHandle, "name": user.Name, "displayName": user.DisplayName,
	})
}

// Forget tells that nobody has a passkey that was used to sign in (5.1.10.1). It gets
// what Get got and returned.
func (Authenticator) Forget(ctx context.Context, publicKey, credential json.RawMessage) {
	signal(ctx, "signalUnknownCredential", map[string]any{
		"rpId": parseJSON(publicKey).Get("rpId"), "credentialId": parseJSON(credential).Get("id"),
	})
}

func signal(ctx context.Context, method string, details map[string]any) {
	credential := js.Global().Get("PublicKeyCredential")
	if !credential.Truthy() || !credential.Get(method).Truthy() {
		return
	}
	promise, err := try(func() js.Value { return credential.Call(method, details) })
	if err == nil {
		_, _ = await(ctx, promise)
	}
}
