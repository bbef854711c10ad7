//go:build !js

package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// PasskeySupport returns Supported, so that components render as they do in most browsers.
func PasskeySupport() Support { return Supported }

// OffersAutofill returns false.
func OffersAutofill(context.Context) bool { return false }

// CreatesSilently returns false.
func CreatesSilently(context.Context) bool { return false }

// Create fails: there is no browser.
func (Authenticator) Create(context.Context, json.RawMessage, string) (json.RawMessage, error) {
	return nil, errNoBrowser
}

// Get fails: there is no browser.
func (Authenticator) Get(context.Context, json.RawMessage, string) (json.RawMessage, error) {
	return nil, errNoBrowser
}

// Forget does nothing.
func (Authenticator) Forget(context.Context, json.RawMessage, json.RawMessage) {}

// Failed returns none.
func (Authenticator) Failed() shared.FailedTries { return nil }

// Removed does nothing.
func (Authenticator) Removed() {}

// Succeeded does nothing.
func (Authenticator) Succeeded() {}

// Send fails: there is no browser.
func (Transport) Send(context.Context, string, string, []byte) (int, []byte, error) {
	return 0, nil, errNoBrowser
}

// SendForm fails: there is no browser.
func (Transport) SendForm(context.Context, string, url.Values) (Posted, error) {
	return Posted{}, errNoBrowser
}

// TellDeveloper does nothing.
func TellDeveloper(string) {}

var errNoBrowser = errors.New("browser: not running in one")

// Signal does nothing.
func Signal(context.Context, *shared.Signals) {}

// Live returns at once: nothing changes.
func Live(context.Context, string, string, func(LiveState)) {}

// TakeOver does nothing: no page has arrived.
func TakeOver(context.Context) {}

// Returns returns false at once: no server was away.
func Returns(context.Context, func(context.Context) bool) bool { return false }

// Host returns "localhost".
func Host() string { return "localhost" }

// Path returns the path of the start page.
func Path() string { return "/" }

// ChosenFile returns "": no file is chosen.
func ChosenFile(context.Context, string, int) (string, error) { return "", nil }

// Download does nothing.
func Download(name, text string) {}

// Copy does nothing.
func Copy(context.Context, string) bool { return false }

// Print does nothing.
func Print() {}

// InstallsByHand returns false.
func InstallsByHand() bool { return false }

// IsPhone returns false.
func IsPhone() bool { return false }

// Leave does nothing.
func Leave(string) {}

// Reload does nothing.
func Reload() {}

// Languages returns none.
func Languages() []string { return nil }

// SpeakLanguage does nothing.
func SpeakLanguage(string) {}

// ChooseLanguage does nothing.
func ChooseLanguage(string) {}

// In formats as in English, in UTC.
type In string

// Regional returns the language itself.
func Regional(lang string) In { return In(lang) }

// Number writes digits.
func (In) Number(n int) string { return strconv.Itoa(n) }

// Date writes an English day in UTC.
func (In) Date(t time.Time) (day, exact string) {
	t = t.UTC()
	return t.Format("Jan 2, 2006"), t.Format("Monday, January 2, 2006 at 15:04:05 UTC")
}

// Time writes an English time of day in UTC.
func (In) Time(t time.Time) string { return t.UTC().Format("3:04 PM") }

// Moment writes an English moment in UTC.
func (l In) Moment(t time.Time) (moment, exact string) {
	_, exact = l.Date(t)
	return t.UTC().Format("Jan 2, 2006, 3:04 PM"), exact
}

// Remember does nothing.
func Remember(string, string) {}

// Watch returns at once: there are no other pages.
func Watch(context.Context, string, func()) {}

// Forget does nothing.
func Forget(string) {}

// Take returns "".
func Take(string) string { return "" }

// Recall returns "".
func Recall(string) string { return "" }

// Observe fails: there is no browser.
func Observe(context.Context, shared.Checks, string) (json.RawMessage, error) {
	return nil, errNoBrowser
}

// Framed returns no framing: the page isn't in a frame.
func Framed() Framing { return Framing{} }

// TellFrame does nothing.
func TellFrame(string, map[string]any) {}

// Back does nothing.
func Back() {}
