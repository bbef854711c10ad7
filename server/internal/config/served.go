package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// of returns the settings of one tenant. Its table overrides what it was added with, and
// that overrides the installation's settings.
func (s *Settings) of(t tenant.Tenant) (organisationSettings, error) {
	settings := s.organisationSettings
	if t.Product != "" {
		settings.Product = t.Product
	}
	if t.Contact != "" {
		settings.Contact = t.Contact
	}
	for _, f := range settings.set(s.tables[t.Name].values) { // Check has refused it
		return settings, fmt.Errorf("the table [tenant.%s] of the configuration file: %w", t.Name, f.err)
	}
	return settings, nil
}

var _ installation.Settings = (*Settings)(nil)

// Organisation implements [installation.Settings].
func (s *Settings) Organisation(t tenant.Tenant) (installation.Organisation, error) {
	own := s.own
	if s.IsCloud() {
		own = s.tables[t.Name].organisationTables
	}
	settings, err := s.of(t)
	methods := settings.policy(s.Passkeys)
	organisation := installation.Organisation{
		Product: settings.Product, Contact: settings.Contact, Policy: methods,
		AnyClient: settings.AnyClient, MaxPasskeys: settings.MaxPasskeys, AttestationRoots: settings.AttestationRoots.pool(),
		SessionIdle: settings.SessionIdle, SessionLifetime: settings.SessionLifetime, ConfirmAfter: settings.ConfirmAfter, KeepEvents: settings.KeepEvents,
		Mail: s.sender(settings), MailLanguage: settings.MailLanguage,
	}
	related, failed := s.related(t)
	organisation.Related, err = related, errors.Join(err, failed)
	for _, p := range own.providers {
		organisation.Providers = append(organisation.Providers, installation.Provider{Protocol: p.protocol, Rules: p.rules})
	}
	for _, c := range own.clients {
		organisation.Clients = append(organisation.Clients, c.Client)
	}
	organisation.Gates = own.gates
	organisation.Host = s.hostOf(t)
	return organisation, err
}

// Address implements [installation.Settings].
func (s *Settings) Address(t tenant.Tenant) (server.Address, error) {
	if s.IsCloud() {
		return t.Address()
	}
	return s.PublicAddress()
}

// WithOverrides implements [installation.Settings].
func (s *Settings) WithOverrides() []string { return slices.Sorted(maps.Keys(s.tables)) }

// publicURLs stands for the addresses of an installation: in the cloud edition each tenant has its own.
func (s *Settings) publicURLs() string {
	if s.IsCloud() {
		return "https://"
	}
	return s.PublicURL
}

// checkReach returns why nobody could reach the server.
func (s *Settings) checkReach() (found []fault) {
	if found = s.tlsSettings.check(s.Listen, s.publicURLs()); len(found) > 0 {
		return found
	}
	if _, err := s.listenPort(); err != nil {
		return []fault{faultOf(err, "listen")}
	}
	if !s.IsCloud() { // in the cloud edition each tenant has its own address
		main, err := s.PublicAddress()
		if err != nil {
			of := []string{"public-url", "rp-id"}
			if s.PublicURL == "" { // it follows from the address to listen on
				of = []string{"listen", "rp-id"}
			}
			return []fault{faultOf(err, of...)}
		}
		if _, of, err := s.relatedTo(main); err != nil {
			return []fault{faultOf(err, of...)}
		}
	}
	return nil
}

// related returns the further addresses of an organisation.
func (s *Settings) related(t tenant.Tenant) ([]server.Related, error) {
	if s.IsCloud() {
		return t.Related()
	}
	main, err := s.PublicAddress()
	if err != nil {
		return nil, nil // Address says that
	}
	list, _, err := s.relatedTo(main)
	return list, err
}

// relatedTo reads the further addresses. It names the settings of the first that can't be used.
func (s *Settings) relatedTo(main server.Address) (list []server.Related, of []string, err error) {
	for _, set := range []struct {
		name   string
		urls   several
		former bool
	}{{"former-urls", s.FormerURLs, true}, {"other-urls", s.OtherURLs, false}} {
		for _, written := range set.urls {
			one, err := server.ParseRelated(written, main, set.former)
			if err != nil {
				return nil, []string{set.name}, fmt.Errorf("--%s: %w", set.name, err)
			}
			list = append(list, one)
		}
	}
	return list, []string{"former-urls", "other-urls"}, server.CheckRelated(main, list)
}

// PublicAddress returns the address at which people reach an installation on premise.
func (s *Settings) PublicAddress() (server.Address, error) {
	publicURL := s.PublicURL
	if publicURL == "" {
		port, err := s.listenPort()
		if err != nil {
			return server.Address{}, err
		}
		if !s.hasPort() {
			return server.Address{}, fmt.Errorf("--listen %s says no port that people could use: set --public-url", shown.Quoted(s.Listen))
		}
		if port == 0 { // any free port
			return server.Address{}, fmt.Errorf("--listen %s says no port that people could use: write it as localhost:8080 or :8080, or set --public-url", shown.Quoted(s.Listen))
		}
		scheme := "http"
		if s.hasTLS() {
			scheme = "https"
		}
		publicURL = fmt.Sprintf("%s://localhost:%d", scheme, port)
	}
	return server.ParseAddress(publicURL, s.RPID, s.Passkeys)
}

// hasPort reports whether --listen has a port.
func (s *Settings) hasPort() bool {
	return s.Listen != listening.Systemd && !strings.HasPrefix(s.Listen, listening.UnixPrefix)
}

// listenPort returns the port of --listen, which may be a name such as http.
func (s *Settings) listenPort() (int, error) {
	if !s.hasPort() {
		return 0, nil
	}
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
