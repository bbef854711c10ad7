package store

import (
	"strings"

	"golang.org/x/net/idna"
)

// EmailKey returns the form in which addresses are compared: without upper case, and with one
// spelling of the domain.
func EmailKey(address string) string { return strings.ToLower(ASCIIDomain(address)) }

// ASCIIDomain returns an address with its domain in ASCII (RFC 5890, 2.3.2.1), as mail servers and
// DNS know it. The local part stays: only the domain's server knows what it means. So does what is
// no domain.
func ASCIIDomain(address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	if IsASCII(address[at:]) {
		return address
	}
	domain, err := idna.Lookup.ToASCII(address[at:])
	if err != nil {
		return address
	}
	return address[:at] + domain
}

// IsASCII reports whether a text has no other characters.
func IsASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
