package federation

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// Config describes a provider. [Config.Check] checks it.
type Config struct {
	ID       string // used in addresses: lower-case letters, digits and hyphens
	Name     string // the name that people read, "Google"
	Issuer   string // its issuer identifier, a URL without query
	ClientID string
	Secret   string     // the client secret, unless there is a Key
	Key      *ClientKey // signs instead of a secret (private_key_jwt)
	Scopes   []string   // besides openid; unset: profile and email
	Button   string     // its text on the sign-in page; unset: "Sign in with" and the name

	// SignOut ends the session at the provider too (OpenID Connect RP-Initiated
	// Logout 1.0).
	SignOut bool

	Patience time.Duration // how long to wait for the provider; 0 means 10 seconds
	Contact  string        // whom people ask if the provider isn't set up correctly; may be empty
}

var idPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Check says what is wrong with a configuration, in a sentence for IT.
func (c Config) Check() error {
	if !idPattern.MatchString(c.ID) {
		return fmt.Errorf("%s can't name a provider: use at most 32 lower-case letters, digits and hyphens", shown.Quoted(c.ID))
	}
	issuer, err := url.Parse(c.Issuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.User != nil || strings.ContainsAny(c.Issuer, "?# \t\r\n"):
		return fmt.Errorf("the provider %s needs an issuer such as https://login.example.com", c.ID)
	case issuer.Scheme != "https" && !isLocal(issuer):
		return fmt.Errorf("the issuer of the provider %s must begin with https://", c.ID)
	case strings.HasSuffix(issuer.Path, wellKnown):
		return fmt.Errorf("the issuer of the provider %s is the address before %s: write issuer = %q", c.ID, wellKnown, strings.TrimSuffix(c.Issuer, wellKnown))
	case IsEntra(c.Issuer) && entraShared[firstSegment(issuer.Path)]:
		return fmt.Errorf("the issuer of the provider %s is for the accounts of every organisation: write issuer = \"https://%s/TENANT-ID/v2.0\", with the directory (tenant) ID of yours", c.ID, issuer.Host)
	case c.ClientID == "":
		return fmt.Errorf("the provider %s needs a client-id", c.ID)
	case (c.Secret == "") == (c.Key == nil):
		return fmt.Errorf("the provider %s needs either a client-secret-file or a private-key-file", c.ID)
	}
	return nil
}

// isLocal reports whether an address is on this machine.
func isLocal(u *url.URL) bool {
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	loopback := err == nil && ip.IsLoopback() || shared.IsLocalhost(host)
	return u.Scheme == "http" && loopback
}

// Microsoft Entra ID has an issuer for each of its tenants. Under these names it accepts
// people of all of them, but no issuer has such a name: the metadata are a template.
var entraShared = map[string]bool{"common": true, "organizations": true, "consumers": true, "{tenantid}": true}

// IsEntra reports whether an issuer is a tenant of Microsoft Entra ID, which is one
// organisation.
func IsEntra(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Hostname()) {
	case "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "sts.windows.net":
		return true
	}
	return false
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.Trim(path, "/"), "/")
	return strings.ToLower(first)
}
