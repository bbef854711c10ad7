package shared

import (
	"strings"
	"testing"
)

func TestCleanPasskeyName(t *testing.T) {
	for typed, want := range map[string]string{
		"":                             "",
		"  \t ":                        "",
		" Work \n laptop ":             "Work laptop",
		"<b>bold</b>":                  "<b>bold</b>", // shown as it is: whoever shows it escapes it
		"Ännchens Schlüssel":           "Ännchens Schlüssel",
		"می\u200cخواهم":                "می\u200cخواهم",
		"\u200eLaptop\u2060":           "Laptop",
		"👩\u200d💻":                     "👩\u200d💻",
		strings.Repeat("ü", 64):        strings.Repeat("ü", 64),
		strings.Repeat("ü", 64) + "  ": strings.Repeat("ü", 64),
	} {
		if got, err := CleanPasskeyName(typed); err != nil || got != want {
			t.Errorf("%q: got %q (%v), want %q", typed, got, err, want)
		}
	}
	for name, typed := range map[string]string{
		"65 characters":       strings.Repeat("ü", 65),
		"10,000 characters":   strings.Repeat("x", 10_000),
		"a zero byte":         "a\x00b",
		"a bidi override":     "a\u202eb",
		"a bidi isolate":      "a\u2066b",
		"a zero width space":  "a\u200bb",
		"a soft hyphen":       "a\u00adb",
		"invalid UTF-8":       "a\xffb",
		"a private character": "a\ue000b",
	} {
		if got, err := CleanPasskeyName(typed); CodeOf(err) != CodeInvalidName {
			t.Errorf("%s: got %q (%v), want a refusal", name, got, err)
		}
	}
	if _, err := CleanDisplayName("  "); CodeOf(err) != CodeInvalidName {
		t.Errorf("a blank display name: got %v, want a refusal", err)
	}
}

func TestError(t *testing.T) {
	cause := Errorf(CodeNotFound, "inner")
	refusal := Errorf(CodeLastMethod, "Please add %s first.", "another").Because(cause)
	if refusal.Message != "Please add another first." || CodeOf(refusal) != CodeLastMethod || refusal.Unwrap() != error(cause) {
		t.Errorf("got %v", refusal)
	}
	if CodeOf(nil) != "" {
		t.Error("nothing has a code")
	}
	german := map[string]string{"Please add %s first.": "Erst %s."}
	translate := func(format string) string { return german[format] }
	if got := refusal.In(translate); got != "Erst another." {
		t.Errorf("in German: %q", got)
	}
	if got := (&Error{Code: CodeConflict, Message: "Closed at 100%."}).In(translate); got != "Closed at 100%." {
		t.Errorf("a message without a format becomes %q", got)
	}
}
