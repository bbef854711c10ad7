package shared

import "strings"

// IsLocalhost reports whether a host name, in small letters, is this machine's own, which
// browsers trust without https and no other machine can open (RFC 6761, 6.3).
func IsLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
