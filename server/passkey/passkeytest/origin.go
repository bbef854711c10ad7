package passkeytest

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/keypeg/keypeg/shared"
)

// relyingParty checks the relying party id against the page. Without one it is the host of
// the page (5.1.3 and 5.1.4).
func (d *Device) relyingParty(id string) (string, error) {
	page, err := url.Parse(d.Origin)
	if err != nil {
		return "", fmt.Errorf("the device's origin: %w", err)
	}
	host := page.Hostname()

	// WebAuthn exists in secure contexts only, and an address is no valid domain.
	secure := page.Scheme == "https" || shared.IsLocalhost(host)
	if !secure || host == "" || net.ParseIP(host) != nil {
		return "", ErrSecurity
	}
	if id == "" {
		return host, nil
	}
	if !registrable(id, host) && !slices.Contains(d.RelatedTo, id) {
		return "", ErrSecurity
	}
	return id, nil
}

// registrable reports whether the suffix "is a registrable domain suffix of or is equal to"
// the host, in HTML's words: it consists of the host's last labels, and isn't a public
// suffix, such as "com" or "github.io", under which strangers have domains.
func registrable(suffix, host string) bool {
	if suffix == host {
		return true
	}
	if !strings.HasSuffix(host, "."+suffix) {
		return false
	}
	public, _ := publicsuffix.PublicSuffix(suffix)
	around, _ := publicsuffix.PublicSuffix(host) // may be longer: "a.kobe.jp" is public, "kobe.jp" isn't
	return suffix != public && !strings.HasSuffix(around, "."+suffix)
}
