package shared

import (
	"errors"
	"fmt"
	"time"
)

// Code says to a program what kind of refusal it got. Codes are part of the API: new ones may
// be added, and none changes.
type Code string

const (
	// CodeInvalidRequest: the body isn't one that the path accepts.
	CodeInvalidRequest Code = "invalid_request"
	// CodeInvalidName: a name breaks the rules of [CleanPasskeyName] or of
	// user names.
	CodeInvalidName Code = "invalid_name"
	// CodeInvalidPassword: a new password is too short or too long.
	CodeInvalidPassword Code = "invalid_password"
	// CodeNameTaken: the user has a passkey with this name already, another user has this
	// user name, or another program has this client id.
	CodeNameTaken Code = "name_taken"
	// CodeInvalidEmail: a text is no e-mail address.
	CodeInvalidEmail Code = "invalid_email"
	// CodeInvalidClient: the settings of a program can't be used. Faults say which, and why.
	CodeInvalidClient Code = "invalid_client"
	// CodeEmailTaken: it is another user's e-mail address.
	CodeEmailTaken Code = "email_taken"
	// CodeUnauthenticated: there is no session, or it has ended.
	CodeUnauthenticated Code = "unauthenticated"
	// CodeSignInRefused: the name, the password or the passkey was wrong. It is never said
	// which.
	CodeSignInRefused Code = "sign_in_refused"
	// CodeConfirmRequired: ask the user to confirm who they are, then send the
	// request again.
	CodeConfirmRequired Code = "confirm_required"
	// CodeCrossSite: the request came from another site.
	CodeCrossSite Code = "cross_site"
	// CodeCookies: the browser didn't send the cookie back that it got a moment before.
	CodeCookies Code = "cookies"
	// CodeNotFound: it doesn't exist, or it isn't the user's.
	CodeNotFound Code = "not_found"
	// CodeMethodNotAllowed: the path doesn't accept this method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodeConflict: another request changed the same thing at the same time, also after
	// several tries.
	CodeConflict Code = "conflict"
	// CodeHeld: for a while, no sign-in method can be added to the account, because somebody who
	// reads the user's mails said that it wasn't them.
	CodeHeld Code = "held"
	// CodePasskeyExists: this passkey is registered already.
	CodePasskeyExists Code = "passkey_exists"
	// CodeTooManyPasskeys: the user has as many passkeys as allowed.
	CodeTooManyPasskeys Code = "too_many_passkeys"
	// CodeLastMethod: removing it would leave no way to sign in.
	CodeLastMethod Code = "last_method"
	// CodeLastAdministrator: there would be no administrator any more.
	CodeLastAdministrator Code = "last_administrator"
	// CodeCeremonyRefused: the authenticator's answer failed a check, or its
	// ticket was used, altered or issued to another browser.
	CodeCeremonyRefused Code = "ceremony_refused"
	// CodeCeremonyExpired: the ticket is older than five minutes.
	CodeCeremonyExpired Code = "ceremony_expired"
	// CodeAccountDisabled: the user has proved who they are, and is disabled.
	CodeAccountDisabled Code = "account_disabled"
	// CodeUserNotVerified: the authenticator proved that a person is present, and not that it
	// is the user.
	CodeUserNotVerified Code = "user_not_verified"
	// CodePasskeyCopied: the signature counter of a passkey that isn't synced didn't grow
	// (WebAuthn Level 3, 6.1.1).
	CodePasskeyCopied Code = "passkey_copied"
	// CodePasskeyChanged: the passkey could be backed up when it was made, and its provider
	// says now that it can't.
	CodePasskeyChanged Code = "passkey_changed"
	// CodePasskeyRemoved: the passkey was the user's and has been removed.
	CodePasskeyRemoved Code = "passkey_removed"
	// CodePasskeyElsewhere: the passkey was made for another relying party id.
	CodePasskeyElsewhere Code = "passkey_of_another_address"
	// CodeNotDiscoverable: the new passkey isn't discoverable, so that no sign-in would find it.
	CodeNotDiscoverable Code = "passkey_not_discoverable"
	// CodeAuthenticatorRefused: the organisation accepts only passkeys of certain models of
	// authenticators, and this one isn't.
	CodeAuthenticatorRefused Code = "authenticator_refused"
	// CodePasskeysOff: IT hasn't set passkeys up.
	CodePasskeysOff Code = "passkeys_off"
	// CodeMailOff: IT hasn't set a mail server up.
	CodeMailOff Code = "mail_off"
	// CodePasswordsOff: the organisation's policy allows this user no password.
	CodePasswordsOff Code = "passwords_off"
	// CodeSuspended: IT has suspended this organisation. People read that it is
	// switched off.
	CodeSuspended Code = "switched_off"
	// CodeSSORefused: the answer of an OpenID provider failed a check, came too late or came
	// in another browser, or the person didn't sign in there.
	CodeSSORefused Code = "sso_refused"
	// CodeProviderUnavailable: an OpenID provider didn't answer. It may answer later.
	CodeProviderUnavailable Code = "provider_unavailable"
	// CodeProviderMisconfigured: the settings of an OpenID provider are wrong, there or here.
	// Unlike [CodeProviderUnavailable], that stays until IT changes something.
	CodeProviderMisconfigured Code = "provider_misconfigured"
	// CodeNoAccount: the person has signed in at the provider, and no account here belongs to
	// the account that they chose there.
	CodeNoAccount Code = "no_account"
	// CodeIdentityTaken: the identity belongs to another user.
	CodeIdentityTaken Code = "identity_taken"
	// CodeNotAllowed: the request is for administrators.
	CodeNotAllowed Code = "not_allowed"
	// CodeWrongHost: the request came to another address than the server's own.
	CodeWrongHost Code = "wrong_host"
	// CodeTooLarge: the body is larger than 64 KiB, or than [MaxImport], or a table has too many
	// rows.
	CodeTooLarge Code = "too_large"
	// CodeUnsupportedType: the body's Content-Type isn't application/json.
	CodeUnsupportedType Code = "unsupported_type"
	// CodeTooManyAttempts: wrong passwords came too fast, or very many users sign in at this
	// moment. The header Retry-After (RFC 9110, 10.2.3) says how many seconds to wait.
	CodeTooManyAttempts Code = "too_many_attempts"
	// CodeIntroductionInvalid: the introduction of a program's user can't be read, or its signature is wrong.
	CodeIntroductionInvalid Code = "introduction_invalid"
	// CodeIntroductionOrigin: the introduction is for another address.
	CodeIntroductionOrigin Code = "introduction_origin"
	// CodeIntroductionClock: the program's clock and the server's are apart.
	CodeIntroductionClock Code = "introduction_clock"
	// CodeIntroductionUser: another introduction contradicts it about who the user is.
	CodeIntroductionUser Code = "introduction_user"
	// CodeIntroductionExpired: the page with the introduction was open for too long. A new one helps.
	CodeIntroductionExpired Code = "introduction_expired"
	// CodeIntroductionUsed: the introduction was used in another browser. A new one helps.
	CodeIntroductionUsed Code = "introduction_used"
	// CodeProgramRefused: a request for programs doesn't have the secret.
	CodeProgramRefused Code = "program_refused"
	// CodeProofInvalid: no proof, or one for another program, or of a passkey that was removed since.
	CodeProofInvalid Code = "proof_invalid"
	// CodeProofExpired: the proof is older than a minute.
	CodeProofExpired Code = "proof_expired"
	// CodeProofUsed: the proof was redeemed before.
	CodeProofUsed Code = "proof_used"
	// CodeProofBrowser: the proof was made in another browser than the one that brings it.
	CodeProofBrowser Code = "proof_browser"
	// CodeInternal: the fault is the server's. The message has an id that IT finds in the log.
	CodeInternal Code = "internal"
	// CodeInBetween: something between the browser and the server answered, changed an
	// answer or kept it back; see [Trouble]. The browser makes it; the server never sends it.
	CodeInBetween Code = "in_between"
	// CodeAway: a proxy answered that the server is away. The browser makes it; the server
	// never sends it.
	CodeAway Code = "away"
	// CodeOffline: the server can't be reached. The browser makes it; the server never sends
	// it.
	CodeOffline Code = "offline"
)

