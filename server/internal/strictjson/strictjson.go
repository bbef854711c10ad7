// Package strictjson reads JSON that somebody else wrote and that decides over something:
// a request, a credential, client data.
//
// Names of members count letter by letter (RFC 8259, 8.3), and a member that stands there
// twice is refused. The standard library's decoder takes "ORIGIN" for "origin", and of two
// members the last, so that two programs can read two things out of one text. Members that
// nobody asked for are ignored. Start with [Unmarshal].
package strictjson

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Unmarshal reads one JSON value, with nothing behind it. Its errors hold no value of the
// text, which may be a secret: they may be logged.
func Unmarshal(text []byte, into any) error { return unmarshal(text, into) }

// UnmarshalUTF8 is Unmarshal for text that went through the UTF-8 decode of the Encoding
// standard, as client data do (WebAuthn Level 3, 7.1 step 5): a byte order mark is left
// out, and what isn't UTF-8 counts as U+FFFD.
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

// Lenient is a text that decides over nothing: whatever isn't a string is empty.
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
