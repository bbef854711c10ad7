package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// Form returns how a flag of a set is written on a command line, with the kind of its value.
func Form(of *pflag.FlagSet, f *pflag.Flag) string {
	form := "--" + f.Name
	if of.Lookup("no-"+f.Name) != nil {
		form = "--[no-]" + f.Name
	}
	if f.Shorthand != "" {
		form = "-" + f.Shorthand + ", " + form
	}
	value, _ := pflag.UnquoteUsage(f)
	switch value {
	case "":
		return form
	case "string":
		value = "TEXT"
	case "int":
		value = "NUMBER"
	case "duration":
		value = "TIME"
	}
	return form + "=" + value
}

// Text returns what a flag does.
func Text(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	return text
}

// Meaning returns what a setting does, with the values that it may have, for a table.
func Meaning(f *pflag.Flag) string {
	text := strings.ReplaceAll(Text(f), "|", " or ")
	if values := ValuesOf(f); values != nil && f.Value.Type() != "bool" {
		text += " One of: " + strings.Join(values, ", ") + "."
	}
	return text
}

// ValuesOf returns the values that a flag may have, or nil if they are too many to be listed.
func ValuesOf(f *pflag.Flag) []string {
	switch kind := f.Value.Type(); {
	case kind == "bool":
		return []string{"true", "false"}
	case strings.Contains(kind, "|"):
		return strings.Split(kind, "|")
	}
	return nil
}

// About returns where else a setting may stand, and its default.
func About(f *pflag.Flag) string {
	about := EnvironmentOf(f)
	if value := DefaultOf(f); value != "" {
		about += ", default " + value
	}
	return about
}

// DefaultOf returns the default of a setting as people write it: 24h, and not 24h0m0s.
func DefaultOf(f *pflag.Flag) string {
	if f.Value.Type() == "duration" {
		return duration(f.DefValue)
	}
	return f.DefValue
}

// duration returns a time as people write it.
func duration(text string) string {
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// Wrapped breaks a text into lines that fit a terminal, each behind an indent.
func Wrapped(text, indent string) string {
	const width = 80
	var b strings.Builder
	room := 0
	for word := range strings.FieldsSeq(text) {
		switch length := len([]rune(word)); {
		case b.Len() == 0:
			b.WriteString(indent + word)
			room = width - len(indent) - length
		case length+1 > room:
			b.WriteString("\n" + indent + word)
			room = width - len(indent) - length
		default:
			b.WriteString(" " + word)
			room -= length + 1
		}
	}
	return b.String()
}
