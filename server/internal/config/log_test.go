package config

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// writes are what reached a writer, one by one.
type writes chan string

func (w writes) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestLog(t *testing.T) {
	t.Run("a line is written without another coming", func(t *testing.T) {
		written := make(writes, 1)
		io.WriteString(newGatherer(written), "one\n")
		if got := <-written; got != "one\n" {
			t.Errorf("wrote %q", got)
		}
	})
	t.Run("durations have their unit, in either form", func(t *testing.T) {
		for _, asJSON := range []bool{false, true} {
			var out bytes.Buffer
			log, flush := (&Settings{LogLevel: "info", LogJSON: asJSON}).Logger(&out)
			log.Info("stopping", "after", 90*time.Second, slog.Group("for", "at_most", 10*time.Second))
			flush()
			for _, want := range []string{"1m30s", "10s"} {
				if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "000000000") {
					t.Errorf("as JSON: %v: %s, want %s", asJSON, out.String(), want)
				}
			}
		}
	})
	t.Run("all lines are there in the end, in order, in fewer writes", func(t *testing.T) {
		const lines = 10_000
		written := make(writes, lines)
		g := newGatherer(written)
		var want strings.Builder
		for i := range lines {
			fmt.Fprintln(io.MultiWriter(g, &want), i)
		}
		g.flush()
		close(written)
		var got bytes.Buffer
		n := 0
		for part := range written {
			got.WriteString(part)
			n++
		}
		if got.String() != want.String() || n > lines/10 {
			t.Errorf("%d bytes in %d writes, want %d bytes in at most %d", got.Len(), n, want.Len(), lines/10)
		}
	})
}
