package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared"
)

// Related is a further address of an organisation. Its people are served there too. Where the
// browser has related origin requests (WebAuthn Level 3, 5.11), each of their passkeys works
// at all addresses of the organisation; in another browser it works at its own. It may have the
// host of another address, with a relying party id of its own, and is about passkeys alone then.
type Related struct {
	Address
	// Former says that people move away from this address. Whoever signs in there, or with a
	// passkey for it, is offered a new passkey, for [Config.Address].
	Former bool
}

// MaxRelated is how many further addresses there may be. Browsers need accept no more than five
// registrable labels in the list of origins (WebAuthn Level 3, 5.11.1).
const MaxRelated = 4

// ParseRelated reads a further address: a public URL as [ParseAddress] takes it, and the relying party id behind a
// blank where it is neither the host nor, for a host below it, that of the main address.
func ParseRelated(written string, main Address, former bool) (Related, error) {
	publicURL, rpID, _ := strings.Cut(strings.TrimSpace(written), " ")
	address, err := ParseAddress(publicURL, rpID, true)
	if err == nil && rpID == "" && address.MayUse(main.RPID) {
		address.RPID = main.RPID
	}
	return Related{address, former}, err
}

// ParseMove reads the address that becomes the main one in a move. Without a relying party id it keeps what it had as a
// further address, so that a move can be given up; and else, at or below the present one, that: so nobody needs a new
// passkey.
func ParseMove(publicURL, rpID string, now Address, related []Related) (Address, error) {
	address, err := ParseAddress(publicURL, rpID, true)
	if err != nil || rpID != "" {
		return address, err
	}
	if address.MayUse(now.RPID) {
		address.RPID = now.RPID
	}
	if at := slices.IndexFunc(related, func(other Related) bool { return other.Host == address.Host }); at >= 0 {
		address = related[at].Address
	}
	return address, nil
}

// MayUse reports whether browsers let a page of the address use a relying party id without asking anybody: it is the
// host, or a domain above it.
func (a Address) MayUse(rpID string) bool { return checkRPID(rpID, HostName(a.Host)) == nil }

// FormerURL returns what to write into the setting former-urls for passkeys of a relying party id, if its host was the
// address, as far as that is known.
func (a Address) FormerURL(rpID string) string {
	origin := "https://" + rpID
	if a.MayUse(rpID) {
		origin = a.Origin
	}
	return Related{Address: Address{Origin: origin, RPID: rpID}}.Beside(a)
}

// String is the form that [ParseRelated] reads.
func (r Related) String() string { return r.Origin + " " + r.RPID }

// Beside is the shortest form that [ParseRelated] reads beside a main address.
func (r Related) Beside(main Address) string {
	if short, err := ParseRelated(r.Origin, main, r.Former); err == nil && short.RPID == r.RPID {
		return r.Origin
	}
	return r.String()
}

// CheckRelated refuses further addresses that can't go with the main one. The error is a sentence
// for IT.
func CheckRelated(main Address, related []Related) error {
	if len(related) > MaxRelated {
		return fmt.Errorf("browsers take up to %d addresses of one organisation: leave some of the %d further ones out", MaxRelated+1, len(related))
	}
	known := []Address{main}
	for _, other := range related {
		switch {
		case slices.Contains(known, other.Address):
			return fmt.Errorf("the address %s is there twice with the RP ID %s: leave one out", other.Origin, other.RPID)
		case other.Secure != main.Secure:
			return fmt.Errorf("%s and %s must both have https", main.Origin, other.Origin)
		}
		known = append(known, other.Address)
	}
	return nil
}

// PolicyAt returns a policy with the relying party ids of an address and of further ones.
func PolicyAt(p policy.Policy, main Address, related []Related) policy.Policy {
	p.RPID = main.RPID
	for _, other := range related {
		switch id := other.RPID; {
		case id == main.RPID || slices.Contains(p.Former, id) || slices.Contains(p.Others, id):
		case other.Former:
			p.Former = append(p.Former, id)
		default:
			p.Others = append(p.Others, id)
		}
	}
	return p
}

