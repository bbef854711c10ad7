package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBench runs all of it in small, so that it still works when somebody wants to know. It
// says nothing about how fast anything is.
func TestBench(t *testing.T) {
	dir := t.TempDir()
	keypeg, exchanges := filepath.Join(dir, "keypeg"), filepath.Join(dir, "bench")
	for target, source := range map[string]string{keypeg: "../keypeg", exchanges: "."} {
		if out, err := exec.Command("go", "build", "-o", target, source).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", source, err, out)
		}
	}
	own = func() (string, error) { return exchanges, nil }
	measured, err := measure(plan{keypeg: keypeg, rounds: 1, round: 100 * time.Millisecond, users: 2000, begins: 1000, pages: 50}, names())
	var b strings.Builder
	measured.print(&b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	t.Log(b.String())
	goals := 0
	for _, r := range measured.rows {
		if r.title == "" && (r.what == "" || r.figure == "" || strings.Contains(r.figure, "NaN")) {
			t.Errorf("a line without a figure: %+v", r)
		}
		if r.goal != "" {
			goals++
		}
	}
	if goals < 16 {
		t.Errorf("%d goals were looked at, and there are more", goals)
	}
}

func TestSeries(t *testing.T) {
	for _, test := range []struct {
		of     series
		format string
		want   string
	}{
		{series{3}, "%.1f ms", "3.0 ms"},
		{series{4, 1, 2}, "%.0f /s", "2 /s [1–4]"},
		{series{4, 1}, "%.2f×", "2.50× [1.00–4.00]"},
	} {
		if got := test.of.text(test.format); got != test.want {
			t.Errorf("%v is written %q, want %q", test.of, got, test.want)
		}
	}
}
