// Package ceremony runs WebAuthn's ceremonies: registering a passkey, signing in with one,
// confirming with one, and trying one ([Ceremonies]).
//
// Each has two requests to the server, with the authenticator in between. This package knows
// their order and what a refusal means ([Failure]). It doesn't know how the server is reached
// ([API]) or how the authenticator is asked ([Authenticator]).
package ceremony

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// API is the server's part of the ceremonies.
type API interface {
	BeginRegistration(ctx context.Context, request shared.BeginRegistration) (shared.Ceremony, error)
	FinishRegistration(ctx context.Context, answer shared.FinishRegistration) (shared.Passkey, error)
	BeginSignIn(ctx context.Context, mediation string) (shared.Ceremony, error)
	FinishSignIn(ctx context.Context, answer shared.FinishCeremony) (shared.SignedIn, error)
	BeginConfirmation(ctx context.Context) (shared.Ceremony, error)
	FinishConfirmation(ctx context.Context, answer shared.FinishCeremony) (shared.Confirmed, error)
	BeginTrial(ctx context.Context, passkeyID string) (shared.Ceremony, error)
	FinishTrial(ctx context.Context, passkeyID string, answer shared.FinishCeremony) (shared.Passkey, error)
}

// Authenticator is the browser's part: navigator.credentials, with options and answers in
// WebAuthn Level 3's JSON. An error of it is a *[shared.Error], which is shown as it is, or
// has a method DOMException that returns the exception's name. It may also have a method
// Chosen, which reports whether the user had picked or made a passkey before the error.
type Authenticator interface {
	Create(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error)
	Get(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error)
}

// Forgetful is an [Authenticator] that can signal to a password manager that the passkey that
// was just used doesn't exist any more. It does so only where the server allows it
// ([shared.Error.UnknownCredential]), since only the server has the proof.
type Forgetful interface {
	// Forget takes the argument and the result of Get.
	Forget(ctx context.Context, publicKey, credential json.RawMessage)
}

// Counting is an [Authenticator] that counts the ceremonies that failed, until one succeeds. The
// server gets the numbers then: it learns nothing of a prompt that was closed.
type Counting interface {
	Failed() shared.FailedTries
	Removed() // the server refused a passkey that was removed, and doesn't know whose it was
	Succeeded()
}

// Ceremonies runs each ceremony over both parts.
type Ceremonies struct {
	API           API
	Authenticator Authenticator
}

// Register adds a passkey under name, which may be blank, and where the user wants to keep it. It fails
// with the server's refusal or with a [Failure]. In both cases nothing was added.
func (c Ceremonies) Register(ctx context.Context, name string, where shared.Hint) (shared.Passkey, error) {
	return c.register(ctx, name, shared.BeginRegistration{Hint: where})
}

// RegisterSilently adds a passkey if the browser makes one without asking the user
// (conditional create). It fails as Register does, and it fails often. The user hasn't asked
// for it, so no error needs to be shown.
func (c Ceremonies) RegisterSilently(ctx context.Context) (shared.Passkey, error) {
	return c.register(ctx, "", shared.BeginRegistration{Mediation: "conditional"})
}

func (c Ceremonies) register(ctx context.Context, name string, request shared.BeginRegistration) (shared.Passkey, error) {
	begun, err := c.API.BeginRegistration(ctx, request)
	if err != nil {
		return shared.Passkey{}, err
	}
	credential, err := c.Authenticator.Create(ctx, begun.PublicKey, begun.Mediation)
	if err != nil {
		return shared.Passkey{}, failed(err, true)
	}
	// The authenticator has the passkey now, so a user who cancels gets it at the server too.
	added, err := c.API.FinishRegistration(context.WithoutCancel(ctx), shared.FinishRegistration{
		FinishCeremony: c.finishing(begun, credential),
		Name:           name,
	})
	c.counted(err)
	if code := shared.CodeOf(err); code != "" && !slices.Contains(shared.MayBeRegistered, code) {
		return added, madeInVain{err}
	}
	return added, err
}

