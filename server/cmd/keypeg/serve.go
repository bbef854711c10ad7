package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/cmd/internal/webapp"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/listening"
)

type serveCommand struct{ settings *pflag.FlagSet }

func (c *serveCommand) takes(l *commandLine) { c.settings = l.settingFlags }

// Run runs the server. It returns when ctx has ended and every running request is answered.
func (c *serveCommand) Run(ctx context.Context, t terminal, s *settings) error {
	apps, err := webapp.Open(either(s.IsCloud(), "", s.Product))
	if err != nil {
		return err
	}
	log, flush := s.Logger(t.Err)
	defer flush()
	s.LogNotices(log)
	return s.installation().Serve(ctx, installation.Serving{
		Version: version(), Listen: s.Listen, TLS: s.TLS(), Backups: s.Backups(), TrustedProxies: s.TrustedProxies, DrainDelay: s.DrainDelay, Metrics: s.Metrics, AuditLog: s.AuditLog, Out: t.Out, Log: log,
		App: apps.App, Embedded: apps.Embedded, EmbeddedAsset: apps.EmbeddedURL, ManualPublic: s.ManualPublic, Asset: apps.URL, Examine: s.examine(c.settings),
		Announce: func(started installation.Started) {
			s.announce(t.Out, started)
			listening.TellReady(log)
		},
	})
}

// installation returns the installation that the settings name.
func (s *settings) installation() installation.Installation {
	return installation.Installation{Database: s.Database, Socket: s.Socket, Cloud: s.IsCloud(), Settings: &s.Settings}
}

// announce prints where to go, and for whom the server is.
func (s *settings) announce(out io.Writer, started installation.Started) {
	switch n := len(started.Tenants); {
	case s.IsCloud() && n > 0:
		fmt.Fprintf(out, "Keypeg runs at %s, for %d tenant%s\n", s.Listen, n, either(n == 1, "", "s"))
	case s.IsCloud():
		fmt.Fprintf(out, "Keypeg runs at %s, for no tenant yet\n\nAdd the first one, with the address that its people will use:\n\n  keypeg tenant add acme https://id.acme.example\n\n", s.Listen)
	case started.SetupLink == "":
		fmt.Fprintf(out, "Keypeg runs at %s\n", started.Address.Origin)
	default:
		fmt.Fprintf(out, "Keypeg runs at %s\n\nOpen this link to make the first administrator. It works once, for 30 minutes:\n\n  %s\n\n", started.Address.Origin, started.SetupLink)
	}
}
