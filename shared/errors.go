package shared

import (
	"errors"
	"fmt"
	"time"
)

// Code tells a program what kind of refusal it got. Codes are part of the API:
// they are added, never changed.
type Code string

const (
	// CodeInvalidRequest: the body isn't what the path takes.
	CodeInvalidRequest Code = "invalid_request"
	// CodeInvalidName: a name breaks the rules of [CleanPasskeyName] or of
	// user names.
	CodeInvalidName Code = "invalid_name"
	// CodeInvalidPassword: a new password is too short or too long.
	CodeInvalidPassword Code = "invalid_password"
	// CodeNameTaken: the user has a passkey of this name already, or the
	// sign-in name belongs to somebody.
	CodeNameTaken Code = "name_taken"
	// CodeUnauthenticated: there is no session, or it has ended.
	CodeUnauthenticated Code = "unauthenticated"
	// CodeSignInRefused: name, password or passkey was wrong; which of them is
	// never said.
	CodeSignInRefused Code = "sign_in_refused"
	// CodeConfirmRequired: ask the user to confirm who they are, then send the
	// request again.
	CodeConfirmRequired Code = "confirm_required"
	// CodeCrossSite: the request came from another site.
	CodeCrossSite Code = "cross_site"
	// CodeCookies: the browser sent back no cookie that it had got a moment before.
	CodeCookies Code = "cookies"
	// CodeNotFound: it isn't there, or it isn't yours.
	CodeNotFound Code = "not_found"
	// CodeMethodNotAllowed: the path doesn't take this method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodeConflict: somebody else changed the same thing meanwhile, more often
	// than we retry.
	CodeConflict Code = "conflict"
	// CodePasskeyExists: this passkey is registered already.
	CodePasskeyExists Code = "passkey_exists"
	// CodeTooManyPasskeys: the user has as many passkeys as allowed.
	CodeTooManyPasskeys Code = "too_many_passkeys"
	// CodeLastMethod: removing it would leave no way to sign in.
	CodeLastMethod Code = "last_method"
	// CodeLastAdministrator: nobody would be left to administer.
	CodeLastAdministrator Code = "last_administrator"
	// CodeCeremonyRefused: the authenticator's answer failed a check, or its
	// ticket was used, altered or issued to another browser.
	CodeCeremonyRefused Code = "ceremony_refused"
	// CodeCeremonyExpired: the ticket is older than five minutes.
	CodeCeremonyExpired Code = "ceremony_expired"
	// CodeAccountDisabled: whoever asks has proved who they are, and may not sign in.
	CodeAccountDisabled Code = "account_disabled"
	// CodeUserNotVerified: the authenticator showed that somebody is there, and not who.
	CodeUserNotVerified Code = "user_not_verified"
	// CodePasskeyCopied: the signature counter of a passkey that lives in one place didn't
	// grow (WebAuthn Level 3, 6.1.1).
	CodePasskeyCopied Code = "passkey_copied"
	// CodePasskeyChanged: the passkey could be backed up when it was made, and its provider
	// says now that it can't.
	CodePasskeyChanged Code = "passkey_changed"
	// CodePasskeyRemoved: the passkey was one of the user's, and was removed.
	CodePasskeyRemoved Code = "passkey_removed"
	// CodePasskeyElsewhere: the passkey was made for another relying party id.
	CodePasskeyElsewhere Code = "passkey_of_another_address"
	// CodeNotDiscoverable: no sign-in would find the new passkey.
	CodeNotDiscoverable Code = "passkey_not_discoverable"
	// CodeAuthenticatorRefused: the organisation takes passkeys of its own makes of
	// authenticators only.
	CodeAuthenticatorRefused Code = "authenticator_refused"
	// CodePasskeysOff: IT has not switched passkeys on.
	CodePasskeysOff Code = "passkeys_off"
	// CodePasswordsOff: the organisation's policy takes no password of this user.
	CodePasswordsOff Code = "passwords_off"
	// CodeSuspended: IT has suspended this organisation. People read that it is
	// switched off.
	CodeSuspended Code = "switched_off"
	// CodeSSORefused: the answer of an OpenID provider failed a check, came too
	// late or was another browser's, or the person didn't sign in there.
	CodeSSORefused Code = "sso_refused"
	// CodeProviderUnavailable: an OpenID provider didn't answer. It may later.
	CodeProviderUnavailable Code = "provider_unavailable"
	// CodeProviderMisconfigured: an OpenID provider, or what we know of it, isn't set up
	// rightly. It stays so until IT changes something, unlike
	// [CodeProviderUnavailable].
	CodeProviderMisconfigured Code = "provider_misconfigured"
	// CodeNoAccount: the provider knows the person, and we don't, or not with the
	// account there that they chose.
	CodeNoAccount Code = "no_account"
	// CodeIdentityTaken: the identity belongs to another user.
	CodeIdentityTaken Code = "identity_taken"
	// CodeNotAllowed: it is for administrators.
	CodeNotAllowed Code = "not_allowed"
	// CodeWrongHost: the server isn't reached by its own address.
	CodeWrongHost Code = "wrong_host"
	// CodeTooLarge: the body is larger than 64 KiB.
	CodeTooLarge Code = "too_large"
	// CodeUnsupportedType: the body's Content-Type isn't application/json.
	CodeUnsupportedType Code = "unsupported_type"
	// CodeTooManyAttempts: wrong passwords came too fast, or very many sign in at
	// this moment. The Retry-After header (RFC 9110, 10.2.3) says how many seconds
	// to wait.
	CodeTooManyAttempts Code = "too_many_attempts"
	// CodeInternal: the fault is ours; the message holds an id that IT finds
	// in the log.
	CodeInternal Code = "internal"
	// CodeInBetween: something between the browser and the server answered, changed an
	// answer or held it back; see [Trouble]. It is made in the browser and never crosses
	// the wire.
	CodeInBetween Code = "in_between"
	// CodeAway: a proxy answered that the server isn't there. It is made in the browser and
	// never crosses the wire.
	CodeAway Code = "away"
	// CodeOffline: the server could not be reached. It is made in the browser
	// and never crosses the wire.
	CodeOffline Code = "offline"
)

