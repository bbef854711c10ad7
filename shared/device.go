package shared

import (
	"strings"
	"unicode"
)

// deviceCodeLetters is the number of letters of a device's code: see [DeviceCode].
const deviceCodeLetters = 10

// DeviceCode returns the code that a device shows (RFC 8628, 6.1), "BCDFG-HJKLM", from what somebody typed: in
// any case, with or without the dash, with spaces, or in the wide letters of a Japanese keyboard. It returns ""
// for what can't be a code. Which letters codes are made of is for the server to know.
func DeviceCode(typed string) string {
	const half = deviceCodeLetters / 2
	var code strings.Builder
	for _, r := range typed {
		if wide := r - 0xFEE0; r >= 'Ａ' && r <= 'ｚ' { // Halfwidth and Fullwidth Forms
			r = wide
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		switch {
		case unicode.In(r, unicode.Pd, unicode.Zs), r == '\t', r == '−', r == 'ー':
			continue
		case r < 'A' || r > 'Z' || code.Len() > deviceCodeLetters:
			return ""
		case code.Len() == half:
			code.WriteByte('-')
		}
		code.WriteRune(r)
	}
	if code.Len() != deviceCodeLetters+1 {
		return ""
	}
	return code.String()
}