// madeInVain is the refusal of a passkey that the authenticator has made already.
type madeInVain struct{ error }

func (m madeInVain) Unwrap() error { return m.error }

// MayBeKept reports whether a registration failed after the authenticator had made the
// passkey. The user's password manager may keep such a passkey, which works nowhere.
func MayBeKept(err error) bool {
	_, refused := errors.AsType[madeInVain](err)
	failure, failed := errors.AsType[*Failure](err)
	return refused || failed && failure.Registering && failure.Chosen
}

// SignIn begins a session with a passkey that the browser finds by itself.
func (c Ceremonies) SignIn(ctx context.Context) (shared.SignedIn, error) {
	begun, err := c.API.BeginSignIn(ctx, "")
	if err != nil {
		return shared.SignedIn{}, err
	}
	answer, err := c.prove(ctx, begun)
	if err != nil {
		return shared.SignedIn{}, err
	}
	return c.finishSignIn(ctx, begun, answer)
}

// ticketWait is how long autofill waits with one ticket. A ticket works for five minutes.
const ticketWait = 4 * time.Minute

// SignInByAutofill waits, as long as ctx lasts, until the user picks one of the passkeys that
// the browser offers in the text box for a name (conditional mediation, WebAuthn Level 3,
// 5.1.4). Then it begins a session. The text box has autocomplete="username webauthn".
//
// Show only two of its errors: a *[shared.Error], with which the server refuses the passkey
// that the user has picked, and a [Failure] that is Chosen. The user hasn't asked for this
// ceremony, so no other end of it needs to be shown.
func (c Ceremonies) SignInByAutofill(ctx context.Context) (shared.SignedIn, error) {
	for {
		begun, err := c.API.BeginSignIn(ctx, "conditional")
		if err != nil {
			return shared.SignedIn{}, &Failure{Reason: Aborted, Exception: "AbortError"}
		}
		waiting, stop := context.WithTimeout(ctx, ticketWait)
		answer, err := c.prove(waiting, begun)
		again := waiting.Err() != nil && ctx.Err() == nil
		stop()
		switch {
		case err == nil:
			return c.finishSignIn(ctx, begun, answer)
		case !again:
			return shared.SignedIn{}, err
		}
	}
}

func (c Ceremonies) finishSignIn(ctx context.Context, begun shared.Ceremony, answer shared.FinishCeremony) (shared.SignedIn, error) {
	signed, err := c.API.FinishSignIn(ctx, answer)
	c.counted(err)
	c.forget(ctx, begun, answer, err)
	return signed, err
}

// forget signals that the used passkey doesn't exist any more, if the server's refusal says so.
func (c Ceremonies) forget(ctx context.Context, begun shared.Ceremony, answer shared.FinishCeremony, err error) {
	refused, _ := errors.AsType[*shared.Error](err)
	if manager, ok := c.Authenticator.(Forgetful); ok && refused != nil && refused.UnknownCredential {
		manager.Forget(ctx, begun.PublicKey, answer.Credential)
	}
}

// Confirm proves that the signed-in user is present.
func (c Ceremonies) Confirm(ctx context.Context) (shared.Confirmed, error) {
	begun, err := c.API.BeginConfirmation(ctx)
	if err != nil {
		return shared.Confirmed{}, err
	}
	answer, err := c.prove(ctx, begun)
	if failure, ok := errors.AsType[*Failure](err); ok {
		failure.Confirming = true
	}
	if err != nil {
		return shared.Confirmed{}, err
	}
	confirmed, err := c.API.FinishConfirmation(ctx, answer)
	c.counted(err)
	c.forget(ctx, begun, answer, err)
	return confirmed, err
}

// Try proves that one of the signed-in user's passkeys works. It confirms nothing.
func (c Ceremonies) Try(ctx context.Context, passkeyID string) (shared.Passkey, error) {
	begun, err := c.API.BeginTrial(ctx, passkeyID)
	if err != nil {
		return shared.Passkey{}, err
	}
	answer, err := c.prove(ctx, begun)
	if err != nil {
		return shared.Passkey{}, err
	}
	tried, err := c.API.FinishTrial(ctx, passkeyID, answer)
	c.counted(err)
	return tried, err
}

