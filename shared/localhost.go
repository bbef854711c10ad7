package shared

import "strings"

// IsLocalhost reports whether a host name in small letters means the machine itself (RFC 6761,
// 6.3). Browsers trust such a name without https, and other machines can't open it.
func IsLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
