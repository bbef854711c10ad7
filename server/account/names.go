package account

import (
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"github.com/keypeg/keypeg/shared"
)

// maxTyped bounds what is looked at of a name or password, in bytes.
const maxTyped = 1024

// CanonicalName returns a user name as it is kept and compared: PRECIS
// UsernameCaseMapped (RFC 8265, 3.3), so that "Ann" and "ann" are one. What comes along
// when a name is pasted or completed, white space and invisible characters at its ends, is
// left out. It refuses, with [shared.CodeInvalidName], what that profile forbids (blanks,
// control and invisible characters, mixed directions, and more) and names longer
// than [shared.MaxNameLength] characters.
func CanonicalName(typed string) (string, error) {
	typed = shared.TrimInvisible(typed)
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
	if utf8.RuneCountInString(name) > shared.MaxNameLength {
		return "", shared.Errorf(shared.CodeInvalidName, "This user name is too long. Please use at most %d characters.", shared.MaxNameLength)
	}
	return name, nil
}
