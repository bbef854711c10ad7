package openid

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/keypeg/keypeg/server/internal/shown"
)

// RedirectAllowed reports whether a request may name this redirect URI. The text is compared byte by byte with each
// that is registered (RFC 9700, 2.1), with two exceptions:
//
//   - The port of a plain http address of the machine itself is free, because a program there gets its port from the
//     operating system (RFC 8252, 7.3).
//   - A bare origin, such as https://app.example.com, stands for each address of exactly that origin.
func (c Client) RedirectAllowed(uri string) bool { return allows(c.Redirects, uri) }

// SignedOutAllowed reports whether a sign-out may lead to this address. It compares as [Client.RedirectAllowed] does.
func (c Client) SignedOutAllowed(uri string) bool { return allows(c.SignedOut, uri) }

// anotherMayGet reports whether another program on the device of the user may get what is sent to a redirect URI: one of the
// machine itself, or with the scheme of an app, of a client that proves nothing. So its name says little of who asks
// (RFC 8252, 8.6).
func (c Client) anotherMayGet(uri string) bool {
	rest, isWeb := strings.CutPrefix(uri, secure)
	authority, _ := authorityOf(rest)
	host, _ := hostAndPort(authority)
	return c.IsPublic() && (!isWeb || isLoopback(host))
}

func allows(registered []string, uri string) bool {
	return checkCharacters(uri) == nil &&
		slices.ContainsFunc(registered, func(address string) bool { return matches(address, uri) })
}

// matches compares a text of a request with a registered address, which [checkRedirect] has accepted. It parses
// neither of them: what a parser reads in a text, a browser may read otherwise.
func matches(registered, uri string) bool {
	if strings.HasPrefix(registered, plain) {
		registered, uri = withoutPort(registered), withoutPort(uri)
	}
	if uri == registered {
		return true
	}
	// Behind the slash nothing can change the origin any more.
	return isOrigin(registered) && strings.HasPrefix(uri, registered+"/")
}

const (
	plain  = "http://"
	secure = "https://"
)

// isOrigin reports whether a registered address is a bare origin.
func isOrigin(address string) bool {
	for _, scheme := range []string{plain, secure} {
		if rest, is := strings.CutPrefix(address, scheme); is {
			return !strings.ContainsAny(rest, "/?")
		}
	}
	return false
}

// withoutPort removes the port of a plain http address.
func withoutPort(address string) string {
	rest, is := strings.CutPrefix(address, plain)
	if !is {
		return address
	}
	authority, behind := authorityOf(rest)
	host, port := hostAndPort(authority)
	if !isPort(port) {
		return address
	}
	return plain + host + behind
}

// authorityOf splits what is behind a scheme and its slashes: before the path or the query, and from there on.
func authorityOf(text string) (authority, behind string) {
	end := strings.IndexAny(text, "/?")
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// hostAndPort splits at the last colon that isn't within an IPv6 address. The port has no colon.
func hostAndPort(authority string) (host, port string) {
	at := strings.LastIndexByte(authority, ':')
	if at < 0 || at < strings.LastIndexByte(authority, ']') {
		return authority, ""
	}
	return authority[:at], authority[at+1:]
}

// isPort reports whether a text is a port as programs write it.
func isPort(text string) bool {
	number, err := strconv.ParseUint(text, 10, 16)
	return err == nil && number > 0 && strconv.FormatUint(number, 10) == text
}

// checkRedirect says what is wrong with an address to which browsers are redirected, in a sentence for IT that begins
// with the address.
func checkRedirect(address string) error {
	scheme, rest, _ := strings.Cut(address, ":")
	if strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") {
		return checkWebAddress(address)
	}
	if err := checkCharacters(address); err != nil {
		return err
	}
	authority, _ := authorityOf(strings.TrimPrefix(rest, "//"))
	switch {
	case !ownScheme.MatchString(scheme) || !strings.HasPrefix(rest, "/"):
		// Only the owner of a domain name uses it in a scheme (RFC 8252, 7.1), and no browser gives such a
		// scheme a meaning, as it does for javascript: and data:.
		return fmt.Errorf("%s must begin with https://, or with a scheme of the program's own that is a reversed domain name, such as com.example.app:/callback", shown.Quoted(address))
	case strings.HasPrefix(rest, "//") && strings.Contains(authority, "@"):
		return fmt.Errorf("%s must have no user name: leave out what is before the @", shown.Quoted(address))
	}
	return nil
}

var ownScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// checkWebAddress says the same of an address with https, or with plain http on the machine itself.
func checkWebAddress(address string) error {
	if err := checkCharacters(address); err != nil {
		return err
	}
	rest, isPlain := strings.CutPrefix(address, plain)
	rest, isSecure := strings.CutPrefix(rest, secure)
	if isPlain == isSecure {
		return fmt.Errorf("%s must begin with https://, in small letters", shown.Quoted(address))
	}
	authority, behind := authorityOf(rest)
	host, port := hostAndPort(authority)
	hostErr := checkHost(host)
	switch {
	case strings.Contains(authority, "@"):
		return fmt.Errorf("%s must have no user name: leave out what is before the @", shown.Quoted(address))
	case hostErr != nil:
		return fmt.Errorf("%s %w", shown.Quoted(address), hostErr)
	case host != authority && !isPort(port):
		return fmt.Errorf("%s has no port behind the colon: write a number from 1 to 65535", shown.Quoted(address))
	case isPlain && !isLoopback(host):
		return fmt.Errorf("%s must begin with https://, since plain http is for localhost, 127.0.0.1 and [::1] only", shown.Quoted(address))
	case hasDotSegment(behind):
		return fmt.Errorf("%s has . or .. in its path, which browsers remove: write the path without it", shown.Quoted(address))
	case strings.ContainsAny(behind, "[]"):
		return fmt.Errorf("%s has a bracket behind the host: write %%5B and %%5D, or leave them out", shown.Quoted(address))
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "[::1]"
}

// checkCharacters refuses what isn't the text of a URI (RFC 3986, 2), and what stands in no address here.
func checkCharacters(address string) error {
	if len(address) > MostAddressLength {
		return fmt.Errorf("%s... is too long: write at most %d characters", shown.Text(address[:40]), MostAddressLength)
	}
	for i := range len(address) {
		switch b := address[i]; {
		case b == '#':
			return fmt.Errorf("%s must have no fragment: leave out # and what is behind it", shown.Quoted(address))
		case b == '*':
			return fmt.Errorf("%s has a *, which stands for nothing here: write each address, or the bare origin for all of its addresses", shown.Quoted(address))
		case b == '%' && !isEscape(address[i:]):
			return fmt.Errorf("%s has a %% without two hexadecimal digits: write %%25", shown.Quoted(address))
		case b >= 0x80:
			return fmt.Errorf("%s has letters that a program sends in another form: write the host in its form with xn--, and other letters as %%XX", shown.Quoted(address))
		case b <= ' ' || b == 0x7f || strings.IndexByte(`"<>\^{|}`+"`", b) >= 0:
			return fmt.Errorf("%s has a character that no address has, such as a blank: write it exactly as the program sends it", shown.Quoted(address))
		}
	}
	return nil
}

func isEscape(text string) bool {
	if len(text) < 3 {
		return false
	}
	_, err := strconv.ParseUint(text[1:3], 16, 8)
	return err == nil
}

var (
	hostLabel = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
	number    = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)$`)

	errNoHost     = errors.New("has no host: write one such as app.example.com behind https://")
	errUpperHost  = errors.New("has capital letters in its host: write it in small letters, as browsers send it")
	errFinalDot   = errors.New("has a dot at the end of its host: leave it out")
	errHost       = errors.New("has a host that is no domain name and no IP address: write one such as app.example.com")
	errIPAddress  = errors.New("has a host that browsers read as another IP address: write it in its usual form, such as 192.0.2.1 or [2001:db8::1]")
	errLongestDNS = errors.New("has a host of more than 253 characters, which no domain name has")
)

// checkHost refuses a host that a browser would write otherwise, or that isn't one.
func checkHost(host string) error {
	if inner, is := strings.CutPrefix(host, "["); is {
		inner, closed := strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		if !closed || err != nil || !ip.Is6() || ip.Zone() != "" || ip.Is4In6() || ip.String() != inner {
			return errIPAddress
		}
		return nil
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case host == "":
		return errNoHost
	case host != strings.ToLower(host):
		return errUpperHost
	case last == "":
		return errFinalDot
	case number.MatchString(last): // a browser reads it as an IPv4 address (URL Standard, 4.4, "ends in a number")
		if ip, err := netip.ParseAddr(host); err != nil || ip.String() != host {
			return errIPAddress
		}
		return nil
	case len(host) > 253:
		return errLongestDNS
	}
	for _, label := range labels {
		if !hostLabel.MatchString(label) {
			return errHost
		}
	}
	return nil
}

// hasDotSegment reports whether a path has a segment that browsers remove (RFC 3986, 5.2.4).
func hasDotSegment(behind string) bool {
	path, _, _ := strings.Cut(behind, "?")
	for segment := range strings.SplitSeq(path, "/") {
		segment = strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
