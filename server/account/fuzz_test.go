package account_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/shared"
)

// FuzzUserName reads any sign-in name. Two spellings of a name are equal, no character is
// invisible or turns others around, and a name that is kept is found again.
func FuzzUserName(f *testing.F) {
	for _, seed := range []string{
		"", "ann", "ANN", "Ann.Miller-2_x", "ann@example.com", "ａｎｎ", "Straße", "ΑΝΝΑ", "ann ", "a b", "\u202enna", "a\u200bnn", "a\u200dn", "a\u0000",
		strings.Repeat("x", 65), strings.Repeat("x", 10_000), "\xff", "אבa", "e\u0301", "é", "ǅ", "İ", "..", "\u1e9e", "\ufb00",
		"mailto:ann@example.com.", "<mailto:<a@b.>>", "mailto:mailto:@.", "<@>", "ｍａｉｌｔｏ：<@．>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name, err := account.CanonicalName(typed)
		if err != nil {
			if shared.CodeOf(err) != shared.CodeInvalidName || name != "" {
				t.Errorf("%q: %q, %v", typed, name, err)
			}
			return
		}
		if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > shared.MaxNameLength {
			t.Errorf("%q became %q", typed, name)
		}
		for _, r := range name {
			if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) || unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' {
				t.Errorf("%q keeps %U", typed, r)
			}
		}
		if again, err := account.CanonicalName(name); err != nil || again != name {
			t.Errorf("%q, read again: %q (%v)", name, again, err)
		}
	})
}
