package shared

import "errors"

// Trouble is a fault of something between a page and the server, which the page notices. IT
// reads it in the log, with the lines that the proxy's configuration needs. The person reads
// a sentence, with the trouble's name as a code for IT.
type Trouble string

const (
	// TroubleAppBlocked: a Content-Security-Policy forbids the app.
	TroubleAppBlocked Trouble = "app-blocked"
	// TroubleAppScripts: no script of the page runs.
	TroubleAppScripts Trouble = "app-scripts"
	// TroubleAppType: the app comes with a wrong Content-Type.
	TroubleAppType Trouble = "app-type"
	// TroubleAppCoding: the app comes with a wrong Content-Encoding.
	TroubleAppCoding Trouble = "app-coding"
	// TroubleAppCut: the app arrives incomplete.
	TroubleAppCut Trouble = "app-cut"
	// TroubleAppMissing: something else comes in the app's place, or nothing.
	TroubleAppMissing Trouble = "app-missing"
	// TroublePasskeyPolicy: a Permissions-Policy forbids passkeys.
	TroublePasskeyPolicy Trouble = "passkey-policy"
	// TroubleTooLarge: something in between refused a request as too large.
	TroubleTooLarge Trouble = "answer-large"
	// TroubleRefused: something in between refused a request.
	TroubleRefused Trouble = "answer-refused"
	// TroubleOtherAnswer: something in between answered a request.
	TroubleOtherAnswer Trouble = "answer-other"
	// TroubleCutAnswer: an answer arrived incomplete.
	TroubleCutAnswer Trouble = "answer-cut"
	// TroubleCached: an older answer came, which may be another user's.
	TroubleCached Trouble = "answer-kept"
	// TroubleHeld: the stream of changes is open, and something in between keeps it back.
	TroubleHeld Trouble = "stream-held"
	// TroubleCookies: the browser doesn't send the cookie back that it got just before.
	TroubleCookies Trouble = "cookies"
)

// Troubles are all that can be reported.
var Troubles = []Trouble{
	TroubleAppBlocked, TroubleAppScripts, TroubleAppType, TroubleAppCoding, TroubleAppCut, TroubleAppMissing,
	TroublePasskeyPolicy, TroubleTooLarge, TroubleRefused, TroubleOtherAnswer, TroubleCutAnswer,
	TroubleCached, TroubleHeld, TroubleCookies,
}

// TroubleReport is what a page sends to [PathTrouble].
type TroubleReport struct {
	Trouble Trouble `json:"trouble"`
}

// TroubleExplained answers a [TroubleReport] with a sentence for the person.
type TroubleExplained struct {
	Detail string `json:"detail"`
}

// Refusal returns the error that a person reads, with the trouble's name for IT.
func (t Trouble) Refusal() *Error {
	switch t {
	case TroubleAppBlocked:
		return Errorf(CodeInBetween, "Your browser was told not to start this page. Please tell IT. (Code %s)", t)
	case TroubleAppScripts:
		return Errorf(CodeInBetween, "This page hasn't started. Reload it. If that doesn't help, tell IT. (Code %s)", t)
	case TroubleAppType, TroubleAppCoding:
		return Errorf(CodeInBetween, "Something between you and the server changes this page, so it can't start. Please tell IT. (Code %s)", t)
	case TroubleAppCut:
		return Errorf(CodeInBetween, "A part of this page didn't arrive whole. Reload it. If that doesn't help, tell IT. (Code %s)", t)
	case TroubleAppMissing:
		return Errorf(CodeInBetween, "A part of this page didn't come. Something may block it. Reload it. If that doesn't help, tell IT. (Code %s)", t)
	case TroublePasskeyPolicy:
		return Errorf(CodeInBetween, "Something between you and the server forbids passkeys on this page. Please tell IT. (Code %s)", t)
	case TroubleTooLarge:
		return Errorf(CodeInBetween, "Something between you and the server takes no request of this size. Please tell IT. (Code %s)", t)
	case TroubleRefused:
		return Errorf(CodeInBetween, "Something between you and the server refused this. Please tell IT. (Code %s)", t)
	case TroubleCutAnswer:
		return Errorf(CodeInBetween, "The server's answer didn't arrive whole. Reload this page. If that doesn't help, tell IT. (Code %s)", t)
	case TroubleCached:
		return Errorf(CodeInBetween, "An older answer came, which may be for somebody else, so it isn't shown. Please tell IT. (Code %s)", t)
	case TroubleCookies:
		return Errorf(CodeInBetween, "Your browser sends no cookies back, so this page can't know who you are. Allow cookies for this site. If they are allowed, tell IT. (Code %s)", t)
	case TroubleHeld:
		return Errorf(CodeInBetween, "What changes elsewhere shows here late. (Code %s)", t)
	}
	return Errorf(CodeInBetween, "Something else answered in the server's place. If your network asks you to sign in, do that, and reload this page. If not, tell IT. (Code %s)", t)
}

// TroubleOf returns the trouble of which err is the [Trouble.Refusal], or "".
func TroubleOf(err error) Trouble {
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeInBetween && len(e.args) == 1 {
		trouble, _ := e.args[0].(Trouble)
		return trouble
	}
	return ""
}

// Away returns the error for the time while a proxy says that the server is away.
func Away() *Error {
	return Errorf(CodeAway, "The server isn't there at the moment. Please try again in a minute.")
}

// Insecure returns the error for a request without https to a server that has it.
func Insecure(origin string) *Error {
	return Errorf(CodeWrongHost, "This page was opened without https, so nobody can sign in there. Use %s instead.", origin)
}
