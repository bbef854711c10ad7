package mail

import (
	"strings"
	"unicode"

	"github.com/keypeg/keypeg/shared"
)

// plain returns a text of one line without control characters and invisible ones. What a person
// typed goes through it before it comes into a mail, so that a name can't begin a new header or
// turn a line around.
func plain(text string) string {
	one := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case r != ' ' && shared.IsInvisible(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(one), " ")
}

// domainOf returns what follows the last @.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