// Error is a refusal. The program reads its Code, the person its Message, and
// IT finds the cause in the server's log; the cause never crosses the wire.
type Error struct {
	Code    Code
	Message string
	cause   error

	format string // of the Message, which other languages know it by
	args   []any

	// UnknownCredential: the passkey that was used is known to have been removed,
	// so that its password manager may forget it (WebAuthn Level 3, 5.1.10.1).
	UnknownCredential bool

	// RetryAfter is how long to wait before the same has a chance; 0 if waiting
	// changes nothing.
	RetryAfter time.Duration
}

// Errorf makes an [Error] with a message for the person at the screen: a
// sentence that says what to do now.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), format: format, args: args}
}

// Because returns a copy of e that remembers its cause, for the log.
func (e *Error) Because(cause error) *Error {
	because := *e
	because.cause = cause
	return &because
}

// After returns a copy of e for which waiting helps.
func (e *Error) After(wait time.Duration) *Error {
	after := *e
	after.RetryAfter = wait
	return &after
}

// In returns the message in another language. Translate returns its format there. Of an
// error that [Errorf] didn't make, the message stays as it is.
func (e *Error) In(translate func(format string) string) string {
	if e.format == "" {
		return e.Message
	}
	return fmt.Sprintf(translate(e.format), e.args...)
}

// Error is for logs and tests. Show people the Message.
func (e *Error) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s: %s (%v)", e.Code, e.Message, e.cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of the first [Error] in err's chain, or "" if there
// is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// IsSignedOut reports whether err says that nothing more is answered without a new
// sign-in: the session has ended, or the organisation is suspended.
func IsSignedOut(err error) bool {
	code := CodeOf(err)
	return code == CodeUnauthenticated || code == CodeSuspended
}

// IsUnreachable reports whether err says that nobody answered: not the server, at most a
// proxy in front of it. What was known before is still worth showing.
func IsUnreachable(err error) bool {
	code := CodeOf(err)
	return code == CodeOffline || code == CodeAway
}

// Problem is an [Error] on the wire: application/problem+json (RFC 9457) with
// members of our own.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      Code   `json:"code"`
	RequestID string `json:"requestId,omitempty"`
	// UnknownCredential is [Error]'s.
	UnknownCredential bool `json:"unknownCredential,omitempty"`
}
