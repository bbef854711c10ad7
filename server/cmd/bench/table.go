package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// table is what was measured.
type table struct{ rows []row }

type row struct {
	title  string // of a group of lines, alone
	what   string
	figure string
	goal   string
	met    string
}

func (t *table) title(text string)        { t.rows = append(t.rows, row{title: text}) }
func (t *table) line(what, figure string) { t.rows = append(t.rows, row{what: what, figure: figure}) }

// goal is a figure that is to be at most (or at least) a limit.
type goal struct {
	limit   float64
	atLeast bool
}

func atMost(limit float64) goal  { return goal{limit, false} }
func atLeast(limit float64) goal { return goal{limit, true} }

// judged adds a line with its goal. The median counts.
func (t *table) judged(what string, s series, format string, g goal) {
	value, sign := s.median(), "≤"
	met := value <= g.limit
	if g.atLeast {
		met, sign = value >= g.limit, "≥"
	}
	r := row{what: what, figure: s.text(format), goal: sign + " " + fmt.Sprintf(format, g.limit), met: "met"}
	if !met {
		r.met = "NOT MET"
	}
	t.rows = append(t.rows, r)
}

func (t *table) print(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range t.rows {
		if r.title != "" {
			out.Flush()
			fmt.Fprintf(w, "\n%s\n", r.title)
			continue
		}
		fmt.Fprintf(out, "  %s\t%s\t%s\t%s\n", r.what, r.figure, r.goal, r.met)
	}
	out.Flush()
}

// series is one figure of every round.
type series []float64

func (s *series) add(value float64) { *s = append(*s, value) }

func (s series) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// text is the median, and of several rounds the least and the most.
func (s series) text(format string) string {
	if len(s) < 2 {
		return fmt.Sprintf(format, s.median())
	}
	return fmt.Sprintf(format+" ["+bare(format)+"–"+bare(format)+"]", s.median(), slices.Min(s), slices.Max(s))
}

// bare is a format without its unit.
func bare(format string) string {
	number, _, _ := strings.Cut(format, " ")
	return strings.TrimSuffix(number, "×")
}
