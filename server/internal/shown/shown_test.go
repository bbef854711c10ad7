package shown_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/shown"
)

func TestShown(t *testing.T) {
	for _, text := range []string{"loud", "10.0.0.0/33", "5.5", "localhost:99999", "-v", "https://id.example.com:1", "[5]", "a\"b"} {
		if got := shown.Text(text); got != text {
			t.Errorf("%q: got %q", text, got)
		}
		if got := shown.Quoted(text); got != strconv.Quote(text) {
			t.Errorf("%q: got %q", text, got)
		}
	}
	for _, text := range []string{
		"postgres://a:b@h", "a:b@h", "host=h password=p", "--x;pwd=p", "one\ntwo", "https://h/?password=p", strings.Repeat("x", 1025),
	} {
		if got := shown.Text(text) + shown.Quoted(text); got != shown.Withheld+shown.Withheld {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
