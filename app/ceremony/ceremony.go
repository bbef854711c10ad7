// Package ceremony walks a person through registering, using or confirming with
// a passkey.
//
// Each is two steps at the server with the authenticator in between. This
// package knows their order and what a refusal means; it does not know how the
// server is reached ([API]) or how the authenticator is asked ([Authenticator]).
package ceremony

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// API is the server's half.
type API interface {
	BeginRegistration(ctx context.Context, mediation string) (shared.Ceremony, error)
	FinishRegistration(ctx context.Context, answer shared.FinishRegistration) (shared.Passkey, error)
	BeginSignIn(ctx context.Context, mediation string) (shared.Ceremony, error)
	FinishSignIn(ctx context.Context, answer shared.FinishCeremony) (shared.SignedIn, error)
	BeginConfirmation(ctx context.Context) (shared.Ceremony, error)
	FinishConfirmation(ctx context.Context, answer shared.FinishCeremony) (shared.Confirmed, error)
}

// Authenticator is the browser's half: navigator.credentials, with options and
// answers in WebAuthn Level 3's JSON. Its errors are a *[shared.Error], which is shown as it
// is, or have a method DOMException that returns the exception's name. They may have a
// method Chosen, which reports whether the user had picked or made a passkey by then.
type Authenticator interface {
	Create(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error)
	Get(ctx context.Context, publicKey json.RawMessage, mediation string) (json.RawMessage, error)
}

// Forgetful is an [Authenticator] that can tell a password manager that the passkey that it
// gave works no more, so that it needn't offer it again. It is told only where the server
// says that it may be ([shared.Error.UnknownCredential]): nobody else has the proof.
type Forgetful interface {
	// Forget gets what Get was called with, and what it returned.
	Forget(ctx context.Context, publicKey, credential json.RawMessage)
}

// Ceremonies joins both halves.
type Ceremonies struct {
	API           API
	Authenticator Authenticator
}

// Register adds a passkey under name, which may be blank. It fails with what the
// server refused, or with a [Failure]; either way nothing was added.
func (c Ceremonies) Register(ctx context.Context, name string) (shared.Passkey, error) {
	return c.register(ctx, name, "")
}

// RegisterSilently adds a passkey if the browser makes one without asking the
// user (conditional create). It fails as Register does, and mostly: nobody needs
// to be told.
func (c Ceremonies) RegisterSilently(ctx context.Context) (shared.Passkey, error) {
	return c.register(ctx, "", "conditional")
}

func (c Ceremonies) register(ctx context.Context, name, mediation string) (shared.Passkey, error) {
	begun, err := c.API.BeginRegistration(ctx, mediation)
	if err != nil {
		return shared.Passkey{}, err
	}
	credential, err := c.Authenticator.Create(ctx, begun.PublicKey, begun.Mediation)
	if err != nil {
		return shared.Passkey{}, failed(err, true)
	}
	// The authenticator has it now, whatever the user wants by then.
	added, err := c.API.FinishRegistration(context.WithoutCancel(ctx), shared.FinishRegistration{
		FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential},
		Name:           name,
	})
	if code := shared.CodeOf(err); code != "" && !slices.Contains(shared.MayBeRegistered, code) {
		return added, madeInVain{err}
	}
	return added, err
}

// madeInVain is a refusal of a passkey that the authenticator had made by then.
type madeInVain struct{ error }

func (m madeInVain) Unwrap() error { return m.error }

// MayBeKept reports whether a registration failed after the authenticator had made the
// passkey: the user's password manager may have kept it, and it works nowhere.
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

// ticketWait is how long autofill waits with one ticket, which lives five minutes.
const ticketWait = 4 * time.Minute

// SignInByAutofill waits, for as long as ctx lasts, until the user picks one of the
// passkeys that the browser offers in the box for a name (conditional mediation,
// WebAuthn Level 3, 5.1.4), and begins a session with it. The box has
// autocomplete="username webauthn".
//
// Only a *[shared.Error] is for the user, who has picked a passkey that the server
// refuses, and a [Failure] that is Chosen. Nobody asked for this ceremony, so nobody needs
// to be told that it ended in another way.
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
	c.forget(ctx, begun, answer, err)
	return signed, err
}

// forget looks at how the use of a passkey ended.
func (c Ceremonies) forget(ctx context.Context, begun shared.Ceremony, answer shared.FinishCeremony, err error) {
	refused, _ := errors.AsType[*shared.Error](err)
	if manager, ok := c.Authenticator.(Forgetful); ok && refused != nil && refused.UnknownCredential {
		manager.Forget(ctx, begun.PublicKey, answer.Credential)
	}
}

// Confirm proves that the signed-in user is there.
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
	c.forget(ctx, begun, answer, err)
	return confirmed, err
}

func (c Ceremonies) prove(ctx context.Context, begun shared.Ceremony) (shared.FinishCeremony, error) {
	credential, err := c.Authenticator.Get(ctx, begun.PublicKey, begun.Mediation)
	if err != nil {
		return shared.FinishCeremony{}, failed(err, false)
	}
	return shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, nil
}

// Reason is why the authenticator gave no answer, as far as a browser tells.
type Reason string

const (
	// Denied: closed, timed out, or nothing fits. Browsers don't say which, so
	// that sites can't find out what a person has.
	Denied Reason = "denied"
	// Aborted: we ended it ourselves, to start another.
	Aborted Reason = "aborted"
	// Exists: the authenticator has a passkey for this account already.
	Exists Reason = "exists"
	// WrongAddress: the page's host doesn't belong to the relying party id.
	WrongAddress Reason = "wrong address"
	// NotSupported: no authenticator can make the kind of passkey that we need.
	NotSupported Reason = "not supported"
	// NoLock: there is no screen lock or PIN to verify the user with.
	NoLock Reason = "no lock"
	// NotLoaded: the page lacks its script for passkeys.
	NotLoaded Reason = "not loaded"
	// Faulty: the authenticator or password manager failed in its own way.
	Faulty Reason = "faulty"
)

// Failure is a ceremony that ended at the authenticator.
type Failure struct {
	Reason      Reason
	Registering bool   // else signing in or confirming
	Confirming  bool   // who has signed in already
	Exception   string // the DOMException's name, for whom the user asks
	// Chosen says that the user had picked a passkey, or made one that the server never
	// got: their password manager may have kept it.
	Chosen bool
}

// Error is for logs. What a person reads depends on the Reason.
func (f *Failure) Error() string { return "authenticator: " + f.Exception }

// reasons are the exceptions of WebAuthn Level 3, 5.1.3 and 5.1.4.
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
		return err // the authenticator's side knows a sentence for it
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
		failure.Reason = Faulty // only creating knows this exception
	}
	return failure
}
