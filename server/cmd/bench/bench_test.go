package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the benchmark start this program as its server of plain exchanges.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == exchangeCommand {
		serveExchanges(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// TestBench measures little of everything, so that the benchmark still works when somebody
// needs it. It says nothing about how fast anything is.
func TestBench(t *testing.T) {
	keypeg := filepath.Join(t.TempDir(), "keypeg")
	build := exec.Command("go", "build", "-o", keypeg, "../keypeg")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make test compiles everything
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building keypeg: %v\n%s", err, out)
	}
	var out strings.Builder
	b, err := newBench(keypeg, "../../../bin/peer", "", small)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.run(&out, parts), b.close()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := 2
	for _, p := range parts {
		want += len(p.rows)
		if _, err := os.Stat(b.peer); err != nil && p.name == "peer" {
			want += 1 - len(p.rows)
		}
	}
	if len(lines) != want {
		t.Errorf("the table has %d lines, want %d", len(lines), want)
	}
	for _, line := range lines {
		if strings.Count(line, "|") != 5 || strings.Contains(line, "NaN") || strings.Contains(line, "Inf") || strings.Contains(line, "%!") {
			t.Errorf("a line without a figure: %s", line)
		}
	}
}

// TestLeftOut measures the peer where npm has not installed it.
func TestLeftOut(t *testing.T) {
	var out strings.Builder
	b, err := newBench("", t.TempDir(), "", small)
	if err != nil {
		t.Fatal(err)
	}
	only := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.name != "peer" })
	if err := errors.Join(b.run(&out, only), b.close()); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 4 || !strings.Contains(lines[2], "left out") {
		t.Errorf("without the peer, the table is\n%s", out.String())
	}
}

// TestCosts holds the manual against the table and the peer.
func TestCosts(t *testing.T) {
	manual, err := os.ReadFile("../../../web/manual/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	next := string(manual)
	for _, p := range parts {
		for _, row := range p.rows {
			var found bool
			if _, next, found = strings.Cut(next, "\n| "+row.what+" | "); !found {
				t.Fatalf("costs.md has no row %q, or has it in another place", row.what)
			}
			goal := "| | |"
			if row.goal != none {
				goal = "| " + fmt.Sprintf(row.goal.sign+" "+row.format, row.goal.limit) + " |"
			}
			if line, _, _ := strings.Cut(next, "\n"); !strings.Contains(line, goal) {
				t.Errorf("costs.md has another goal than %q of %q: %s", goal, row.what, line)
			}
		}
	}

	text, err := os.ReadFile("peer/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var peer struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &peer); err != nil {
		t.Fatal(err)
	}
	for name, version := range peer.Dependencies {
		if !strings.Contains(string(manual), "`"+name+"` "+version) {
			t.Errorf("costs.md doesn't say that the peer has %s %s", name, version)
		}
	}
}

func TestLine(t *testing.T) {
	for _, test := range []struct {
		row     row
		figures []float64
		want    string
	}{
		{row{"rate", "%.0f", none, nil}, []float64{3}, "| rate | 3 | | |"},
		{row{"time", "%.1f ms", atMost(2), nil}, []float64{4, 1, 2}, "| time | 2.0 ms (1.0–4.0) | ≤ 2.0 ms | met |"},
		{row{"ratio", "%.2f ×", atLeast(3), nil}, []float64{4, 1, 2}, "| ratio | 2.00 × (1.00–4.00) | ≥ 3.00 × | not met |"},
		{row{"writes", "%.0f", atMost(0), nil}, []float64{0, 0, 0}, "| writes | 0 | ≤ 0 | met |"},
	} {
		if got := test.row.line(test.figures); got != test.want {
			t.Errorf("%v is written\n%s, want\n%s", test.figures, got, test.want)
		}
	}
}
