package notice_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/notice"
	"github.com/keypeg/keypeg/shared"
)

func TestBoard(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	board := notice.NewBoard(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	told := func() int { return strings.Count(log.String(), "level=WARN") }

	t.Run("a cause is told with the lines to write", func(t *testing.T) {
		board.Tell(notice.Host, slog.String("host", "127.0.0.1:8080"))
		for _, want := range []string{"level=WARN", "cause=host", "host=127.0.0.1:8080", "proxy_set_header Host $http_host;", "header_up Host {hostport}"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log has no %q:\n%s", want, log.String())
			}
		}
	})
	t.Run("once, whatever the number of requests", func(t *testing.T) {
		for range 1000 {
			board.Tell(notice.Host)
		}
		if told() != 1 {
			t.Errorf("told %d times, want 1", told())
		}
	})
	t.Run("beside other causes", func(t *testing.T) {
		board.Tell(notice.Cookies)
		if told() != 2 {
			t.Errorf("told %d times, want 2", told())
		}
	})
	t.Run("and again the next day", func(t *testing.T) {
		now = now.Add(notice.Again)
		board.Tell(notice.Host)
		if told() != 3 {
			t.Errorf("told %d times, want 3", told())
		}
	})
	t.Run("a cause that nobody knows is not told", func(t *testing.T) {
		board.Tell("made up")
		if told() != 3 {
			t.Errorf("told %d times, want 3", told())
		}
	})
}

func TestCauses(t *testing.T) {
	all := []notice.Cause{
		notice.Host, notice.UnknownHost, notice.UntrustedProxy, notice.NoForwardedFor, notice.OddForwardedFor,
		notice.PlainHTTP, notice.Prefix, notice.Origin, notice.Cookies,
	}
	for _, trouble := range shared.Troubles {
		all = append(all, notice.Cause(trouble))
	}
	for _, cause := range all {
		advice, known := notice.Advise(cause)
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
		if got := notice.Quoted(text); got != want {
			t.Errorf("Quoted(%q) is %q, want %q", text, got, want)
		}
	}
}
