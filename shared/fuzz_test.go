package shared

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzPasskeyName cleans any name. What is left can be shown as it is, beside other
// text and in any direction, and stays as it is when it is cleaned again.
func FuzzPasskeyName(f *testing.F) {
	for _, seed := range []string{
		"", " ", "Laptop", "  Ann's \t phone \n", "\u202egnp.exe", "a\u2066b\u2069", "a\u200bb", "\ufeff", "\U0001f469\u200d\U0001f4bb", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
		strings.Repeat("ü", 64), strings.Repeat("x", 10_000), "\xff", "a\x00b", "\u2028", "\ue000", "<script>alert(1)</script>", "e\u0301", strings.Repeat("\u0301", 70),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		clean, err := CleanPasskeyName(typed)
		if err != nil {
			if CodeOf(err) != CodeInvalidName || clean != "" {
				t.Errorf("%q: %q, %v", typed, clean, err)
			}
			return
		}
		if !utf8.ValidString(clean) || utf8.RuneCountInString(clean) > MaxNameLength || strings.TrimSpace(clean) != clean || strings.Contains(clean, "  ") {
			t.Errorf("%q became %q", typed, clean)
		}
		for _, r := range clean {
			if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) || r == '\u200b' || r == '\ufeff' || r == '\u2028' {
				t.Errorf("%q keeps %U", typed, r)
			}
		}
		if again, err := CleanPasskeyName(clean); err != nil || again != clean {
			t.Errorf("%q, cleaned again: %q (%v)", clean, again, err)
		}
	})
}
