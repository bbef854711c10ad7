// Package browser is the only package of Keypeg that calls JavaScript. It offers what the
// rest of the app needs of a browser as plain Go: fetch ([Transport]), WebAuthn
// ([Authenticator]), signals to password managers ([Signal]), the stream of changes
// ([Live]), dates in the reader's language ([In]), and storage ([Remember]).
//
// All promises go through one function, await. It sees rejections and releases its
// callbacks; go-app's Value.Then does neither.
//
// Outside of a browser, where the same components are rendered to HTML and tested, each
// function returns at once with a plain answer (stub.go).
package browser

import (
	"context"
	"strings"
)

// Exception is a DOMException. Its name says what happened. Its message is the browser's own
// and is never shown.
type Exception struct {
	Name, Message string
	chosen        bool
}

// Error is for logs.
func (e *Exception) Error() string { return e.Name + ": " + e.Message }

// DOMException returns the exception's name, such as "NotAllowedError".
func (e *Exception) DOMException() string { return e.Name }

// Chosen reports whether the user had picked or made a passkey before the exception.
func (e *Exception) Chosen() bool { return e.chosen }

// IsPhoneNamed reports whether a user agent is a phone's. That has "Mobi" in it, and so may that
// of an iPad.
func IsPhoneNamed(userAgent string) bool {
	return strings.Contains(userAgent, "Mobi") && !strings.Contains(userAgent, "iPad")
}

// Authenticator asks navigator.credentials. See Create and Get.
type Authenticator struct{}

// Transport sends requests with fetch, in the language of [Speaking].
type Transport struct{}

// Posted is what a program answers to a form.
type Posted struct {
	Status     int
	Body       []byte
	RetryAfter string // the header (RFC 9110, 10.2.3), or ""
}

// Framing is what the element around a frame says to the page in it (web/static/elements.js).
type Framing struct {
	// Fresh is the path at which the program gives introductions, or "".
	Fresh string
	// Language is a BCP 47 tag, or "".
	Language string
	// Inline says that the frame stands within the program's page, and not over it.
	Inline bool
}

type speakingKey struct{}

// Speaking returns a context with which a [Transport] asks for answers in a language, a BCP
// 47 tag. It is the language of the page, which need not be one that the browser asks for.
func Speaking(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, speakingKey{}, tag)
}

// Language returns the language that [Speaking] has set, or "". It is for programs with a
// transport of their own.
func Language(ctx context.Context) string {
	tag, _ := ctx.Value(speakingKey{}).(string)
	return tag
}

// Support says whether this page can use passkeys.
type Support string

// The values of [Support].
const (
	Supported    Support = "supported"
	NotSupported Support = "not supported" // the browser has no WebAuthn
	NotSecure    Support = "not secure"    // the page came over plain http
)
