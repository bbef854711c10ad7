package probe

import "strings"

// Forbids reports whether a Permissions-Policy keeps a feature from our own pages.
func Forbids(policy, feature string) bool {
	for directive := range strings.SplitSeq(policy, ",") {
		name, allows, is := strings.Cut(strings.TrimSpace(directive), "=")
		if is && name == feature {
			return !strings.Contains(allows, "self") && !strings.Contains(allows, "*")
		}
	}
	return false
}
