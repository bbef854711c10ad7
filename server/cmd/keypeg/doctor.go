package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/doctor"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// doctorCommand examines the installation, as IT and users reach it.
type doctorCommand struct {
	JSON    bool
	Resolve string
}

func (c *doctorCommand) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
	l.StringVar(&c.Resolve, "resolve", "", "Reach the public URL at this IP `ADDRESS`, wherever its name leads, as before a change of DNS.")
}

// Run implements action. Its error counts what failed; what that is was printed.
func (c *doctorCommand) Run(ctx context.Context, t terminal, s *settings) error {
	patient := doctor.Patient{
		Installation: s.installation(), Listen: s.Listen, TLS: s.TLS(), Backups: s.Backups(),
		Faults: s.faults, Refused: s.IsRefused, Tenant: s.tenant, Now: time.Now,
	}
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
	if !s.IsRefused("config") {
		s.LogNotices(slog.New(&notices{say: func(warns bool, text string) {
			patient.Notices = append(patient.Notices, doctor.Notice{Warns: warns, Text: text})
		}}))
	}
	report := patient.Examine(ctx)
	write := report.WriteText
	if c.JSON {
		write = report.WriteJSON
	}
	if err := write(t.Out); err != nil {
		return err
	}
	if !report.IsOK() {
		return fmt.Errorf("%s failed", count(report.Failed, "check", "checks"))
	}
	return nil
}

// faultsOf returns the sentences of what is wrong with settings, which has one on each line.
func faultsOf(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
