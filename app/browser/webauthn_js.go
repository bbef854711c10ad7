package browser

import (
	"context"
	"encoding/json"
	"errors"
	"syscall/js"

	"github.com/keypeg/keypeg/shared"
)

// PasskeySupport says whether this page can use passkeys.
func PasskeySupport() Support {
	credentials := js.Global().Get("navigator").Get("credentials")
	switch {
	case !js.Global().Get("isSecureContext").Truthy():
		return NotSecure
	case !js.Global().Get("PublicKeyCredential").Truthy() || !credentials.Truthy() || !credentials.Get("create").Truthy():
		return NotSupported
	default:
		return Supported
	}
}

// CreatesSilently reports whether the browser can make a passkey without asking, after it
// has filled in a password (getClientCapabilities, 5.1.7).
func CreatesSilently(ctx context.Context) bool {
	credential := js.Global().Get("PublicKeyCredential")
	if !credential.Truthy() || !credential.Get("getClientCapabilities").Truthy() {
		return false
	}
	promise, err := try(func() js.Value { return credential.Call("getClientCapabilities") })
	if err != nil {
		return false
	}
	capabilities, err := await(ctx, promise)
	return err == nil && capabilities.Get("conditionalCreate").Truthy()
}

// OffersAutofill reports whether the browser offers passkeys in the text box for a name
// (isConditionalMediationAvailable, 5.1.4).
func OffersAutofill(ctx context.Context) bool {
	credential := js.Global().Get("PublicKeyCredential")
	if !credential.Truthy() || !credential.Get("isConditionalMediationAvailable").Truthy() {
		return false
	}
	promise, err := try(func() js.Value { return credential.Call("isConditionalMediationAvailable") })
	if err != nil {
		return false
	}
	offers, err := await(ctx, promise)
	return err == nil && offers.Truthy()
}

// Create runs navigator.credentials.create (WebAuthn Level 3, 5.1.3) and returns
// a RegistrationResponseJSON. It fails with an [Exception].
func (Authenticator) Create(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	return credential(ctx, "create", publicKey, mediation)
}

// Get runs navigator.credentials.get (5.1.4) and returns an
// AuthenticationResponseJSON. It fails with an [Exception].
func (Authenticator) Get(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	return credential(ctx, "get", publicKey, mediation)
}

// credential calls the script of package web/credential, which knows how browsers and
// password managers differ. The ceremony ends soon after ctx has ended.
func credential(ctx context.Context, method string, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	script, err := credentials(ctx)
	if err != nil {
		return nil, err
	}
	controller := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { controller.Call("abort") })()

	made, err := await(context.WithoutCancel(ctx), script.Call(method, parseJSON(publicKey), map[string]any{
		"signal": controller.Get("signal"), "mediation": mediation,
	}))
	if e, is := errors.AsType[*Exception](err); is && e.Name == "NotAllowedError" && mediation == "" && script.Call("forbidden", method).Bool() {
		report(ctx, shared.TroublePasskeyPolicy)
		return nil, shared.TroublePasskeyPolicy.Refusal()
	}
	if err != nil {
		return nil, err
	}
	return json.RawMessage(js.Global().Get("JSON").Call("stringify", made).String()), nil
}

// Failed returns how often, and why, ceremonies failed in this tab since one last succeeded.
func (Authenticator) Failed() (failed shared.FailedTries) {
	if script := js.Global().Get(credentialScript); script.Truthy() {
		if counts := script.Call("failures"); counts.Truthy() {
			failed.UnmarshalJSON([]byte(js.Global().Get("JSON").Call("stringify", counts).String())) // never fails
		}
	}
	return failed
}

// Removed counts a passkey that the server knows no user of, because it was removed.
func (Authenticator) Removed() {
	if script := js.Global().Get(credentialScript); script.Truthy() {
		script.Call("count", string(shared.ReasonRemoved))
	}
}

// Succeeded forgets what Failed returns. The server has it now.
func (Authenticator) Succeeded() {
	if script := js.Global().Get(credentialScript); script.Truthy() {
		script.Call("keep")
	}
}

// credentialScript is the object that the script defines.
const credentialScript = "keypegCredentials"

// credentials returns the object of that script. The first ceremony of a page loads it.
func credentials(ctx context.Context) (js.Value, error) {
	return loaded(ctx, credentialScript, shared.PathCredentialScript)
}

// loaded returns the object that a script defines. It loads the script if the page doesn't have it, by an element,
// since a Content-Security-Policy may allow nothing else. If loading fails, the next call tries again.
func loaded(ctx context.Context, object, address string) (js.Value, error) {
	if loaded := js.Global().Get(object); loaded.Truthy() {
		return loaded, nil
	}

	document := js.Global().Get("document")
	script := document.Call("createElement", "script")
	defer script.Call("remove")
	ended := make(chan struct{}, 2)
	onEnd := js.FuncOf(func(js.Value, []js.Value) any { ended <- struct{}{}; return nil })
	defer onEnd.Release()
	for _, event := range []string{"load", "error"} {
		script.Call("addEventListener", event, onEnd)
		defer script.Call("removeEventListener", event, onEnd)
	}
	script.Set("src", address)
	document.Get("head").Call("append", script)

	select {
	case <-ended:
	case <-ctx.Done():
		return js.Undefined(), &Exception{Name: "AbortError", Message: "the ceremony ended before its script was loaded"}
	}
	loaded := js.Global().Get(object)
	if !loaded.Truthy() { // the script is missing, or something else came in its place
		return js.Undefined(), &Exception{Name: "NotLoadedError", Message: "the script for passkeys didn't load"}
	}
	return loaded, nil
}

func parseJSON(raw []byte) js.Value { return js.Global().Get("JSON").Call("parse", string(raw)) }
