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
	value := f.DefValue
	if f.Value.Type() == "duration" {
		for _, zero := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(value, zero) {
				value = value[:len(value)-2]
			}
		}
	}
	return value
}
