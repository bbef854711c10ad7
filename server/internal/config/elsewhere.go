package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/textfile"
)

// LookElsewhere sets the settings that weren't typed from the environment, or else from the
// file. The flags are those of [Settings.Declare]. Check refuses what it finds wrong.
func (s *Settings) LookElsewhere(flags *pflag.FlagSet) {
	s.places = map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		name := EnvironmentOf(f)
		switch value := os.Getenv(name); {
		case f.Changed:
			s.places[f.Name] = "--" + f.Name
		case value == "":
		case inQuotes.MatchString(value):
			s.refuse(fmt.Errorf("%s is in quotes, which would be a part of it: write it without, since an env file keeps them", name), f.Name)
		default:
			s.places[f.Name] = name
			s.refuse(Set(f, value, name), f.Name)
		}
	})
	s.refuseUnknownVariables(flags, os.Environ())
	switch {
	case s.Config == "" && !isSet(flags.Lookup("config")) || s.isRefused([]string{"config"}):
	case s.Config == "":
		s.refuse(errors.New("--config has no name: "+WritePath), "config")
	default:
		s.lookInFile(flags)
	}
}

func (s *Settings) lookInFile(flags *pflag.FlagSet) {
	content, err := textfile.Read(s.Config)
	if err != nil {
		s.refuse(fmt.Errorf("the configuration file can't be read: %w", err), "config")
		return
	}
	s.configText = content
	keys := map[string]any{}
	if _, err := toml.Decode(content, &keys); err != nil {
		s.refuse(s.notTOML(err), "config")
		return
	}
	for _, key := range inOrder(content, keys) {
		if isTable(key) {
			continue // readTables reads it
		}
		f := flags.Lookup(key)
		switch {
		case key == "config":
			s.refuse(s.inFile(errors.New("the configuration file has a key \"config\": it can't name another one"), key))
		case f == nil:
			s.refuse(s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key), DidYouMean(key, names(flags))), key))
		case !isSet(f):
			s.places[key] = s.placeOf(key)
			if err := setKey(f, keys[key]); err != nil {
				s.refuse(s.inFile(fmt.Errorf("the configuration file: %w", err), key), key)
			}
			s.databaseOfFile = s.databaseOfFile || key == "database"
		}
	}
}

// inOrder returns the keys in the order of their lines.
func inOrder[V any](content string, keys map[string]V, table ...string) []string {
	line := func(key string) int { return lineOf(content, append(slices.Clip(table), key)) }
	return slices.SortedFunc(maps.Keys(keys), func(a, b string) int {
		return cmp.Or(cmp.Compare(line(a), line(b)), strings.Compare(a, b))
	})
}

// names returns the names of all settings, and of the tables of the file.
func names(flags *pflag.FlagSet) []string {
	names := []string{tenantTables, hostTable}
	for _, own := range ownTables {
		names = append(names, own.kind)
	}
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// isSet reports whether a setting is on the command line or in the environment. An empty
// variable isn't set: Docker Compose passes on a missing variable as an empty one.
func isSet(f *pflag.Flag) bool { return f.Changed || os.Getenv(EnvironmentOf(f)) != "" }

// inQuotes matches a text in quotes that were meant for a shell.
var inQuotes = regexp.MustCompile(`(?s)^("[^"]*"|'[^']*')$`)

// ofOthers matches variables that begin like ours but aren't ours: Kubernetes and Docker
// set them for services and containers whose names begin with keypeg, and tests have some.
// If the name could be that of a mistyped setting, the value decides.
var ofOthers = regexp.MustCompile(`(?s)^KEYPEG_((.*_)?(` + strings.Join([]string{
	`SERVICE_HOST=.*`,
	`SERVICE_PORT(_.*)?=.*`,
	`PORT=.*://.*`,
	`PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?=.*`,
	`NAME=/.*`,
	`ENV_.*=.*`,
}, "|") + `)|(SOAK|SCREENSHOTS|BENCH_WEB)=.*)$`)

// refuseUnknownVariables refuses variables that look like settings but aren't, because they
// would be ignored without notice. The refusal doesn't repeat their values.
func (s *Settings) refuseUnknownVariables(flags *pflag.FlagSet, environment []string) {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, EnvironmentOf(f)) })
	for _, variable := range slices.Sorted(slices.Values(environment)) {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(names, name) || ofOthers.MatchString(variable) {
			continue
		}
		s.refuse(fmt.Errorf("there is no setting %s%s", name, DidYouMean(name, names)))
	}
}

const variablePrefix = "KEYPEG_"

// EnvironmentOf returns the name of the environment variable for a setting.
func EnvironmentOf(f *pflag.Flag) string {
	return variablePrefix + strings.ReplaceAll(strings.ToUpper(f.Name), "-", "_")
}
