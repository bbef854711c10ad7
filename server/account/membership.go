package account

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Provider holds what these rules need of an OpenID provider. [Provider.Check] checks it.
type Provider struct {
	ID     string // its name in the configuration
	Name   string // what people call it
	Issuer string
	// CreateUsers makes an account for a person who signs in for the first time, if the
	// provider has verified their e-mail address and it is in one of the Domains.
	CreateUsers bool
	Domains     []string
	// Required are claims that the ID token must have at every sign-in, each with one of
	// the values. They are required of people who have an account already, too.
	Required map[string][]string
}

// At issuerGoogle anybody may have an account with an address at any domain. Only the claim
// hd says to which domain's organisation an account belongs.
const (
	issuerGoogle = "https://accounts.google.com"
	claimGoogle  = "hd"
)

// mailOfGoogle are the domains at which Google gives addresses to anybody. Their accounts
// have no hd.
var mailOfGoogle = []string{"gmail.com", "googlemail.com"}

// openIssuers are hosts at which anybody may have an account, with any address whose mail
// they could read once. So the address says little about who is a member today.
var openIssuers = []string{
	"gitlab.com", "codeberg.org", "gitea.com", "huggingface.co", "login.live.com", "appleid.apple.com", "account.apple.com", "slack.com", "www.facebook.com", "www.linkedin.com", "api.login.yahoo.com", "login.yahoo.com",
	"id.twitch.tv", "access.line.me", "login.salesforce.com", "orcid.org", "www.paypal.com", "discord.com", "kauth.kakao.com", "oauth.telegram.org",
}

// entraConsumers is the tenant of Microsoft Entra ID that has all personal accounts.
const entraConsumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

// isOpen reports whether anybody may have an account at the issuer, as far as is known.
func (p Provider) isOpen() bool {
	issuer, err := url.Parse(p.Issuer)
	return err == nil && (slices.Contains(openIssuers, strings.ToLower(issuer.Hostname())) || strings.Contains(issuer.Path, entraConsumers))
}

