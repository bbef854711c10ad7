// Package strictjson reads JSON from outside that decides something: a request, a
// credential, client data.
//
// The case of member names counts (RFC 8259, 8.3), and a repeated member is refused. The
// standard library's decoder accepts "ORIGIN" for "origin", and takes the last of two
// members, so two programs may read one text differently. Unknown members are ignored.
// Start with [Unmarshal].
package strictjson

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Unmarshal reads one JSON value and nothing after it. Its errors may be logged: they have
// no value of the text, which may be a secret.
func Unmarshal(text []byte, into any) error { return unmarshal(text, into) }

// UnmarshalUTF8 is Unmarshal for text that must be decoded by the UTF-8 decode of the
// Encoding standard, such as client data (WebAuthn Level 3, 7.1 step 5): it ignores a byte
// order mark, and reads invalid UTF-8 as U+FFFD.
func UnmarshalUTF8(text []byte, into any) error {
	const mark = "\xef\xbb\xbf"
	if len(text) >= len(mark) && string(text[:len(mark)]) == mark {
		text = text[len(mark):]
	}
	return unmarshal(text, into, jsontext.AllowInvalidUTF8(true))
}

func unmarshal(text []byte, into any, options ...json.Options) error {
	err := json.Unmarshal(text, into, options...)
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		valueless := *semantic
		valueless.JSONValue = nil
		return &valueless
	}
	return err
}

// Lenient is a text that decides nothing. A value that isn't a string is empty.
type Lenient string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *Lenient) UnmarshalJSON(value []byte) error {
	var text string
	if json.Unmarshal(value, &text) == nil {
		*l = Lenient(text)
	} else {
		*l = ""
	}
	return nil
}
