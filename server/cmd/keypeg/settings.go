package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/shown"
	"github.com/keypeg/keypeg/server/textfile"
)

// settings is everything that IT can set, in one place. The manual's table is
// made of the same words.
type settings struct {
	Config string

	Edition edition

	Listen         string
	PublicURL      string
	RPID           string
	TrustedProxies networks
	Database       string
	Socket         string

	Passkeys bool

	organisationSettings

	DrainDelay time.Duration

	ManualPublic bool

	LogLevel string
	LogJSON  bool

	providers []provider             // of the configuration file
	tables    map[string]tenantTable // of the configuration file, by tenant
	tenant    string                 // of --tenant, where a command has it

	configText     string // of the configuration file
	databaseOfFile bool   // the configuration file names the database
}

// declare makes a flag of each. Its name is its key in the file too, and in capitals
// behind KEYPEG_ the name of its environment variable.
func (s *settings) declare(flags *pflag.FlagSet) {
	flags.Var(path{&s.Config}, "config", "TOML `FILE` with any of these settings, such as public-url = \"https://id.example.com\".")

	flags.Var(oneOf(&s.Edition, onPremise, onPremise, cloud), "edition", "on-premise: one organisation. cloud: several, each at a host name of its own; see keypeg tenant.")

	flags.StringVar(&s.Listen, "listen", "localhost:8080", "Address to listen on, as `HOST:PORT`.")
	flags.StringVar(&s.PublicURL, "public-url", "", "`URL` that people use, such as https://id.example.com. Unset: http://localhost with the port of --listen.")
	flags.StringVar(&s.RPID, "rp-id", "", "WebAuthn relying party id: the public URL's host, or a `DOMAIN` above it that other services share. Never change it once people have passkeys.")
	flags.Var(&s.TrustedProxies, "trusted-proxies", "Addresses of your own proxies, such as 10.0.0.11, or networks that hold nothing else. Only they are believed about where a request came from (X-Forwarded-For).")
	flags.StringVar(&s.Database, "database", "data/keypeg.db", "`FILE|URL` of the database: a path, whose folder is made where missing; or a PostgreSQL database, postgres://user@host/database, which several nodes may share.")

	flags.Var(path{&s.Socket}, "socket", "Path of the `SOCKET` by which other commands reach a running server. Unset: beside the database file. Set it where that folder can't hold one.")

	flags.BoolVar(&s.Passkeys, "passkeys", true, "Offer passkeys.")

	s.organisationSettings.declare(flags)

	flags.DurationVar(&s.DrainDelay, "drain-delay", 0, "How long a server that was told to stop goes on serving, with /healthz saying 503, so that a balancer sends nothing more.")

	flags.BoolVar(&s.ManualPublic, "manual-public", false, "Let everybody read the manual at /manual/. Unset: only who is signed in.")

	flags.Var(oneOf(&s.LogLevel, "info", "debug", "info", "warn", "error"), "log-level", "Least important messages to log.")
	flags.BoolVar(&s.LogJSON, "log-json", false, "Log one JSON object per line.")
}

// check reads the tables of the configuration file, and refuses settings that make no
// sense together.
func (s *settings) check(l *commandLine) error {
	if err := s.organisationSettings.check(); err != nil {
		return err
	}
	if !s.Passkeys && s.PasswordSignIn == policy.PasswordsOff {
		return errors.New("--password-sign-in off doesn't go with --no-passkeys: nobody could set this installation up")
	}
	if s.DrainDelay < 0 {
		return errors.New("--drain-delay must not be negative")
	}
	if err := installation.DriverOf(s.Database, s.Socket).Check(); err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	if err := s.readTables(); err != nil {
		return err
	}
	return s.checkEdition(l)
}

// address is where people reach us.
func (s *settings) address() (server.Address, error) {
	publicURL := s.PublicURL
	if publicURL == "" {
		port, err := s.listenPort()
		if err != nil {
			return server.Address{}, err
		}
		if port == 0 { // any that is free
			return server.Address{}, fmt.Errorf("--listen %s says no port that people could use: write it as localhost:8080 or :8080, or set --public-url", shown.Quoted(s.Listen))
		}
		publicURL = fmt.Sprintf("http://localhost:%d", port)
	}
	return server.ParseAddress(publicURL, s.RPID, s.Passkeys)
}

