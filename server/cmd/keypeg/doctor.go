package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/doctor"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// doctorCommand examines the installation, as IT and users reach it.
type doctorCommand struct {
	JSON, Support bool
	Resolve       string
	settings      *pflag.FlagSet
}

func (c *doctorCommand) takes(l *commandLine) {
	ofTenant(l)
	c.settings = l.settingFlags
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
	l.BoolVar(&c.Support, "support", false, "A text to send to whoever helps: the version, the settings in force and the results, without secrets and names of users.")
	l.StringVar(&c.Resolve, "resolve", "", "Reach the public URL at this IP `ADDRESS`, wherever its name leads, as before a change of DNS.")
}

// Run implements action. Its error counts what failed; what that is was printed.
func (c *doctorCommand) Run(ctx context.Context, t terminal, s *settings) error {
	patient := s.patient()
	if s.tenant != "" {
		if err := patient.Installation.CheckTenant(s.tenant); err != nil {
			return err
		}
	}
	if c.Resolve != "" {
		ip, err := netip.ParseAddr(c.Resolve)
		if err != nil {
			return fmt.Errorf("--resolve must be an address such as 10.0.0.11, not %s", shown.Quoted(c.Resolve))
		}
		patient.Resolve = ip
	}
	report := patient.Examine(ctx)
	write := report.WriteText
	switch {
	case c.JSON:
		write = report.WriteJSON
	case c.Support:
		write = func(w io.Writer) error { return report.WriteSupport(w, s.about(c.settings)) }
	}
	if err := write(t.Out); err != nil {
		return err
	}
	if !report.IsOK() {
		return fmt.Errorf("%s failed", count(report.Failed, "check", "checks"))
	}
	return nil
}

// patient returns the installation of the settings, for an examination.
func (s *settings) patient() doctor.Patient {
	patient := doctor.Patient{
		Installation: s.installation(), Listen: s.Listen, Trusted: s.TrustedProxies, TLS: s.TLS(), Backups: s.Backups(),
		Faults: s.faults, Refused: s.IsRefused, Tenant: s.tenant, Now: time.Now,
	}
	if !s.IsRefused("config") {
		s.LogNotices(slog.New(&notices{say: func(warns bool, text string) {
			patient.Notices = append(patient.Notices, doctor.Notice{Warns: warns, Text: text})
		}}))
	}
	return patient
}

// about returns what a text for others says besides the checks.
func (s *settings) about(flags *pflag.FlagSet) doctor.About {
	return doctor.About{Version: version(), At: time.Now(), Settings: s.Support(flags)}
}

// examine is what the server does when an administrator of an organisation wants to know what is wrong: it makes
// the checks of keypeg doctor.
func (s *settings) examine(flags *pflag.FlagSet) func(t tenant.Tenant) server.Examine {
	return func(t tenant.Tenant) server.Examine {
		return func(ctx context.Context, found server.Found) string {
			patient := s.patient()
			patient.Found = func(made doctor.Made) { found(made.Shared()) }
			about := s.about(flags)
			if s.IsCloud() {
				about.Settings = patient.SettingsOf(t)
			}
			var text strings.Builder
			patient.ExamineFor(ctx, t).WriteSupport(&text, about) // a Builder takes everything
			return text.String()
		}
	}
}

// faultsOf returns the sentences of what is wrong with settings, which has one on each line.
func faultsOf(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
