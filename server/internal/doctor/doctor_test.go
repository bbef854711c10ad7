package doctor

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	t.Run("one that doesn't end is given up", func(t *testing.T) {
		begin := time.Now()
		hangs := Check{Within: time.Millisecond, Run: func(context.Context) Result { select {} }}
		if r := hangs.run(t.Context()); r.State != Failed || time.Since(begin) > 30*time.Second {
			t.Errorf("after %s: %+v", time.Since(begin), r)
		}
	})
	t.Run("one that says itself what it waited for is heard", func(t *testing.T) {
		waits := Check{Within: time.Millisecond, Run: func(ctx context.Context) Result { <-ctx.Done(); return failed("the mail server is silent") }}
		if r := waits.run(t.Context()); r.Compared != "the mail server is silent" {
			t.Errorf("%+v", r)
		}
	})
}

func TestReport(t *testing.T) {
	var r Report
	r.add(Check{Group: "One", Name: "a"}, warn("it is\n\x00slow", Mend{"nginx", "fast on;"}))
	if !r.IsOK() {
		t.Error("a warning fails the report")
	}
	r.add(Check{Group: "Two", Name: "b"}, failed("it is broken", do("mend it")))
	r.add(Check{Group: "Two", Name: "c"}, leftOut("b is broken"))
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const want = "One\n  warning   a: it is slow\n            → nginx: fast on;\n\nTwo\n  failed    b: it is broken\n            → mend: mend it\n  left out  c: b is broken\n\n1 check failed, 1 warning, of 3 checks.\n"
	if r.IsOK() || text.String() != want {
		t.Errorf("got\n%q, want\n%q", text.String(), want)
	}
}