// AdmitsOthers reports whether people from outside the organisation may get an account by
// the provider, as far as its issuer tells: no list has all issuers that are open to
// everybody. It is for a provider that [Provider.Check] accepts. An issuer at one of the
// Domains is the organisation's own, and Google says to whom an account belongs.
func (p Provider) AdmitsOthers() bool {
	issuer, err := url.Parse(p.Issuer)
	if !p.CreateUsers || len(p.Required) > 0 || err != nil || p.Issuer == issuerGoogle {
		return false
	}
	host := strings.ToLower(issuer.Hostname())
	return !slices.ContainsFunc(p.Domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// Check returns the provider with its domains in the form in which they are compared. Its
// errors are sentences for IT, mostly about values that could never match.
func (p Provider) Check() (Provider, error) {
	switch {
	case p.CreateUsers && len(p.Domains) == 0:
		return p, fmt.Errorf("the provider %s has create-users without allowed-domains: name the domains of the e-mail addresses that may come", p.ID)
	case !p.CreateUsers && len(p.Domains) > 0:
		return p, fmt.Errorf("the provider %s has allowed-domains without create-users = true", p.ID)
	case p.CreateUsers && p.isOpen() && len(p.Required) == 0:
		return p, fmt.Errorf("the provider %s gives an account to anybody who can or once could read mail at your domain: write required-claims with a claim that it gives to your members only, or leave out create-users and link people one by one", p.ID)
	}
	var err error
	if p.Domains, err = canonicalDomains(p.Domains); err != nil {
		return p, fmt.Errorf("allowed-domains of the provider %s: %w", p.ID, err)
	}
	p.Required = maps.Clone(p.Required)
	for _, claim := range slices.Sorted(maps.Keys(p.Required)) {
		values := p.Required[claim]
		if claim == "" || len(values) == 0 || slices.Contains(values, "") {
			return p, fmt.Errorf("required-claims of the provider %s: %q must have a value that isn't empty, such as { hd = \"example.com\" }", p.ID, claim)
		}
		if claim != claimGoogle {
			continue
		}
		if p.Required[claim], err = canonicalDomains(values); err != nil {
			return p, fmt.Errorf("required-claims of the provider %s: %s: %w", p.ID, claim, err)
		}
	}
	return p, nil
}

func canonicalDomains(written []string) (list []string, err error) {
	for _, w := range written {
		domain, err := canonicalDomain(w)
		if err != nil {
			return nil, err
		}
		list = append(list, domain)
	}
	return list, nil
}

// domains converts domain names for lookup (RFC 5891, 5), with the lengths of RFC 1035.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// canonicalDomain returns the domain of e-mail addresses in the form in which it is
// compared: in lower case and in ASCII. It refuses a text that can't stand behind the @ of
// an address, and says what to write.
func canonicalDomain(written string) (string, error) {
	bare := strings.ToLower(strings.TrimSpace(written))
	domain, err := domains.ToASCII(strings.TrimSuffix(bare, "."))
	_, isIP := netip.ParseAddr(strings.Trim(bare, "[]"))
	switch {
	case bare == "":
		return "", errors.New(`an empty domain matches nobody: write one such as "example.com"`)
	case strings.HasPrefix(bare, "*.") || strings.HasPrefix(bare, "."):
		return "", fmt.Errorf("%q matches nobody: write each domain by itself, such as %q", written, strings.TrimLeft(bare, "*."))
	case strings.Contains(bare, "@"):
		return "", fmt.Errorf("%q matches nobody: write what stands behind the @, %q", written, bare[strings.LastIndexByte(bare, '@')+1:])
	case strings.Contains(bare, "://"):
		u, _ := url.Parse(bare)
		if u == nil || u.Hostname() == "" {
			u = &url.URL{Host: "example.com"}
		}
		return "", fmt.Errorf("%q matches nobody: write the domain alone, such as %q", written, u.Hostname())
	case err != nil || domain == "" || isIP == nil:
		return "", fmt.Errorf("%q isn't a domain of e-mail addresses: write one such as \"example.com\"", written)
	}
	return domain, nil
}

// checkRequired fails if the ID token lacks a claim that IT requires.
func (c Claims) checkRequired() error {
	for _, claim := range slices.Sorted(maps.Keys(c.Provider.Required)) {
		values, allowed := c.IDToken[claim], c.Provider.Required[claim]
		if claim == claimGoogle {
			values = domainsOf(values)
		}
		if !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(allowed, v) }) {
			return fmt.Errorf("the ID token's claim %s has none of the required values: it says %q", claim, values)
		}
	}
	return nil
}

// domainsOf returns those of the values that are domains.
func domainsOf(values []string) (list []string) {
	for _, text := range values {
		if domain, err := canonicalDomain(text); err == nil {
			list = append(list, domain)
		}
	}
	return list
}

// checkCreation fails, with the cause, if the provider may not make a user of the person.
func (c Claims) checkCreation() error {
	email := plainAddress(c.Email)
	local, domain, isAddress := strings.Cut(email, "@")
	itsDomain, allowed := domainsOf([]string{domain}), domainsOf(c.Provider.Domains)
	switch {
	case !c.Provider.CreateUsers:
		return errors.New("nobody has this identity")
	case !isAddress || local == "" || strings.ContainsAny(email, " \t\r\n") || strings.Contains(domain, "@"):
		return errors.New("the provider gave no e-mail address")
	case !c.EmailVerified:
		return errors.New("the provider has not verified the e-mail address")
	case len(itsDomain) == 0 || !slices.Contains(allowed, itsDomain[0]):
		return errors.New("the e-mail address is in none of the domains")
	}
	if c.Provider.Issuer != issuerGoogle || slices.Contains(mailOfGoogle, itsDomain[0]) {
		return nil
	}
	hosted := domainsOf(c.IDToken[claimGoogle])
	if !slices.ContainsFunc(hosted, func(d string) bool { return slices.Contains(allowed, d) }) {
		return fmt.Errorf("the account isn't of an organisation in one of the domains: its hd is %q", hosted)
	}
	return nil
}
