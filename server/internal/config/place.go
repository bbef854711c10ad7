package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/keypeg/keypeg/server/internal/shown"
)

// inFile adds to an error the path of the configuration file, and the line of the key or
// table, if it is found.
func (s *Settings) inFile(err error, key ...string) error {
	return fmt.Errorf("%w (%s)", err, s.placeOf(key...))
}

// placeOf returns the path of the configuration file, and the line of the key, or else of the table around it.
func (s *Settings) placeOf(key ...string) string {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if line := lineOf(s.configText, key); line > 0 {
			return fmt.Sprintf("%s, line %d", s.Config, line)
		}
	}
	return s.Config
}

// lineOf returns the first line of a TOML file with this key, or with the header of this
// table, or 0. It ignores the content of multi-line strings.
func lineOf(content string, key []string) int {
	var table []string
	within := "" // the end of the multi-line string
	for i, line := range strings.Split(content, "\n") {
		line = strings.TrimSpace(line)
		if within != "" {
			if strings.Contains(line, within) {
				within = ""
			}
			continue
		}
		for _, quotes := range []string{`"""`, "'''"} {
			if strings.Count(line, quotes)%2 == 1 {
				within = quotes
			}
		}
		found := table
		if head, isHead := strings.CutPrefix(line, "["); isHead {
			head, _, _ = strings.Cut(strings.TrimPrefix(head, "["), "]")
			table = keyOf(head)
			found = table
		} else if name, _, is := strings.Cut(line, "="); is {
			found = slices.Concat(table, keyOf(name))
		}
		if len(key) > 0 && len(found) >= len(key) && slices.Equal(found[:len(key)], key) {
			return i + 1
		}
	}
	return 0
}

// keyOf reads a written key, such as provider.google or "provider" . google.
func keyOf(written string) (key []string) {
	for part := range strings.SplitSeq(written, ".") {
		key = append(key, strings.Trim(strings.TrimSpace(part), `"'`))
	}
	return key
}

// notTOML returns the error for a file that can't be parsed. It leaves out the text that
// the parser quotes, because that may be a password without quotes.
func (s *Settings) notTOML(err error) error {
	wrong, is := errors.AsType[toml.ParseError](err)
	line := wrong.Position.Line
	switch {
	case is && strings.HasSuffix(wrong.Message, "has already been defined."):
		_, written, _ := strings.Cut(wrong.Message, "'")
		written, _, _ = strings.Cut(written, "'")
		return fmt.Errorf("the configuration file has %s twice: leave one of them out (%s, lines %d and %d)", shown.Quoted(written), s.Config, lineOf(s.configText, keyOf(written)), line)
	case is && strings.ContainsAny(wrong.Message, "\"'`"):
		of := ""
		if wrong.LastKey != "" {
			of = fmt.Sprintf(" (behind the key %s)", shown.Quoted(wrong.LastKey))
		}
		quotes := "quotes"
		if text := strings.Split(s.configText, "\n"); line <= len(text) && strings.ContainsAny(text[line-1], "“”„‟‘’‚‛«»") {
			quotes = "straight quotes"
		}
		err = fmt.Errorf("line %d%s can't be read: write key = value, and texts in %s, such as contact = \"IT desk\"", line, of, quotes)
	}
	return fmt.Errorf("the configuration file %s isn't TOML: %w", s.Config, err)
}
