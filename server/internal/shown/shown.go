// Package shown repeats what IT wrote in a refusal, unless a password may be in it.
//
// People write URLs and connection strings where a host, a name, a level or a path belongs.
// What is refused is told of in a terminal and in logs, where no password may be.
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

// MayHoldSecret reports whether a text that was refused is better not repeated.
func MayHoldSecret(text string) bool {
	const most = 1024 // nobody reads on
	return len(text) > most || strings.ContainsAny(text, "@\r\n") || IsInWords(text)
}

// Withheld stands for what isn't repeated.
const Withheld = "what is there (it may hold a password, so it isn't shown)"

// Text is a text, as far as it may be repeated.
func Text(text string) string {
	if MayHoldSecret(text) {
		return Withheld
	}
	return text
}

// Quoted is a text in quotes, as far as it may be repeated.
func Quoted(text string) string {
	if MayHoldSecret(text) {
		return Withheld
	}
	return strconv.Quote(text)
}
