// Package browser is the only part of Keypeg that touches JavaScript. It offers
// what the rest of the app needs of a browser as plain Go: fetch, WebAuthn, the
// signals to password managers, dates in the reader's language, storage.
//
// Everything that JavaScript answers later goes through one await, which sees
// rejections and releases its callbacks; go-app's Value.Then does neither.
//
// Outside of a browser, where the same components are rendered to HTML and
// tested, each function returns at once with a plain answer (stub.go).
package browser

import "context"

// Exception is a DOMException. Its name tells a program what happened; its
// message is the browser's own and never shown.
type Exception struct {
	Name, Message string
	chosen        bool
}

// Error is for logs.
func (e *Exception) Error() string { return e.Name + ": " + e.Message }

// DOMException returns the exception's name, such as "NotAllowedError".
func (e *Exception) DOMException() string { return e.Name }

// Chosen reports whether somebody had picked or made a passkey by then.
func (e *Exception) Chosen() bool { return e.chosen }

// Authenticator asks navigator.credentials. See Create and Get.
type Authenticator struct{}

// Transport sends requests with fetch, in the language of [Speaking].
type Transport struct{}

type speakingKey struct{}

// Speaking has a [Transport] ask for answers in a language, a BCP 47 tag: the one that
// stands around them on the screen, which need not be one that the browser asks for.
func Speaking(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, speakingKey{}, tag)
}

// Language is what [Speaking] was told, or "", for who brings a transport of their own.
func Language(ctx context.Context) string {
	tag, _ := ctx.Value(speakingKey{}).(string)
	return tag
}

// Support is whether this page can use passkeys.
type Support string

// The values of [Support].
const (
	Supported    Support = "supported"
	NotSupported Support = "not supported" // the browser has no WebAuthn
	NotSecure    Support = "not secure"    // the page came over plain http
)
