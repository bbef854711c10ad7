package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// Address is where people reach an organisation, and what follows from that.
type Address struct {
	Origin string // "https://id.example.com", as browsers write it
	Host   string // "id.example.com" or "localhost:8080", as in the Host header
	RPID   string // WebAuthn's relying party id
	Secure bool   // https
}

// ParseAddress turns a public URL, as somebody typed it, into the form that browsers use.
// It takes the relying party id that is set, or derives it. It rewrites capitals, default
// ports, a final dot and letters outside of ASCII. It refuses an address that browsers
// can't open, and one that has more than a host: the error is a sentence for IT that says
// what to write instead.
//
// Passkeys need a secure context and a domain (WebAuthn Level 3, 5.1.3): https, or http on
// localhost or a name under it, and never an IP address. The relying party id is the host,
// or a domain above it that isn't a public suffix.
func ParseAddress(publicURL, rpID string, passkeysOn bool) (Address, error) {
	at, err := parseOrigin(publicURL)
	if err != nil {
		return Address{}, err
	}
	isLocal := shared.IsLocalhost(at.name)
	suffix, icann := publicsuffix.PublicSuffix(at.name)
	switch {
	case isIP(at.name) && passkeysOn:
		return Address{}, fmt.Errorf("passkeys don't work on the IP address %s: write a host name, such as https://id.example.com, or http://localhost:8080 to try Keypeg on this machine", at.name)
	case !at.secure && !isLocal:
		return Address{}, fmt.Errorf("%s isn't safe without https: write %s and put a proxy with a certificate in front, or http://localhost:8080 to try Keypeg on this machine", at, at.trusted())
	case icann && suffix == at.name && passkeysOn:
		return Address{}, fmt.Errorf("%s is no host: other people's domains lie under %s: write the name of a host of yours, such as https://id.example.com", at, at.name)
	}
	id, err := parseRPID(rpID, at.name)
	if err != nil {
		return Address{}, err
	}
	return Address{Origin: at.String(), Host: at.host(), RPID: id, Secure: at.secure}, nil
}

// IsLocal reports whether only this machine can open the address.
func (a Address) IsLocal() bool { return shared.IsLocalhost(HostName(a.Host)) }

// IsHost reports whether a request's Host header names this address. Capitals, the default
// port and a final dot make no difference (RFC 9110, 4.2.3).
func (a Address) IsHost(host string) bool {
	if host == a.Host {
		return true
	}
	at, bad := parseHost(host)
	at.secure = a.Secure
	return bad == nil && at.host() == a.Host
}

// IsOrigin reports whether a request's Origin header names this address. It compares the
// host as [Address.IsHost] does.
func (a Address) IsOrigin(origin string) bool {
	if origin == a.Origin {
		return true
	}
	scheme, host, found := strings.Cut(origin, "://")
	own, _, _ := strings.Cut(a.Origin, "://")
	return found && strings.EqualFold(scheme, own) && a.IsHost(host)
}

// HostName returns the name in a Host header in the form in which it is compared, without
// the port, or "" if there is none. Ports make no difference to cookies and passkeys.
func HostName(host string) string {
	at, bad := parseHost(host)
	if bad != nil {
		return ""
	}
	return at.name
}

// origin is a scheme, a host and a port, as browsers write them.
type origin struct {
	secure bool
	name   string // in ASCII and lower case; an IPv6 address in brackets
	port   int    // 0 for the default port of the scheme
}

func (o origin) host() string {
	own := 80
	if o.secure {
		own = 443
	}
	if o.port == 0 || o.port == own {
		return o.name
	}
	return o.name + ":" + strconv.Itoa(o.port)
}

func (o origin) String() string {
	if o.secure {
		return "https://" + o.host()
	}
	return "http://" + o.host()
}

// trusted returns the origin of the same host that browsers trust.
func (o origin) trusted() origin {
	o.secure = o.secure || !shared.IsLocalhost(o.name)
	if o.secure && o.port == 80 {
		o.port = 0
	}
	return o
}

// example is the advice if nothing closer to the typed text is right.
const example = "https://id.example.com"

