package browser

import (
	"context"
	"encoding/json"
	"syscall/js"
	"time"
)

// PasskeySupport tells whether this page can use passkeys. It needs the JSON
// functions of WebAuthn Level 3, which every current browser has.
func PasskeySupport() Support {
	credential := js.Global().Get("PublicKeyCredential")
	switch {
	case !js.Global().Get("isSecureContext").Truthy():
		return NotSecure
	case !credential.Truthy() || !credential.Get("parseCreationOptionsFromJSON").Truthy():
		return NotSupported
	default:
		return Supported
	}
}

// CreatesSilently tells whether the browser may make a passkey without asking,
// after it filled in a password (getClientCapabilities, 5.1.7).
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

// OffersAutofill tells whether the browser offers passkeys in the box for a name
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
// the credential's toJSON. It fails with an [Exception].
func (Authenticator) Create(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	return credential(ctx, "create", "parseCreationOptionsFromJSON", publicKey, mediation)
}

// Get runs navigator.credentials.get (5.1.4) and returns the credential's
// toJSON. It fails with an [Exception].
func (Authenticator) Get(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	return credential(ctx, "get", "parseRequestOptionsFromJSON", publicKey, mediation)
}

// abortFor is how long a ceremony that was aborted may take to end. Extensions that
// stand in for the browser don't always hear the signal.
const abortFor = time.Second

func credential(ctx context.Context, method, parse string, publicKey json.RawMessage, mediation string) (json.RawMessage, error) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	defer stop()

	promise, err := try(func() js.Value {
		options := js.Global().Get("Object").New()
		options.Set("publicKey", js.Global().Get("PublicKeyCredential").Call(parse, parseJSON(publicKey)))
		options.Set("signal", controller.Get("signal"))
		if mediation != "" {
			options.Set("mediation", mediation)
		}
		return js.Global().Get("navigator").Get("credentials").Call(method, options)
	})
	if err != nil {
		return nil, err
	}
	made, err := await(ctx, promise)
	if ctx.Err() != nil && err != nil {
		// A browser runs one ceremony at a time: the next one has to find this one ended.
		controller.Call("abort")
		ending, done := context.WithTimeout(context.WithoutCancel(ctx), abortFor)
		defer done()
		if made, err = await(ending, promise); ending.Err() != nil {
			err = &Exception{Name: "AbortError", Message: "the browser doesn't end it"}
		}
	}
	if err != nil {
		return nil, err
	}
	if made.IsNull() {
		return nil, &Exception{Name: "NotAllowedError", Message: "no credential was chosen"}
	}

	// Some password managers' credentials throw here.
	answer, err := try(func() js.Value { return js.Global().Get("JSON").Call("stringify", made.Call("toJSON")) })
	if err != nil {
		return nil, err
	}
	return json.RawMessage(answer.String()), nil
}

func parseJSON(raw []byte) js.Value { return js.Global().Get("JSON").Call("parse", string(raw)) }
