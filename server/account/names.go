package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"github.com/keypeg/keypeg/shared"
)

// maxTyped bounds the length of a typed name or password, in bytes.
const maxTyped = 1024

// CanonicalName returns a user name in the form in which it is stored and compared: PRECIS
// UsernameCaseMapped (RFC 8265, 3.3), so that "Ann" and "ann" are the same. It removes
// white space and invisible characters at the ends, which get there when a name is pasted
// or completed, and what programs write around an e-mail address.
//
// Refusal: [shared.CodeInvalidName] for what that profile forbids (blanks, control and
// invisible characters, mixed directions, and more), and for names longer than
// [shared.MaxNameLength] characters.
func CanonicalName(typed string) (string, error) {
	typed = plainAddress(typed)
	if typed == "" {
		return "", shared.Errorf(shared.CodeInvalidName, "Please enter a user name.")
	}
	if len(typed) > maxTyped {
		return "", shared.Errorf(shared.CodeInvalidName, "This user name is too long. Please use at most %d characters.", shared.MaxNameLength)
	}
	name, err := precis.UsernameCaseMapped.String(typed)
	if err != nil {
		return "", shared.Errorf(shared.CodeInvalidName, "This user name has characters that can't be used. Please use letters, digits, dots, dashes and underscores.").Because(err)
	}
	name = plainAddress(name) // again, because the address may have been written in wide characters
	if utf8.RuneCountInString(name) > shared.MaxNameLength {
		return "", shared.Errorf(shared.CodeInvalidName, "This user name is too long. Please use at most %d characters.", shared.MaxNameLength)
	}
	return name, nil
}

// plainAddress removes what programs write around an e-mail address: blanks, < and >,
// mailto:, and the final dot of a domain. From a text without @ it removes only the blanks.
func plainAddress(text string) string {
	const scheme = "mailto:"
	for {
		bare := shared.TrimInvisible(text)
		if strings.Contains(bare, "@") {
			if len(bare) > len(scheme) && strings.EqualFold(bare[:len(scheme)], scheme) {
				bare = bare[len(scheme):]
			}
			if strings.HasPrefix(bare, "<") && strings.HasSuffix(bare, ">") {
				bare = bare[1 : len(bare)-1]
			}
			bare = strings.TrimRight(bare, ".")
		}
		if bare == text {
			return bare
		}
		text = bare
	}
}