// parseOrigin reads a public URL. Its errors don't repeat parts that may be secret.
func parseOrigin(publicURL string) (origin, error) {
	text := shared.TrimInvisible(publicURL)
	it := "the public URL"
	if !shown.MayHoldSecret(text) && !strings.ContainsAny(text, "?#") {
		it = fmt.Sprintf("the public URL %q", text)
	}
	scheme, rest, hasScheme := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	authority, path := cutAuthority(rest)
	switch {
	case text == "":
		return origin{}, fmt.Errorf("there is no public URL: write the address that people use, such as %s", example)
	case !hasScheme || strings.ContainsAny(scheme, "./:@"):
		return origin{}, fmt.Errorf("%s doesn't begin with https://: write %s", it, betterAddress(text))
	case scheme != "https" && scheme != "http":
		return origin{}, fmt.Errorf("%s doesn't begin with https://: write %s", it, betterAddress(rest))
	case slices.Contains([]string{"http", "https"}, strings.ToLower(strings.TrimSuffix(authority, ":"))) && strings.HasPrefix(path, "//"):
		return origin{}, fmt.Errorf("%s has two schemes: write %s", it, betterAddress(rest))
	}

	at, bad := parseHost(authority[strings.LastIndexByte(authority, '@')+1:])
	at.secure = scheme == "https"
	switch {
	case bad != nil && bad.nearest.name == "":
		return origin{}, fmt.Errorf("%s %s: write another one, such as %s", it, bad.because, example)
	case bad != nil:
		return origin{}, fmt.Errorf("%s %s: write %s", it, bad.because, bad.nearest.trusted())
	case strings.Contains(authority, "@"):
		return origin{}, fmt.Errorf("%s must not have a user or a password: write %s", it, at.trusted())
	case strings.Trim(path, `/\`) != "":
		return origin{}, fmt.Errorf("%s must end after the host: write %s", it, at.trusted())
	}
	return at, nil
}

// betterAddress returns what to write instead of a text that has no scheme, or too many.
func betterAddress(text string) string {
	for text = strings.Trim(text, quotes); ; {
		bare := strings.TrimLeft(text, `/\:`)
		for _, scheme := range []string{"https:", "http:", "https/", "http/"} {
			if len(bare) > len(scheme) && strings.EqualFold(bare[:len(scheme)], scheme) && bare[len(scheme)] != ':' && !isDigit(bare[len(scheme)]) {
				bare = bare[len(scheme):]
			}
		}
		if bare == text {
			break
		}
		text = bare
	}
	authority, _ := cutAuthority(text)
	at, bad := parseHost(authority[strings.LastIndexByte(authority, '@')+1:])
	if bad != nil {
		at = bad.nearest
	}
	if at.name == "" {
		return "it as " + example
	}
	return at.trusted().String()
}

// cutAuthority cuts the rest of a URL after its authority, where browsers do: they treat a
// backslash as a slash.
func cutAuthority(rest string) (authority, path string) {
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		return rest[:end], rest[end:]
	}
	return rest, ""
}

// parseRPID reads a relying party id for a host. An empty text means the host itself.
func parseRPID(written, host string) (string, error) {
	text := shared.TrimInvisible(written)
	if text == "" {
		return strings.Trim(host, "[]"), nil
	}
	_, bare, hasScheme := strings.Cut(text, "://")
	if !hasScheme {
		bare = text
	}
	authority, path := cutAuthority(bare)
	at, bad := parseHost(authority[strings.LastIndexByte(authority, '@')+1:])
	id := at.name
	if bad != nil {
		id = bad.nearest.name
	}
	better := host
	if id != "" && checkRPID(id, host) == nil {
		better = id
	}
	switch {
	case bad != nil:
		return "", fmt.Errorf("the RP ID %s %s: write %q or leave it out", shown.Quoted(text), bad.because, better)
	case hasScheme || path != "" || strings.ContainsAny(authority, ":@"):
		return "", fmt.Errorf("the RP ID %s must be a domain alone: write %q or leave it out", shown.Quoted(text), better)
	}
	return id, checkRPID(id, host)
}

// checkRPID refuses an id that browsers refuse for this host: it must be the host, or a
// "registrable domain suffix" of it in HTML's words. Under a public suffix, such as com or
// github.io, strangers have domains side by side.
func checkRPID(id, host string) error {
	suffix, _ := publicsuffix.PublicSuffix(host)
	switch {
	case id == host:
		return nil
	case !strings.HasSuffix(host, "."+id):
		return fmt.Errorf("the RP ID %q doesn't belong to %s: write %q, or a domain above it, or leave it out", id, host, host)
	case strings.HasSuffix("."+suffix, "."+id):
		return fmt.Errorf("the RP ID %q is shared by unrelated sites, so browsers refuse it: write %q or leave it out", id, host)
	}
	return nil
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