// addresses returns all addresses, the main one first.
func (c Config) addresses() []Address {
	all := []Address{c.Address}
	for _, related := range c.Related {
		all = append(all, related.Address)
	}
	return all
}

// relatedPasskeys are the further addresses for package passkey.
func (c Config) relatedPasskeys() (list []passkey.Related) {
	for _, related := range c.Related {
		list = append(list, passkey.Related{RPID: related.RPID, Origin: related.Origin, Former: related.Former})
	}
	return list
}

// asked returns the address that a request names. One that names none of ours, such as a health
// check, gets the main one.
func (s *Server) asked(r *http.Request) Address {
	for _, address := range s.addresses {
		if address.IsHost(r.Host) {
			return address
		}
	}
	return s.c.Address
}

// isFormer reports whether a request names an address that people move away from.
func (s *Server) isFormer(r *http.Request) bool {
	return !s.c.Address.IsHost(r.Host) && slices.ContainsFunc(s.c.Related, func(related Related) bool { return related.Former && related.IsHost(r.Host) })
}

// relatedPages returns the relying party ids for the sign-in page, in the order in which browsers are asked for their
// passkeys. It is nil if there is one.
func (s *Server) relatedPages() func() []signinpages.Related {
	if s.passkeys == nil || !s.hasSeveralRPIDs() {
		return nil
	}
	return func() (list []signinpages.Related) {
		for _, id := range s.passkeys.RPIDs() {
			at := slices.IndexFunc(s.addresses, func(address Address) bool { return address.RPID == id })
			list = append(list, signinpages.Related{RPID: id, Origin: s.addresses[at].Origin})
		}
		return list
	}
}

// countEvery is how often the passkeys of each relying party id are counted, where there are several. That reads
// every user.
const countEvery = time.Hour

// RunDomains has browsers asked first for the passkeys of which there are most, until ctx ends. It returns at once where
// there is one relying party id, or a [Host], which has its own sign-in page.
func (s *Server) RunDomains(ctx context.Context) {
	if s.passkeys == nil || s.c.Accounts == nil || !s.hasSeveralRPIDs() {
		return
	}
	for wait := time.After(0); ; wait = time.After(countEvery) {
		select {
		case <-ctx.Done():
			return
		case <-wait:
		}
		domains, err := s.c.Accounts.Domains(ctx)
		if err == nil {
			counts := map[string]int{}
			for _, domain := range domains {
				counts[domain.RPID] = domain.Passkeys
			}
			err = s.passkeys.Prefer(func(rpID string) int { return counts[rpID] })
		}
		if err != nil && ctx.Err() == nil {
			s.c.Log.Warn("the passkeys of each domain can't be counted, so browsers are asked for those of the former one first", "cause", err)
		}
	}
}

// isRelatedOrigins reports whether a browser asks for the list of origins, at the host of one of our
// relying party ids. That may be a domain above our host, at which IT leads this path here.
func (s *Server) isRelatedOrigins(r *http.Request) bool {
	return r.URL.Path == shared.PathRelatedOrigins && slices.ContainsFunc(s.addresses, func(address Address) bool { return address.RPID == HostName(r.Host) })
}

// relatedOrigins are the origins that may use passkeys for any of our relying party ids.
type relatedOrigins struct {
	Origins []string `json:"origins"`
}

// listRelatedOrigins answers browsers that want to use a passkey of one of our addresses at another one. There
// must be no redirect (WebAuthn Level 3, 5.11.1).
func (s *Server) listRelatedOrigins(w http.ResponseWriter, r *http.Request) error {
	var list relatedOrigins
	for _, address := range s.addresses {
		if !slices.Contains(list.Origins, address.Origin) {
			list.Origins = append(list.Origins, address.Origin)
		}
	}
	return httpapi.Respond(w, http.StatusOK, list)
}

// hasSeveralRPIDs reports whether the addresses have different relying party ids. A move within one
// domain that is the relying party id needs nothing of the browser.
func (s *Server) hasSeveralRPIDs() bool {
	return slices.ContainsFunc(s.addresses, func(address Address) bool { return address.RPID != s.c.Address.RPID })
}
