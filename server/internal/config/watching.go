package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// watching says how IT watches over the server.
type watching struct {
	Metrics  string
	AuditLog string
}

func (s *watching) declare(flags *pflag.FlagSet) {
	flags.StringVar(&s.Metrics, "metrics", "", "Address of figures for monitoring (/metrics, /healthz, /readyz, /debug/pprof/), as `HOST:PORT` or unix:PATH. Let IT alone reach it. Unset: none.")
	flags.StringVar(&s.AuditLog, "audit-log", "", "Where each event of what happened is written, as a line of JSON: the path of a `FILE`, which SIGHUP opens again; stdout; or syslog:HOST:PORT, syslog-tls:HOST:PORT or syslog:/PATH, in the form of RFC 5424. Unset: nowhere but in the database.")
}

// check returns what can't be used.
func (s *watching) check(listen, database string) (found []fault) {
	found = s.checkAuditLog(database)
	if s.Metrics == "" || strings.HasPrefix(s.Metrics, listening.UnixPrefix) {
		return found
	}
	_, name, err := net.SplitHostPort(s.Metrics)
	if err == nil {
		_, err = net.LookupPort("tcp", name)
	}
	switch {
	case err != nil:
		found = append(found, faultOf(fmt.Errorf("--metrics can't be read: write an address with a port up to 65535, such as localhost:9464, or unix:/run/keypeg/metrics, and not %s", shown.Quoted(s.Metrics)), "metrics"))
	case s.Metrics == listen:
		found = append(found, faultOf(fmt.Errorf("--metrics is the address of --listen, which people reach: write another port, such as localhost:9464"), "metrics", "listen"))
	}
	return found
}

func (s *watching) checkAuditLog(database string) []fault {
	target, isSyslog := strings.CutPrefix(s.AuditLog, audit.SyslogPrefix)
	if encrypted, is := strings.CutPrefix(s.AuditLog, audit.SyslogTLSPrefix); is {
		target, isSyslog = strings.TrimPrefix(encrypted, "/"), true // it has no socket
	}
	switch {
	case s.AuditLog == "" || s.AuditLog == audit.Stdout:
		return nil
	case !isSyslog && filepath.Clean(s.AuditLog) == filepath.Clean(database):
		return []fault{faultOf(errors.New("--audit-log is the file of --database, which it would destroy: write another path"), "audit-log", "database")}
	case !isSyslog:
		if err := namedfile.Check(s.AuditLog); err != nil {
			return []fault{faultOf(fmt.Errorf("--audit-log %w: write the path of a file, stdout, or syslog:HOST:PORT", err), "audit-log")}
		}
	case !strings.HasPrefix(target, "/"):
		_, port, err := net.SplitHostPort(target)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil {
			return []fault{faultOf(fmt.Errorf("--audit-log can't be read: write syslog:HOST:PORT, such as syslog:logs.example.com:601, syslog-tls:logs.example.com:6514, or syslog:/dev/log, and not %s", shown.Quoted(s.AuditLog)), "audit-log")}
		}
	}
	return nil
}

// isForAnybody reports whether machines outside of the own network may reach the figures.
func (s *watching) isForAnybody() bool {
	if s.Metrics == "" || strings.HasPrefix(s.Metrics, listening.UnixPrefix) {
		return false
	}
	host, _, _ := net.SplitHostPort(s.Metrics)
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && !httpapi.IsNear(ip)
}
