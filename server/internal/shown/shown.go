// Package shown quotes what IT wrote in a refusal, unless it may contain a password.
//
// People write URLs and connection strings where a host, a name, a level or a path belongs.
// A refusal is printed in terminals and logs, where no password may be.
package shown

import (
	"regexp"
	"strconv"
	"strings"
)

// inWords finds connection strings: "host=db password=...", "Server=h;Pwd=...".
var inWords = regexp.MustCompile(`(?i)(^|[\s;,?&{"'])[\pL][\pL\pN_.-]*( [\pL][\pL\pN_.-]*)*["']?\s*=`)

// IsInWords reports whether a text is a connection string, or has one in it.
func IsInWords(text string) bool { return inWords.MatchString(text) }

// MayHoldSecret reports whether a refused text should not be quoted.
func MayHoldSecret(text string) bool {
	const most = 1024 // nobody reads a longer text
	return len(text) > most || strings.ContainsAny(text, "@\r\n") || IsInWords(text)
}

// Withheld replaces a text that isn't quoted.
const Withheld = "what is there (it may hold a password, so it isn't shown)"

// Text returns a text, or Withheld.
func Text(text string) string {
	if MayHoldSecret(text) {
		return Withheld
	}
	return text
}

// Quoted returns a text in quotes, or Withheld.
func Quoted(text string) string {
	if MayHoldSecret(text) {
		return Withheld
	}
	return strconv.Quote(text)
}
