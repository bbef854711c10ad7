package config

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// WriteFile writes a configuration file with every setting, its meaning and its default. Those that were
// typed are set in it; the others are comments.
func (s *Settings) WriteFile(w io.Writer, flags *pflag.FlagSet) error {
	var b strings.Builder
	b.WriteString(Wrapped("Settings of Keypeg. Behind # stands what holds without a line here. A flag or an environment variable of the same name, such as --contact and KEYPEG_CONTACT, wins over this file. "+
		"Look at what is in force with: keypeg config --config FILE. Check a change with: keypeg config check --config FILE.", "# ") + "\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", Wrapped(Text(f), "# "))
		switch {
		case !f.Changed:
			fmt.Fprintf(&b, "#%s = %s\n", f.Name, literal(s.valueOf(f)))
		case f.Name == "database": // with its password
			fmt.Fprintf(&b, "%s = %s\n", f.Name, quoted(s.Database))
		default:
			fmt.Fprintf(&b, "%s = %s\n", f.Name, literal(s.valueOf(f)))
		}
	})
	b.WriteString("\n" + Wrapped("OpenID providers at which people can sign in have a table each: see keypeg manual providers.", "# ") +
		"\n#[provider.example]\n#name = \"Example\"\n#issuer = \"https://accounts.example.com\"\n#client-id = \"keypeg\"\n#client-secret-file = \"/etc/keypeg/example.secret\"\n")
	b.WriteString("\n" + Wrapped("Programs that sign people in here have a table each, or are added with keypeg client add: see keypeg manual openid.", "# ") +
		"\n#[client.example]\n#name = \"Example\"\n#redirects = \"https://example.example.com/callback\"\n#secret-file = \"/etc/keypeg/example-client.secret\"\n")
	b.WriteString("\n" + Wrapped("Programs behind your proxy that know nothing of sign-in have a table each: see keypeg manual gates.", "# ") +
		"\n#[gate.example]\n#host = \"example.example.com\"\n#title = \"Example\"\n")
	b.WriteString("\n" + Wrapped("A program with users of its own that Keypeg is built into has the table [host], in the place of all of these: see keypeg manual any-language.", "# ") +
		"\n#[host]\n#secret-file = \"/etc/keypeg/host.secret\"\n#arrive = \"https://tools.example.com/keypeg-arrive\"\n#hooks = \"https://tools.example.com/keypeg-hooks\"\n")
	_, err := io.WriteString(w, b.String())
	return err
}
