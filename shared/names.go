package shared

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameLength is the longest name of a passkey or a person, in characters
// (Unicode code points).
const MaxNameLength = 64

// CleanPasskeyName returns the name as it is kept: white space and what can't be seen at
// the ends gone, as it comes along when a name is pasted, and runs of white space one
// blank. An empty result is allowed; it asks for a name to be found.
//
// It refuses, with [CodeInvalidName], what could make one name look like
// another or disturb the text around it: invalid UTF-8, control characters,
// bidirectional controls and invisible characters (other than the joiners that
// some scripts and emoji need), and more than [MaxNameLength] characters.
func CleanPasskeyName(name string) (string, error) { return cleanName(name) }

// CleanDisplayName applies the rules of [CleanPasskeyName] to what a person is
// called. An empty result is refused.
func CleanDisplayName(name string) (string, error) {
	clean, err := cleanName(name)
	if err == nil && clean == "" {
		return "", Errorf(CodeInvalidName, "Please enter a name.")
	}
	return clean, err
}

func cleanName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", Errorf(CodeInvalidName, "This name has characters that can't be read. Please type it again.")
	}

	clean := strings.Join(strings.Fields(strings.TrimFunc(name, isPadding)), " ")
	if utf8.RuneCountInString(clean) > MaxNameLength {
		return "", Errorf(CodeInvalidName, "This name is too long. Please use at most %d characters.", MaxNameLength)
	}
	if strings.ContainsFunc(clean, disturbs) {
		return "", Errorf(CodeInvalidName, "This name has characters that can't be shown. Please leave them out.")
	}
	return clean, nil
}

// isPadding reports whether a character at the end of a name says nothing.
func isPadding(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) || r == '\u200b' || r == '\ufeff'
}

// disturbs tells whether a character changes the text around it or can't be
// seen. Categories Cc, Cf, Co, Cs and Zl/Zp are refused, but for the two
// joiners (ZWNJ, ZWJ), without which Persian words and many emoji fall apart.
func disturbs(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
}