func (c Ceremonies) prove(ctx context.Context, begun shared.Ceremony) (shared.FinishCeremony, error) {
	credential, err := c.Authenticator.Get(ctx, begun.PublicKey, begun.Mediation)
	if err != nil {
		return shared.FinishCeremony{}, failed(err, false)
	}
	return c.finishing(begun, credential), nil
}

// finishing is the second half of a ceremony, with what failed before it.
func (c Ceremonies) finishing(begun shared.Ceremony, credential json.RawMessage) shared.FinishCeremony {
	answer := shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
	if counting, ok := c.Authenticator.(Counting); ok {
		answer.Failed = counting.Failed()
	}
	return answer
}

// counted takes in how the second half ended.
func (c Ceremonies) counted(err error) {
	counting, ok := c.Authenticator.(Counting)
	switch {
	case !ok:
	case err == nil:
		counting.Succeeded()
	case shared.CodeOf(err) == shared.CodePasskeyRemoved:
		counting.Removed()
	}
}

// Reason says why the authenticator gave no answer, as far as a browser says.
type Reason string

const (
	// Denied: the prompt was closed or timed out, or no passkey fits. Browsers don't say
	// which, so that a site can't find out what passkeys a person has.
	Denied Reason = "denied"
	// Aborted: we ended the ceremony, because the user cancelled or another one begins.
	Aborted Reason = "aborted"
	// Exists: the authenticator has a passkey for this account already.
	Exists Reason = "exists"
	// WrongAddress: the relying party id isn't valid for the page's host.
	WrongAddress Reason = "wrong address"
	// NotSupported: no authenticator can make the kind of passkey that we need.
	NotSupported Reason = "not supported"
	// NoLock: there is no screen lock or PIN to verify the user with.
	NoLock Reason = "no lock"
	// NotLoaded: the page's script for passkeys didn't load.
	NotLoaded Reason = "not loaded"
	// Faulty: the authenticator or password manager failed in its own way.
	Faulty Reason = "faulty"
)

// Failure is a ceremony that ended at the authenticator.
type Failure struct {
	Reason      Reason
	Registering bool   // else signing in or confirming
	Confirming  bool   // else registering or signing in
	Exception   string // the DOMException's name, which the user can give to IT
	// Chosen says that the user had picked a passkey, or had made one that the server never
	// got. Their password manager may keep the latter.
	Chosen bool
}

// Error is for logs. The sentence for a person depends on the Reason.
func (f *Failure) Error() string { return "authenticator: " + f.Exception }

// reasons are the exceptions of WebAuthn Level 3, 5.1.3 and 5.1.4, and our own
// NotLoadedError.
var reasons = map[string]Reason{
	"NotAllowedError":   Denied,
	"AbortError":        Aborted,
	"InvalidStateError": Exists,
	"SecurityError":     WrongAddress,
	"NotSupportedError": NotSupported,
	"ConstraintError":   NoLock,
	"NotLoadedError":    NotLoaded,
}

func failed(err error, registering bool) error {
	if _, is := errors.AsType[*shared.Error](err); is {
		return err // it has its own sentence
	}
	failure := &Failure{Reason: Faulty, Registering: registering, Exception: "UnknownError"}
	if exception, ok := errors.AsType[interface {
		error
		DOMException() string
	}](err); ok {
		failure.Exception = exception.DOMException()
	}
	if exception, ok := errors.AsType[interface {
		error
		Chosen() bool
	}](err); ok {
		failure.Chosen = exception.Chosen()
	}
	if reason, known := reasons[failure.Exception]; known {
		failure.Reason = reason
	}
	if failure.Reason == Exists && !registering {
		failure.Reason = Faulty // the specification has this exception only for create
	}
	return failure
}
