package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/installation"
)

// Value is a setting as it is in force.
type Value struct {
	Name  string `json:"name"`
	Value any    `json:"value"` // a bool, an int, a string, or a list of strings; no password
	// From is where it is written: a flag, an environment variable, a line of the file, or "default".
	From string `json:"from"`
}

// InForce returns all settings that stand outside of tables, in the order of their declaration.
func (s *Settings) InForce(flags *pflag.FlagSet) (all []Value) {
	flags.VisitAll(func(f *pflag.Flag) {
		all = append(all, Value{f.Name, s.valueOf(f), cmp.Or(s.places[f.Name], "default")})
	})
	return all
}

func (s *Settings) valueOf(f *pflag.Flag) any {
	switch v := f.Value.(type) {
	case *networks:
		return v.texts()
	}
	switch text := f.Value.String(); f.Value.Type() {
	case "bool":
		return text == "true"
	case "int":
		return json.Number(text)
	case "duration":
		return duration(text)
	default:
		if f.Name == "database" {
			return s.databaseShown()
		}
		return text
	}
}

// databaseShown returns the database without its password.
func (s *Settings) databaseShown() string {
	if !installation.DriverOf(s.Database, s.Socket).HasPassword() {
		return s.Database
	}
	u, err := url.Parse(s.Database)
	if err != nil {
		return hidden
	}
	query := u.Query()
	for _, key := range []string{"password", "sslpassword"} {
		if query.Has(key) {
			query.Set(key, hidden)
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}

// Support returns the settings in force, a line each, for whoever helps: without secrets, names of accounts at
// other servers, and whom users ask.
func (s *Settings) Support(flags *pflag.FlagSet) (lines []string) {
	for _, v := range s.InForce(flags) {
		switch value := v.Value; {
		case value == "":
			continue
		case v.Name == "database":
			v.Value = withoutUser(s.databaseShown())
		case v.Name == "smtp-user", v.Name == "contact", v.Name == "acme-email":
			v.Value = hidden
		}
		lines = append(lines, fmt.Sprintf("%s = %s # %s", v.Name, literal(v.Value), v.From))
	}
	return lines
}

// withoutUser hides the user in a URL.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = url.User(hidden)
	return u.String()
}

// hidden stands in the place of a password, as in [url.URL.Redacted].
const hidden = "xxxxx"

// WriteInForce writes the settings in force as a TOML file, with where each is written.
func (s *Settings) WriteInForce(w io.Writer, flags *pflag.FlagSet) error {
	for _, v := range s.InForce(flags) {
		line := v.Name + " = " + literal(v.Value)
		switch {
		case v.Name == "config" && s.Config == "":
			continue
		case v.Name == "config": // which can't stand in the file
			line = "# " + line
		}
		if _, err := fmt.Fprintf(w, "%-40s # %s\n", line, v.From); err != nil {
			return err
		}
	}
	tables := map[string]any{}
	if _, err := toml.Decode(s.configText, &tables); err != nil { // Check has read it
		return err
	}
	for name := range tables {
		if !isTable(name) {
			delete(tables, name)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n# %s\n", s.Config); err != nil {
		return err
	}
	encoder := toml.NewEncoder(w)
	encoder.Indent = ""
	return encoder.Encode(tables)
}

// literal writes a value in TOML.
func literal(value any) string {
	switch v := value.(type) {
	case string:
		return quoted(v)
	case []string:
		var all []string
		for _, one := range v {
			all = append(all, quoted(one))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(value)
}

// quoted writes a basic string of TOML, which is one of JSON.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a string has always a form
	}
	return strings.TrimSuffix(b.String(), "\n")
}
