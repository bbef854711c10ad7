package config

import (
	"crypto/x509"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/textfile"
)

// Settings that are valid, but that IT should know about. The log has them once, at the
// start.

// LogNotices logs all of them.
func (s *Settings) LogNotices(log *slog.Logger) {
	if name := s.Unread(); name != "" {
		log.Warn(name + " lies in this folder, and isn't read: add --config " + name + ", or set KEYPEG_CONFIG")
	}
	for _, network := range s.TrustedProxies {
		if mayHoldUsers(network) {
			log.Warn("anybody in a trusted network can choose the address that Keypeg believes, and so avoid the limits on guessing: "+
				"name the proxies alone, such as --trusted-proxies 10.0.0.11,10.0.0.12", "network", network.String())
		}
	}
	if s.isForOthers() && s.PublicURL == "" && !s.IsCloud() {
		log.Warn("other machines can reach this server, but nobody can sign in from them, because without --public-url its address is one that only this machine can open: " +
			"set the address that people type, such as --public-url https://id.example.com")
	}
	if s.isForAnybody() {
		log.Warn("machines outside of your network may reach the figures and the profiles of --metrics: name an address of this machine or of your own network, such as --metrics localhost:9464", "metrics", s.Metrics)
	}
	if s.Contact == "" {
		log.Info("no page says whom users can ask for help: name a person or a place, such as --contact \"IT desk, phone 1234\"")
	}
	if mode, is := textfile.ReadableByAll(s.Config); is && s.databaseOfFile && installation.DriverOf(s.Database, s.Socket).HasPassword() {
		log.Warn("everybody on this machine can read the configuration file, which has the database's password: chmod o-rwx "+s.Config, "mode", mode.String())
	}
	s.mailServer.logNotices(log)
	logRoots(log, s.AttestationRoots.list)
	s.own.logNotices(log)
	if s.program != nil {
		warnOfFile(log, "[host]", s.program.SecretFile)
	}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		table, log := s.tables[name], log.With("tenant", name)
		logRoots(log, table.roots.list)
		table.logNotices(log)
	}
}

// DefaultName is what a configuration file is called where nobody has said otherwise.
const DefaultName = "keypeg.toml"

// Unread returns the name of a configuration file in this folder that nobody has named, or "".
func (s *Settings) Unread() string {
	if _, err := os.Stat(DefaultName); s.Config != "" || err != nil {
		return ""
	}
	return DefaultName
}

// isForOthers reports whether other machines can reach the server's port.
func (s *Settings) isForOthers() bool {
	host, _, _ := net.SplitHostPort(s.Listen)
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.IsLoopback())
}

// mayHoldUsers reports whether a network is larger than a group of proxies. Networks inside
// one machine aren't.
func mayHoldUsers(network netip.Prefix) bool {
	const most = 4 // bits: 16 addresses
	return network.Addr().BitLen()-network.Bits() > most && !(network.Addr().IsLoopback() && network.Bits() >= 8)
}

func logRoots(log *slog.Logger, roots []*x509.Certificate) {
	if len(roots) == 0 {
		return
	}
	now, good := time.Now(), 0
	for _, root := range roots {
		if now.Before(root.NotBefore) || now.After(root.NotAfter) {
			log.Warn("a certificate in --attestation-roots isn't valid now, so no passkey can be added by it: get its maker's new one, or check the clock",
				"subject", root.Subject.String(), "from", root.NotBefore, "until", root.NotAfter)
			continue
		}
		good++
	}
	log.Info("passkeys can be added on devices of these makers only", "attestation_roots", good)
}

// logNotices warns of secrets that everybody on this machine can read, and of providers
// that may make accounts for people from outside.
func (t organisationTables) logNotices(log *slog.Logger) {
	for _, p := range t.providers {
		if p.rules.AdmitsOthers() && !federation.IsEntra(p.protocol.Issuer) {
			log.Warn("everybody who may have an account at the provider "+p.protocol.ID+" gets one here, if it was ever shown an e-mail address at one of allowed-domains: "+
				"write required-claims with a claim that it gives to your members only", "issuer", p.protocol.Issuer)
		}
		for _, path := range p.files {
			warnOfFile(log, "the provider "+p.protocol.ID, path)
		}
	}
	for _, c := range t.clients {
		if c.secretFile != "" {
			warnOfFile(log, "the client "+c.ID, c.secretFile)
		}
	}
}

func warnOfFile(log *slog.Logger, whose, path string) {
	if mode, is := textfile.ReadableByAll(path); is {
		log.Warn("everybody on this machine can read the secret of "+whose+": chmod o-rwx "+path, "mode", mode.String())
	}
}
