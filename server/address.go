package server

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Address is where an installation is reached, and what follows from it.
type Address struct {
	Origin string // "https://id.example.com", as browsers write it
	Host   string // "id.example.com" or "localhost:8080", as in the Host header
	RPID   string // WebAuthn's relying party id
	Secure bool   // https
}

// ParseAddress checks a public URL, and the relying party id that is set or
// follows from it. What comes back as an error is a sentence for IT that says
// what to write instead.
//
// Passkeys need a secure context and a domain (WebAuthn Level 3, 5.1.3): https,
// or http on localhost or a name under it, and never an IP address. The relying party id is the
// host, or a domain above it that isn't a public suffix.
func ParseAddress(publicURL, rpID string, passkeysOn bool) (Address, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Address{}, fmt.Errorf("the public URL %q isn't one: write it as https://id.example.com", publicURL)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Address{}, fmt.Errorf("the public URL %q must end after the host: write %s://%s", publicURL, u.Scheme, u.Host)
	}

	name := strings.ToLower(u.Hostname())
	host := name
	if strings.Contains(name, ":") {
		host = "[" + name + "]"
	}
	if port := u.Port(); port != "" && port != defaultPort[u.Scheme] {
		host += ":" + port
	}
	address := Address{Origin: u.Scheme + "://" + host, Host: host, RPID: rpID, Secure: u.Scheme == "https"}

	isIP := net.ParseIP(name) != nil
	switch {
	case isIP && passkeysOn:
		return Address{}, fmt.Errorf("passkeys don't work on the IP address %s: write a host name, such as https://id.example.com, or http://localhost:8080 to try Keypeg on this machine", name)
	case !address.Secure && name != "localhost" && !strings.HasSuffix(name, ".localhost"): // RFC 6761, 6.3
		return Address{}, fmt.Errorf("%s isn't safe without https: write https://%s and put a proxy with a certificate in front, or http://localhost:8080 to try Keypeg on this machine", publicURL, host)
	case rpID == "":
		address.RPID = name
		return address, nil
	}

	switch suffix, listed := publicsuffix.PublicSuffix(rpID); {
	case rpID != name && !strings.HasSuffix(name, "."+rpID):
		return Address{}, fmt.Errorf("the RP ID %q doesn't belong to %s: write %q, or a domain above it, or leave it out", rpID, name, name)
	case rpID != name && suffix == rpID && (listed || !strings.Contains(rpID, ".")):
		return Address{}, fmt.Errorf("the RP ID %q is shared by unrelated sites, so browsers refuse it: write %q or leave it out", rpID, name)
	}
	return address, nil
}

var defaultPort = map[string]string{"http": "80", "https": "443"}