// listenPort is the port of --listen, which may have a name there, such as http.
func (s *settings) listenPort() (int, error) {
	_, name, err := net.SplitHostPort(s.Listen)
	port := 0
	if err == nil {
		port, err = net.LookupPort("tcp", name)
	}
	if err != nil {
		return 0, fmt.Errorf("--listen can't be read: write an address with a port up to 65535, such as localhost:8080 or :8080, and not %s", shown.Quoted(s.Listen))
	}
	return port, nil
}

// lookElsewhere sets what wasn't typed from the environment, and else from the file.
func (l *commandLine) lookElsewhere() (err error) {
	l.settingFlags.VisitAll(func(f *pflag.Flag) {
		name := environmentOf(f)
		switch value := os.Getenv(name); {
		case value == "" || f.Changed || err != nil:
		case inQuotes.MatchString(value):
			err = fmt.Errorf("%s is in quotes, which would be a part of it: write it without, since an env file keeps them", name)
		default:
			err = set(f, value, name)
		}
	})
	if err == nil {
		err = l.refuseUnknownVariables(os.Environ())
	}
	if err != nil || !isSet(l.Lookup("config")) {
		return err
	}

	if l.settings.Config == "" {
		return errors.New("--config has no name: " + writePath)
	}
	content, err := textfile.Read(l.settings.Config)
	if err != nil {
		return fmt.Errorf("the configuration file can't be read: %w", err)
	}
	l.settings.configText = content
	keys := map[string]any{}
	if _, err := toml.Decode(content, &keys); err != nil {
		return l.settings.notTOML(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key == providerTable || key == tenantTables {
			continue // see readTables
		}
		f := l.settingFlags.Lookup(key)
		if key == "config" {
			return l.settings.inFile(errors.New("the configuration file has a key \"config\": it can't name another one"), key)
		}
		if f == nil {
			return l.settings.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key), didYouMean(key, l.settingNames())), key)
		}
		if isSet(f) {
			continue
		}
		if err := setKey(f, keys[key]); err != nil {
			return l.settings.inFile(fmt.Errorf("the configuration file: %w", err), key)
		}
		l.settings.databaseOfFile = l.settings.databaseOfFile || key == "database"
	}
	return nil
}

// settingNames are the names of all settings, and of the tables of the file.
func (l *commandLine) settingNames() []string {
	names := []string{providerTable, tenantTables}
	l.settingFlags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// isSet reports whether a setting is on the command line or in the environment. A variable
// that is empty is not set: that is how Docker's compose file passes on what isn't there.
func isSet(f *pflag.Flag) bool { return f.Changed || os.Getenv(environmentOf(f)) != "" }

// inQuotes is a text that somebody put into quotes for a shell that never read them.
var inQuotes = regexp.MustCompile(`(?s)^("[^"]*"|'[^']*')$`)

// ofOthers are variables that begin like ours and aren't: Kubernetes and Docker set them for
// services and containers whose names begin with keypeg, and tests have some. Where the name
// alone could be that of a mistyped setting, the value decides.
var ofOthers = regexp.MustCompile(`(?s)^KEYPEG_((.*_)?(` + strings.Join([]string{
	`SERVICE_HOST=.*`,
	`SERVICE_PORT(_.*)?=.*`,
	`PORT=.*://.*`,
	`PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?=.*`,
	`NAME=/.*`,
	`ENV_.*=.*`,
}, "|") + `)|(SOAK|SCREENSHOTS|BENCH_WEB)=.*)$`)

// refuseUnknownVariables refuses variables that look like settings and are none: what they
// were to set would else be left out in silence. What they hold isn't told.
func (l *commandLine) refuseUnknownVariables(environment []string) error {
	var names []string
	l.settingFlags.VisitAll(func(f *pflag.Flag) { names = append(names, environmentOf(f)) })
	for _, variable := range slices.Sorted(slices.Values(environment)) {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(names, name) || ofOthers.MatchString(variable) {
			continue
		}
		return fmt.Errorf("there is no setting %s%s", name, didYouMean(name, names))
	}
	return nil
}

const variablePrefix = "KEYPEG_"

func environmentOf(f *pflag.Flag) string {
	return variablePrefix + strings.ReplaceAll(strings.ToUpper(f.Name), "-", "_")
}
