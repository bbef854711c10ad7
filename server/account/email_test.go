package account_test

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/shared"
)

func TestCanonicalEmail(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", " \u200b": "", "Ann@Example.COM": "Ann@example.com", " ann@example.com\r\n": "ann@example.com",
		"<ann@example.com>": "ann@example.com", "mailto:ann@example.com": "ann@example.com", "ann+keypeg@sub.example.com": "ann+keypeg@sub.example.com",
		"jörg@example.com": "jörg@example.com", strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com",
	} {
		if got, err := account.CanonicalEmail(typed); got != want || err != nil {
			t.Errorf("%q: got %q (%v), want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{
		"ann", "@example.com", "ann@", "ann@localhost", "ann@@example.com", "a b@example.com", "ann@exam ple.com", "ann@example.com,bob@example.com",
		"ann@example.com;bob@example.com", "Ann <ann@example.com>", "ann@example.com\nBcc: eve@example.com", "ann\r\n@example.com", "ann@example.com\x00",
		"ann\u0085b@example.com", "ann\u2028b@example.com", "ann\u202eb@example.com", "an\u200bn@example.com", "ann\u009b2J@example.com", "ann@ex\u00adample.com", "ann@example\u3000.com",
		`"ann"@example.com`, "ann(x)@example.com", "ann@[192.0.2.1]", "ann@example..com", ".ann@example.com", "\xff@example.com", strings.Repeat("a", 243) + "@example.com",
	} {
		if got, err := account.CanonicalEmail(typed); shared.CodeOf(err) != shared.CodeInvalidEmail {
			t.Errorf("%q: got %q (%v), want a refusal", typed, got, err)
		}
	}
}
