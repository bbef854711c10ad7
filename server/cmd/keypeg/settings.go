package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/policy"
)

// settings is everything that IT can set, in one place. The README's table is
// made of the same words.
type settings struct {
	Config kong.ConfigFlag `help:"TOML file with any of these settings, such as public-url = \"https://id.example.com\"." env:"KEYPEG_CONFIG" type:"existingfile" placeholder:"FILE"`

	Edition edition `help:"on-premise: one organisation. cloud: several, each at a host name of its own; see keypeg tenant." enum:"on-premise,cloud" default:"on-premise" env:"KEYPEG_EDITION"`

	Listen         string    `help:"Address to listen on." default:"localhost:8080" env:"KEYPEG_LISTEN" placeholder:"HOST:PORT"`
	PublicURL      string    `name:"public-url" help:"Address that people use, such as https://id.example.com. Unset: http://localhost with the port of --listen." env:"KEYPEG_PUBLIC_URL" placeholder:"URL"`
	RPID           string    `name:"rp-id" help:"WebAuthn relying party id: the public URL's host, or a domain above it that other services share. Never change it once people have passkeys." env:"KEYPEG_RP_ID" placeholder:"DOMAIN"`
	TrustedProxies []network `help:"Networks of your own proxies, such as 10.0.0.0/8. Only they are believed about where a request came from (X-Forwarded-For)." env:"KEYPEG_TRUSTED_PROXIES" placeholder:"NETWORK"`
	Database       string    `help:"Path of the database file, whose folder is made where missing; or the URL of a PostgreSQL database, postgres://user@host/database, which several nodes may share." default:"data/keypeg.db" env:"KEYPEG_DATABASE" placeholder:"FILE|URL"`

	Passkeys bool `help:"Offer passkeys." default:"true" negatable:"" env:"KEYPEG_PASSKEYS"`

	organisationSettings

	DrainDelay time.Duration `help:"How long a server that was told to stop goes on serving, with /healthz saying 503, so that a balancer sends nothing more." default:"0s" env:"KEYPEG_DRAIN_DELAY" placeholder:"TIME"`

	LogLevel string `help:"Least important messages to log (${enum})." enum:"debug,info,warn,error" default:"info" env:"KEYPEG_LOG_LEVEL"`
	LogJSON  bool   `name:"log-json" help:"Log one JSON object per line." env:"KEYPEG_LOG_JSON"`

	providers []provider             // of the configuration file
	tables    map[string]tenantTable // of the configuration file, by tenant
	tenant    string                 // of --tenant, where a command has it
}

// Validate implements kong's check after parsing.
func (s *settings) Validate(typed *kong.Context) error {
	if err := s.organisationSettings.check(); err != nil {
		return err
	}
	if !s.Passkeys && s.PasswordSignIn == policy.PasswordsOff {
		return errors.New("--password-sign-in off doesn't go with --no-passkeys: nobody could set this installation up")
	}
	if s.DrainDelay < 0 {
		return errors.New("--drain-delay must not be negative")
	}
	if err := s.readTables(); err != nil {
		return err
	}
	return s.checkEdition(typed)
}

// network is one of IT's networks: 10.0.0.0/8, or a single address.
type network netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (n *network) UnmarshalText(text []byte) error {
	if ip, err := netip.ParseAddr(string(text)); err == nil {
		*n = network(netip.PrefixFrom(ip, ip.BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q isn't a network: write it as 10.0.0.0/8 or 10.1.2.3", text)
	}
	*n = network(prefix)
	return nil
}

func (s *settings) trustedProxies() (networks []netip.Prefix) {
	for _, n := range s.TrustedProxies {
		networks = append(networks, netip.Prefix(n))
	}
	return networks
}

// certificates are those of a PEM file; nil if none is named.
type certificates struct{ *x509.CertPool }

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (c *certificates) UnmarshalText(path []byte) error {
	content, err := os.ReadFile(string(path))
	if err != nil {
		return fmt.Errorf("reading the certificates: %w", err)
	}
	c.CertPool = x509.NewCertPool()
	if !c.AppendCertsFromPEM(content) {
		return fmt.Errorf("%s holds no certificate: it must be a PEM file, with -----BEGIN CERTIFICATE----- in it", path)
	}
	return nil
}

// address is where people reach us.
func (s *settings) address() (server.Address, error) {
	publicURL := s.PublicURL
	if publicURL == "" {
		_, port, err := net.SplitHostPort(s.Listen)
		if err != nil {
			return server.Address{}, fmt.Errorf("--listen %q isn't an address: write it as localhost:8080 or :8080", s.Listen)
		}
		publicURL = "http://localhost:" + port
	}
	return server.ParseAddress(publicURL, s.RPID, s.Passkeys)
}

// socket is where a running server takes commands.
func (s *settings) socket() string { return s.Database + ".sock" }

// readConfig reads the file of --config. Kong's own order would let the file win
// over the environment; it shall be the other way round.
func readConfig(r io.Reader) (kong.Resolver, error) {
	values := map[string]any{}
	if _, err := toml.NewDecoder(r).Decode(&values); err != nil {
		return nil, fmt.Errorf("the configuration file isn't TOML: %w", err)
	}
	return configFile(values), nil
}

// configFile is a kong.Resolver over a file's keys.
type configFile map[string]any

// Validate refuses keys that are no setting: a typing error must not pass for a
// setting that was made.
func (c configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range app.Flags {
		known[flag.Name] = true
	}
	for key := range c {
		if key == providerTable || key == tenantTables {
			continue // see readTables
		}
		if !known[key] || key == "config" || key == "help" {
			return fmt.Errorf("the configuration file has an unknown key %q", key)
		}
	}
	return nil
}

// Resolve gives the value of a flag that neither the command line nor the
// environment has set.
func (c configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return c[flag.Name], nil
}
