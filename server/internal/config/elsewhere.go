package config

import (
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
// file. The flags are those of [Settings.Declare].
func (s *Settings) LookElsewhere(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := EnvironmentOf(f)
		switch value := os.Getenv(name); {
		case value == "" || f.Changed || err != nil:
		case inQuotes.MatchString(value):
			err = fmt.Errorf("%s is in quotes, which would be a part of it: write it without, since an env file keeps them", name)
		default:
			err = Set(f, value, name)
		}
	})
	if err == nil {
		err = refuseUnknownVariables(flags, os.Environ())
	}
	if err != nil || !isSet(flags.Lookup("config")) {
		return err
	}

	if s.Config == "" {
		return errors.New("--config has no name: " + WritePath)
	}
	content, err := textfile.Read(s.Config)
	if err != nil {
		return fmt.Errorf("the configuration file can't be read: %w", err)
	}
	s.configText = content
	keys := map[string]any{}
	if _, err := toml.Decode(content, &keys); err != nil {
		return s.notTOML(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key == providerTable || key == tenantTables {
			continue // readTables reads it
		}
		f := flags.Lookup(key)
		if key == "config" {
			return s.inFile(errors.New("the configuration file has a key \"config\": it can't name another one"), key)
		}
		if f == nil {
			return s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key), DidYouMean(key, names(flags))), key)
		}
		if isSet(f) {
			continue
		}
		if err := setKey(f, keys[key]); err != nil {
			return s.inFile(fmt.Errorf("the configuration file: %w", err), key)
		}
		s.databaseOfFile = s.databaseOfFile || key == "database"
	}
	return nil
}

// names returns the names of all settings, and of the tables of the file.
func names(flags *pflag.FlagSet) []string {
	names := []string{providerTable, tenantTables}
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
func refuseUnknownVariables(flags *pflag.FlagSet, environment []string) error {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, EnvironmentOf(f)) })
	for _, variable := range slices.Sorted(slices.Values(environment)) {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(names, name) || ofOthers.MatchString(variable) {
			continue
		}
		return fmt.Errorf("there is no setting %s%s", name, DidYouMean(name, names))
	}
	return nil
}

const variablePrefix = "KEYPEG_"

// EnvironmentOf returns the name of the environment variable for a setting.
func EnvironmentOf(f *pflag.Flag) string {
	return variablePrefix + strings.ReplaceAll(strings.ToUpper(f.Name), "-", "_")
}
