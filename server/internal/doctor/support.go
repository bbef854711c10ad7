package doctor

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/shared"
)

// About is what a text for others says besides the checks.
type About struct {
	Version  string
	At       time.Time
	Settings []string // those in force, a line each, without secrets
}

// WriteSupport writes the report as a text to send to others. It names no users, and has no lines to write:
// these follow from what was found.
func (r Report) WriteSupport(w io.Writer, about About) error {
	var b strings.Builder
	fmt.Fprintf(&b, "keypeg %s, %s/%s, %s\n%s\n", about.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), about.At.UTC().Format(time.RFC3339))
	if len(about.Settings) > 0 {
		fmt.Fprintf(&b, "\nSettings in force\n")
	}
	for _, line := range about.Settings {
		fmt.Fprintf(&b, "  %s\n", onOneLine(line))
	}
	fmt.Fprintf(&b, "\nChecks: %s\n", r.summary())
	for _, c := range r.Checks {
		says := c.Compared
		if c.support != "" {
			says = c.support
		}
		fmt.Fprintf(&b, "  %-8s  %s, %s: %s\n", c.State, c.Group, c.Name, onOneLine(says))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Shared returns the check as pages get it. Whoever answers a reader puts group and title into their language.
func (m Made) Shared() shared.Check {
	return shared.Check{ID: m.Group + "/" + m.Name, Group: m.Group, Title: m.Name, State: m.State, Compared: m.Compared, Mend: m.Mend}
}

// SettingsOf says where the people of a tenant go, for a text of whoever may see no settings of the machine.
func (p Patient) SettingsOf(t tenant.Tenant) []string {
	_, address, err := p.Installation.Reached(t)
	if err != nil {
		return nil
	}
	return []string{"tenant = " + t.Name, "public-url = " + address.Origin, "rp-id = " + address.RPID}
}
