package config

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/textfile"
)

// Set sets a flag. A refusal is a sentence that begins with the place of the value:
// --max-passkeys, KEYPEG_MAX_PASSKEYS, or a key of a file.
func Set(f *pflag.Flag, value, place string) error {
	kind := f.Value.Type()
	if kind == "bool" || kind == "boolfunc" {
		switch strings.ToLower(value) {
		case "true", "1", "yes":
			value = "true"
		case "false", "0", "no":
			value = "false"
		default:
			return fmt.Errorf("%s must be true or false, not %s", place, shown.Quoted(value))
		}
	}
	err := f.Value.Set(value)
	switch {
	case err == nil:
		return nil
	case kind == "int":
		return fmt.Errorf("%s must be a whole number, not %s", place, shown.Quoted(value))
	case kind == "duration":
		return fmt.Errorf("%s must be a time such as 90s, 10m or 24h, not %s", place, shown.Quoted(value))
	}
	return fmt.Errorf("%s %w", place, err)
}

// setKey sets a flag to the value of a key of the configuration file.
func setKey(f *pflag.Flag, value any) error {
	place := "the key " + f.Name
	switch v := value.(type) {
	case string, bool, int64, float64:
		return Set(f, fmt.Sprint(v), place)
	case []any:
		if _, takesMany := f.Value.(interface{ takesMany() }); takesMany {
			for _, one := range v {
				if err := Set(f, fmt.Sprint(one), place); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return fmt.Errorf("%s can't have the value %s", place, shown.Text(fmt.Sprint(value)))
}

// choice is a flag whose value is one of a few.
type choice[T ~string] struct {
	to *T
	of []T
}

// OneOf returns the value of a flag that is one of a few, with a default.
func OneOf[T ~string](to *T, made T, of ...T) pflag.Value {
	*to = made
	return choice[T]{to, of}
}

// Set implements pflag.Value.
func (c choice[T]) Set(text string) error {
	if !slices.Contains(c.of, T(text)) {
		return fmt.Errorf("must be one of %s, not %s", c.joined(","), shown.Quoted(text))
	}
	*c.to = T(text)
	return nil
}

func (c choice[T]) String() string { return string(*c.to) }

// Type implements pflag.Value: the placeholder for the value in the help.
func (c choice[T]) Type() string { return c.joined("|") }

func (c choice[T]) joined(separator string) string {
	var all []string
	for _, one := range c.of {
		all = append(all, string(one))
	}
	return strings.Join(all, separator)
}

// path is a flag that names a file. It may be empty.
type path struct{ to *string }

// Set implements pflag.Value.
func (p path) Set(text string) error {
	if text != "" {
		if err := namedfile.Check(text); err != nil {
			return fmt.Errorf("%w: %s", err, WritePath)
		}
	}
	*p.to = text
	return nil
}

// WritePath is the advice for a text that doesn't name a file.
const WritePath = "write the path of a file"

func (p path) String() string { return *p.to }

// Type implements pflag.Value.
func (p path) Type() string { return "FILE" }

// several is a flag with several texts.
type several []string

// Set implements pflag.Value.
func (t *several) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			*t = append(*t, one)
		}
	}
	return nil
}

func (t *several) takesMany() {}

func (t *several) String() string { return strings.Join(*t, ",") }

// Type implements pflag.Value.
func (t *several) Type() string { return "TEXT,..." }

func (n *networks) takesMany() {}

// networks is a flag with networks, such as 10.0.0.0/28, and single addresses, such as
// 10.0.0.11. Each use of the flag adds to it.
type networks []netip.Prefix

// Set implements pflag.Value.
func (n *networks) Set(text string) error {
	if text == "" {
		return nil
	}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		network, err := parseNetwork(one)
		if err != nil {
			return err
		}
		*n = append(*n, network)
	}
	return nil
}

// parseNetwork reads a network or an address in the form in which requests have it: IPv4 in
// the form of IPv6 becomes IPv4, and the zone of an interface is refused because only one
// machine knows it.
func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err == nil && network.Addr().Is4In6() {
		if network.Bits() < 96 {
			return network, fmt.Errorf("must be networks such as 10.0.0.0/28, and %s has IPv4 addresses and others in it", shown.Quoted(text))
		}
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	if err != nil {
		return network, fmt.Errorf("must be addresses or networks such as 10.1.2.3 or 10.0.0.0/28, and %s isn't one%s", shown.Quoted(text), withoutPort(text))
	}
	return network.Masked(), nil
}

// withoutPort returns what to write in place of an address with a port, or in brackets,
// because proxies connect from any port.
func withoutPort(text string) string {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	}
	if ip, err := netip.ParseAddr(host); err == nil && host != text {
		return ": write " + ip.Unmap().WithZone("").String()
	}
	return ""
}

func (n *networks) String() string { return strings.Join(n.texts(), ",") }

func (n *networks) texts() []string {
	all := []string{}
	for _, one := range *n {
		all = append(all, one.String())
	}
	return all
}

// Type implements pflag.Value.
func (n *networks) Type() string { return "NETWORK,..." }

// certificates is a flag that names a PEM file with certificates. It may be empty.
type certificates struct {
	path string
	list []*x509.Certificate
}

// Set implements pflag.Value.
func (c *certificates) Set(path string) (err error) {
	if *c = (certificates{}); path == "" {
		return nil
	}
	if err := namedfile.Check(path); err != nil {
		return fmt.Errorf("%w: write the path of a PEM file with certificates", err)
	}
	c.path = path
	if c.list, err = textfile.Certificates(path); err != nil {
		return fmt.Errorf("must be a PEM file with certificates: %w", err)
	}
	return nil
}

// pool returns nil if no file is named.
func (c certificates) pool() *x509.CertPool {
	if c.list == nil {
		return nil
	}
	pool := x509.NewCertPool()
	for _, one := range c.list {
		pool.AddCert(one)
	}
	return pool
}

func (c *certificates) String() string { return c.path }

// Type implements pflag.Value.
func (c *certificates) Type() string { return "FILE" }

// NewFlagSet returns a set of flags that lists them in the order of their declaration.
func NewFlagSet() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	return flags
}
