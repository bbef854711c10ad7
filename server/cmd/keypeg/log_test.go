package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
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
