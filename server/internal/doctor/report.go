package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Made is a check that was made, with its result.
type Made struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Result
}

// Report is what all checks have found.
type Report struct {
	Failed   int    `json:"failed"`
	Warnings int    `json:"warnings"`
	Checks   []Made `json:"checks"`
}

// IsOK reports whether nothing failed. Warnings don't count.
func (r Report) IsOK() bool { return r.Failed == 0 }

func (r *Report) add(c Check, result Result) {
	switch result.State {
	case Failed:
		r.Failed++
	case Warning:
		r.Warnings++
	}
	r.Checks = append(r.Checks, Made{c.Group, c.Name, result})
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		OK bool `json:"ok"`
		Report
	}{r.IsOK(), r})
}

// WriteText writes the report as a tree.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	group := ""
	for _, c := range r.Checks {
		if c.Group != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = c.Group
			fmt.Fprintf(&b, "%s\n", group)
		}
		fmt.Fprintf(&b, "  %-8s  %s: %s\n", c.State, c.Name, onOneLine(c.Compared))
		for _, m := range c.Mend {
			in := "mend"
			if m.In != "" {
				in = m.In
			}
			fmt.Fprintf(&b, "            → %s: %s\n", in, onOneLine(m.Line))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) summary() string {
	count := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	if r.IsOK() && r.Warnings == 0 {
		return "All is well: " + count(len(r.Checks), "check", "checks") + "."
	}
	return fmt.Sprintf("%s failed, %s, of %s.", count(r.Failed, "check", "checks"), count(r.Warnings, "warning", "warnings"), count(len(r.Checks), "check", "checks"))
}

// onOneLine keeps text of others, such as that of a mail server, on its line, and without control characters.
func onOneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
