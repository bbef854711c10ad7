package warning_test

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

func TestLog(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	warnings := warning.NewLog(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	count := func() int { return strings.Count(log.String(), "level=WARN") }

	t.Run("a warning has the lines to write", func(t *testing.T) {
		warnings.Warn(warning.Host, slog.String("host", "127.0.0.1:8080"))
		for _, want := range []string{"level=WARN", "cause=host", "host=127.0.0.1:8080", "proxy_set_header Host $http_host;", "header_up Host {hostport}"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log has no %q:\n%s", want, log.String())
			}
		}
	})
	t.Run("once, whatever the number of requests", func(t *testing.T) {
		for range 1000 {
			warnings.Warn(warning.Host)
		}
		if count() != 1 {
			t.Errorf("warned %d times, want 1", count())
		}
	})
	t.Run("beside other causes", func(t *testing.T) {
		warnings.Warn(warning.Cookies)
		if count() != 2 {
			t.Errorf("warned %d times, want 2", count())
		}
	})
	t.Run("and again the next day", func(t *testing.T) {
		now = now.Add(warning.Again)
		warnings.Warn(warning.Host)
		if count() != 3 {
			t.Errorf("warned %d times, want 3", count())
		}
	})
	t.Run("an unknown cause gives no warning", func(t *testing.T) {
		warnings.Warn("made up")
		if count() != 3 {
			t.Errorf("warned %d times, want 3", count())
		}
	})
}

// TestGateLines: IT pastes the lines that a warning has, and the manual's are those that hold against the attacks of
// package forwardauth.
func TestGateLines(t *testing.T) {
	page, err := os.ReadFile("../../../web/manual/gates.md")
	if err != nil {
		t.Fatal(err)
	}
	oneLine := strings.Join(strings.Fields(string(page)), " ")
	lines := 0
	for _, cause := range []warning.Cause{warning.GateUntrusted, warning.GateHeaders, warning.GateHost, warning.GatePlain, warning.GateOwn} {
		for _, mend := range warning.Mends(cause) {
			for line := range strings.SplitSeq(mend.Line, "  ") {
				if !strings.ContainsAny(line, ";{=$") {
					continue // a sentence
				}
				lines++
				if _, after, says := strings.Cut(line, ": "); says {
					line = after
				}
				if !strings.Contains(oneLine, line) {
					t.Errorf("the warning %s has a line for %s that the manual lacks: %s", cause, mend.In, line)
				}
			}
		}
	}
	if lines < 7 {
		t.Errorf("found %d lines: what is a line?", lines)
	}
}

func TestCauses(t *testing.T) {
	all := []warning.Cause{
		warning.Host, warning.UnknownHost, warning.UntrustedProxy, warning.NoForwardedFor, warning.OddForwardedFor,
		warning.PlainHTTP, warning.Prefix, warning.Origin,
	}
	for _, trouble := range shared.Troubles {
		all = append(all, warning.Cause(trouble))
	}
	for _, cause := range all {
		advice, known := warning.Advise(cause)
		if !known || advice.What == "" || advice.Nginx == "" || advice.Caddy == "" {
			t.Errorf("%s: %+v, want a sentence and lines for nginx and Caddy", cause, advice)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(all))); len(sorted) != len(all) {
		t.Errorf("%d causes, of which %d differ", len(all), len(sorted))
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:8080":                  "127.0.0.1:8080",
		"https://id.example.com":          "https://id.example.com",
		"[2001:db8::1]:443":               "[2001:db8::1]:443",
		"":                                "(none)",
		"IT: please run this":             "(unreadable)",
		"a\nlevel=ERROR":                  "(unreadable)",
		"b\u00fccher.example":             "(unreadable)",
		strings.Repeat("a", 81):           "(unreadable)",
		"id.example.com;proxy_pass=evil;": "(unreadable)",
	} {
		if got := warning.Quoted(text); got != want {
			t.Errorf("Quoted(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestSeldom(t *testing.T) {
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	seldom := warning.NewSeldom[string](time.Minute, func() time.Time { return now })
	due := func(t *testing.T, key string, want bool) {
		t.Helper()
		if got := seldom.Due(key); got != want {
			t.Errorf("%s is due: %t, want %t", key, got, want)
		}
	}

	due(t, "full", true)
	due(t, "full", false)
	due(t, "slow", true)
	t.Run("again after a while", func(t *testing.T) {
		now = now.Add(time.Minute - 1)
		due(t, "full", false)
		now = now.Add(1)
		due(t, "full", true)
	})
	t.Run("at once, if it was over meanwhile", func(t *testing.T) {
		seldom.Forget(func(key string) bool { return key == "full" })
		due(t, "full", true)
		due(t, "full", false)
	})
	t.Run("of a flood of keys the first thousand are kept, until those are old", func(t *testing.T) {
		flood := warning.NewSeldom[int](time.Minute, func() time.Time { return now })
		due := func(from int) (n int) {
			for key := from; key < from+5000; key++ {
				if flood.Due(key) {
					n++
				}
			}
			return n
		}
		if n := due(0); n != 1000 {
			t.Errorf("%d are logged, want 1000", n)
		}
		now = now.Add(time.Minute)
		if n := due(5000); n != 1000 {
			t.Errorf("%d are logged later, want 1000", n)
		}
	})
}
