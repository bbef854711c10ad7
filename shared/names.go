package shared

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameLength is the longest name of a passkey or a person, in characters
// (Unicode code points).
const MaxNameLength = 64

// CleanPasskeyName returns the name as it is stored. White space and invisible characters at
// the ends, which often come along when a name is pasted, are removed. Other white space
// becomes one blank. The result may be empty; the server finds a name then.
//
// It refuses a name with [CodeInvalidName] if it could look like another one or disturb the
// text around it: invalid UTF-8, control characters, bidirectional controls and invisible
// characters (except the joiners that some scripts and emoji need), and more than
// [MaxNameLength] characters.
func CleanPasskeyName(name string) (string, error) { return cleanName(name) }

// CleanDisplayName applies the rules of [CleanPasskeyName] to the name of a person. It refuses
// an empty result.
func CleanDisplayName(name string) (string, error) {
	clean, err := cleanName(name)
	if err == nil && clean == "" {
		return "", Errorf(CodeInvalidName, "Please enter a name.")
	}
	return clean, err
}

// Initial is the letter that stands for a provider or a program in lists.
func Initial(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(first))
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

// disturbs reports whether a character changes the text around it or is invisible. The two
// joiners (ZWNJ, ZWJ) are allowed, since Persian words and many emoji need them.
func disturbs(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	switch r {
	case ' ', zeroWidthNonJoiner, zeroWidthJoiner:
		return false
	}
	return IsInvisible(r) || unicode.In(r, unicode.Cc, unicode.Co, unicode.Cs)
}

// IsInvisible reports whether a character is white space or one of Unicode's format
// characters (category Cf), such as zero width spaces, byte order marks, soft hyphens and
// marks of the direction of writing.
func IsInvisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// TrimInvisible removes invisible characters at the ends of a text. They often come along when
// a text is pasted or completed by the browser.
func TrimInvisible(text string) string { return strings.TrimFunc(text, IsInvisible) }
