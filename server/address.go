package server

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Address is where an installation is reached, and what follows from it.
type Address struct {
	Origin string // "https://id.example.com", as browsers write it
	Host   string // "id.example.com" or "localhost:8080", as in the Host header
	RPID   string // WebAuthn's relying party id
	Secure bool   // https
}

// ParseAddress makes what browsers send of a public URL, and of the relying party id that
// is set or follows from it. What it can't make that of is refused with a sentence for IT
// that says what to write instead.
//
// Passkeys need a secure context and a domain (WebAuthn Level 3, 5.1.3): https,
// or http on localhost or a name under it, and never an IP address. The relying party id is the
// host, or a domain above it that isn't a public suffix.
func ParseAddress(publicURL, rpID string, passkeysOn bool) (Address, error) {
	u, err := url.Parse(strings.TrimSpace(publicURL))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Address{}, errors.New("the public URL isn't one: write it as https://id.example.com")
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return Address{}, fmt.Errorf("the public URL %w", err)
	}
	name := host
	if port := u.Port(); port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return Address{}, fmt.Errorf("the public URL has the port %s, and ports are from 1 to 65535: write %s://%s", port, u.Scheme, host)
		}
		if port = strconv.Itoa(int(number)); port != defaultPort(u.Scheme == "https") {
			host += ":" + port
		}
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil {
		return Address{}, fmt.Errorf("the public URL must end after the host: write %s://%s", u.Scheme, host)
	}
	address := Address{Origin: u.Scheme + "://" + host, Host: host, Secure: u.Scheme == "https"}

	switch {
	case isIP(name) && passkeysOn:
		return Address{}, fmt.Errorf("passkeys don't work on the IP address %s: write a host name, such as https://id.example.com, or http://localhost:8080 to try Keypeg on this machine", name)
	case !address.Secure && name != "localhost" && !strings.HasSuffix(name, ".localhost"): // RFC 6761, 6.3
		return Address{}, fmt.Errorf("http://%s isn't safe without https: write https://%s and put a proxy with a certificate in front, or http://localhost:8080 to try Keypeg on this machine", host, host)
	case passkeysOn && isOfRegistry(name):
		return Address{}, fmt.Errorf("%s is a domain that registries give names under, and passkeys don't work on it: write a host name below it, such as https://id.%s", name, name)
	}
	address.RPID, err = relyingPartyID(rpID, name)
	return address, err
}

// relyingPartyID is what passkeys are bound to at a host: the id that is set, or else the
// host.
func relyingPartyID(rpID, host string) (string, error) {
	if rpID == "" {
		return host, nil
	}
	canonical, err := canonicalHost(strings.TrimSpace(rpID))
	switch {
	case err != nil || isIP(canonical):
		return "", fmt.Errorf("the RP ID must be a domain alone, without https:// and port: write %q, or a domain above it, or leave it out", host)
	case canonical == host:
		return host, nil
	case !strings.HasSuffix(host, "."+canonical):
		return "", fmt.Errorf("the RP ID %q doesn't belong to %s: write %q, or a domain above it, or leave it out", canonical, host, host)
	case isPublicSuffix(canonical):
		return "", fmt.Errorf("the RP ID %q is shared by unrelated sites, so browsers refuse it: write %q or leave it out", canonical, host)
	}
	return canonical, nil
}

// isPublicSuffix reports whether strangers have names under a domain: of a registry, as
// under com, or of a company, as under github.io. A single label counts, because browsers
// can't tell.
func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// isOfRegistry reports whether a domain is a registry's own. An intranet's single label
// isn't.
func isOfRegistry(domain string) bool {
	suffix, official := publicsuffix.PublicSuffix(domain)
	return official && suffix == domain
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

var (
	label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// number is what makes browsers take a name for an IPv4 address (URL, 3.5).
	number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)
)

var errHostName = errors.New("has a host name that browsers can't use: write one of letters, digits, dashes and dots, such as https://id.example.com")

// canonicalHost is a host name, or an IP address, as browsers send it (URL, 3.5): small
// letters, xn-- for others than ASCII's, no dot at the end, IPv6 in brackets and short.
// Errors are what to say of the address.
func canonicalHost(host string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.Zone() == "" {
		if ip.Is6() {
			return "[" + ip.String() + "]", nil
		}
		return ip.String(), nil
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.Contains(name, "xn--") || strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", errHostName
		}
		name = strings.TrimSuffix(ascii, ".")
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if !label.MatchString(l) {
			return "", errHostName
		}
	}
	if len(name) > 253 || number.MatchString(labels[len(labels)-1]) {
		return "", errors.New("has a host name that browsers can't use: write a name, such as https://id.example.com, and no number")
	}
	return name, nil
}

func defaultPort(secure bool) string {
	if secure {
		return "443"
	}
	return "80"
}

// IsHost reports whether a request's Host header names this address, however it is written.
func (a Address) IsHost(header string) bool {
	if header == a.Host {
		return true
	}
	host := CanonicalHost(header)
	return host == a.Host || host == a.HostWithPort()
}

// HostWithPort is Host with the port in it, also where it is the scheme's own.
func (a Address) HostWithPort() string {
	if at := strings.LastIndexByte(a.Host, ':'); at >= 0 && !strings.HasSuffix(a.Host, "]") {
		return a.Host
	}
	return a.Host + ":" + defaultPort(a.Secure)
}

// CanonicalHost is a Host header as browsers write it, with the port that it has. What
// isn't one comes back as it is.
func CanonicalHost(header string) string {
	host, port := header, ""
	if at := strings.LastIndexByte(header, ':'); at >= 0 && !strings.HasSuffix(header, "]") {
		host, port = header[:at], header[at:]
		if _, err := strconv.ParseUint(port[1:], 10, 16); err != nil && port != ":" {
			return header
		}
		port = strings.TrimSuffix(port, ":")
	}
	canonical, err := canonicalHost(host)
	if err != nil {
		return header
	}
	return canonical + port
}
