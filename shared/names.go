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

	clean := strings.Join(strings.Fields(TrimInvisible(name)), " ")
	if utf8.RuneCountInString(clean) > MaxNameLength {
		return "", Errorf(CodeInvalidName, "This name is too long. Please use at most %d characters.", MaxNameLength)
	}
	if strings.ContainsFunc(clean, disturbs) {
		return "", Errorf(CodeInvalidName, "This name has characters that can't be shown. Please leave them out.")
	}
	return clean, nil
}

// disturbs reports whether a character changes the text around it or can't be seen. The
// two joiners (ZWNJ, ZWJ) don't: without them Persian words and many emoji fall apart.
func disturbs(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	switch r {
	case ' ', zeroWidthNonJoiner, zeroWidthJoiner:
		return false
	}
	return IsInvisible(r) || unicode.In(r, unicode.Cc, unicode.Co, unicode.Cs)
}

// IsInvisible reports whether a character shows nothing of its own: white space, and
// Unicode's format characters (category Cf), such as zero width spaces, byte order marks,
// soft hyphens and what sets the direction of writing.
func IsInvisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// TrimInvisible leaves out what nobody sees at the ends of a text. It comes along when a
// text is pasted or completed.
func TrimInvisible(text string) string { return strings.TrimFunc(text, IsInvisible) }
