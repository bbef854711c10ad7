// Package config has the settings of IT. Every setting is declared once, as a flag with its
// meaning and its default: in [Settings.Declare], or beside it if each organisation may
// override it. The command line, the environment, the configuration file, the help and the
// manual follow from that.
//
// A [Settings] takes flags first. [Settings.LookElsewhere] adds what is in the environment
// and the file, [Settings.Check] refuses invalid settings, and [Settings.LogNotices] logs unusual
// ones. Refusals are sentences that name the place, and never repeat a text that may be
// secret. As [installation.Settings] it has the settings of each organisation.
package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/policy"
)

// Settings has all settings. The manual's table is made from the same words.
type Settings struct {
	Config string

	Edition Edition

	Listen         string
	PublicURL      string
	RPID           string
	FormerURLs     several
	OtherURLs      several
	TrustedProxies networks
	Database       string
	Socket         string

	Passkeys bool

	organisationSettings

	mailServer

	tlsSettings

	backupSettings

	watching

	DrainDelay time.Duration

	ManualPublic bool

	LogLevel string
	LogJSON  bool

	program *hostSettings          // the table [host], in the configuration file; nil if there is none
	own     organisationTables     // of the configuration file
	tables  map[string]tenantTable // in the configuration file, by tenant

	places map[string]string // where the settings are written that aren't defaults: --name, a variable, or a line of the file
	faults []fault

	configText     string // the configuration file's
	databaseOfFile bool   // the configuration file names the database
}

// Declare declares a flag for each setting. The name of the flag is also its key in the
// file. In capitals and after KEYPEG_ it is the name of its environment variable.
func (s *Settings) Declare(flags *pflag.FlagSet) {
	flags.Var(path{&s.Config}, "config", "TOML `FILE` with any of these settings, such as public-url = \"https://id.example.com\".")

	flags.Var(OneOf(&s.Edition, OnPremise, OnPremise, Cloud), "edition", "on-premise: one organisation. cloud: several, each at a host name of its own.")

	flags.StringVar(&s.Listen, "listen", "localhost:8080", "Address to listen on, as `HOST:PORT`; or unix:PATH for a Unix socket, to which only a proxy on this machine connects; or systemd for the one that a socket unit has opened.")
	flags.StringVar(&s.PublicURL, "public-url", "", "`URL` that people use, such as https://id.example.com. Unset: http://localhost with the port of --listen.")
	flags.StringVar(&s.RPID, "rp-id", "", "WebAuthn relying party id: the public URL's host, or a `DOMAIN` above it that other services share. To change it once people have passkeys is a move: see --former-urls.")
	flags.Var(&s.FormerURLs, "former-urls", "`URL,...` that people used before a move. They are served too, and their passkeys go on working, until you end the move: see the manual's page on moving. Behind a blank, their relying party id, where it is neither the host nor --rp-id above it.")
	flags.Var(&s.OtherURLs, "other-urls", "`URL,...` of this organisation that are served too, for ever. The same passkeys work there in browsers with related origin requests.")
	flags.Var(&s.TrustedProxies, "trusted-proxies", "Addresses of your own proxies, such as 10.0.0.11, or networks that hold nothing else. Only they are believed about where a request came from (X-Forwarded-For).")
	flags.StringVar(&s.Database, "database", "data/keypeg.db", "`FILE|URL` of the database: a path, whose folder is made where missing; or a PostgreSQL database, postgres://user@host/database, which several nodes may share.")

	flags.Var(path{&s.Socket}, "socket", "Path of the `SOCKET` by which other commands reach a running server. Unset: beside the database file. Set it where that folder can't hold one.")

	flags.BoolVar(&s.Passkeys, "passkeys", true, "Offer passkeys.")

	s.organisationSettings.declare(flags)
	s.mailServer.declare(flags)
	s.tlsSettings.declare(flags)
	s.backupSettings.declare(flags)
	s.watching.declare(flags)

	flags.DurationVar(&s.DrainDelay, "drain-delay", 0, "How long a server that was told to stop goes on serving, with /healthz saying 503, so that a balancer sends nothing more.")

	flags.BoolVar(&s.ManualPublic, "manual-public", false, "Let everybody read the manual at /manual/. Unset: only who is signed in.")

	flags.Var(OneOf(&s.LogLevel, "info", "debug", "info", "warn", "error"), "log-level", "Least important messages to log.")
	flags.BoolVar(&s.LogJSON, "log-json", false, "Log one JSON object per line.")
}

// Type sets a setting that is typed on a command line. Check refuses what it can't be.
func (s *Settings) Type(f *pflag.Flag, value string) {
	s.refuse(Set(f, value, "--"+f.Name), f.Name)
	f.Changed = true
}

// Check reads the tables of the configuration file, and refuses settings that can't be used or that
// contradict each other: all of them, a sentence for each.
func (s *Settings) Check(of Use) error {
	s.withACME()
	s.refuseAll(s.organisationSettings.check())
	s.refuseAll(s.mailServer.check(s.organisationSettings))
	s.refuseAll(s.backupSettings.check())
	s.refuseAll(s.contradictions())
	s.refuseAll(s.watching.check(s.Listen, s.Database))
	s.readTables()
	s.refuseAll(s.checkEdition(of.AddsTenant))
	s.checkGates(of.Serves)
	s.checkHost(of.Serves)
	if of.Serves {
		s.refuseAll(s.checkReach())
	}
	return s.refused()
}

// Use says what the settings are for.
type Use struct {
	Serves     bool // people reach the server that the settings describe
	AddsTenant bool // --rp-id is for a tenant that is added or moved
}

func (s *Settings) contradictions() (found []fault) {
	if !s.Passkeys && s.PasswordSignIn == policy.PasswordsOff {
		found = append(found, faultOf(errors.New("--password-sign-in off doesn't go with --no-passkeys: nobody could set this installation up"), "password-sign-in", "passkeys"))
	}
	if s.DrainDelay < 0 {
		found = append(found, faultOf(errors.New("--drain-delay must not be negative"), "drain-delay"))
	}
	if err := installation.DriverOf(s.Database, s.Socket).Check(); err != nil {
		found = append(found, faultOf(fmt.Errorf("--database: %w", err), "database"))
	}
	return found
}