// Error is a refusal. A program reads the Code and a person the Message. IT finds the cause in
// the server's log; it is never sent.
type Error struct {
	Code    Code
	Message string
	cause   error

	format string // of the Message: the key of its translations
	args   []any

	// UnknownCredential says that the passkey that was used has been removed, which is proved.
	// So its password manager may delete it (WebAuthn Level 3, 5.1.10.1).
	UnknownCredential bool

	// Faults are what is wrong with single fields, for [CodeInvalidClient].
	Faults []Fault

	// Developer says in English what a program that Keypeg is built into does wrong, and what to do. It
	// is for whoever builds that program: no page shows it to users.
	Developer string

	// RetryAfter is how long to wait before the same request may succeed; 0 if waiting
	// changes nothing.
	RetryAfter time.Duration
}

// Errorf returns an [Error] with a message for the person at the screen. The message is a
// sentence that says what to do now.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), format: format, args: args}
}

// Because returns a copy of e with a cause, for the log.
func (e *Error) Because(cause error) *Error {
	because := *e
	because.cause = cause
	return &because
}

// Telling returns a copy of e that tells the developer of a program what to mend. The log gets the same as
// cause.
func (e *Error) Telling(format string, args ...any) *Error {
	telling := *e.Because(fmt.Errorf(format, args...))
	telling.Developer = telling.cause.Error()
	return &telling
}

// After returns a copy of e that says how long to wait.
func (e *Error) After(wait time.Duration) *Error {
	after := *e
	after.RetryAfter = wait
	return &after
}

// In returns the message in another language. Translate returns the format in that language.
// If [Errorf] didn't make the error, In returns the Message.
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

// IsSignedOut reports whether err says that only a new sign-in helps: the session has ended,
// or the organisation is suspended.
func IsSignedOut(err error) bool {
	code := CodeOf(err)
	return code == CodeUnauthenticated || code == CodeSuspended
}

// IsUnreachable reports whether err says that the server didn't answer, and at most a proxy in
// front of it did. What the server sent before may still be shown.
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
	// UnknownCredential is that of the [Error].
	UnknownCredential bool `json:"unknownCredential,omitempty"`
	// Faults are those of the [Error].
	Faults []Fault `json:"faults,omitempty"`
	// Developer is that of the [Error].
	Developer string `json:"developer,omitempty"`
}
