package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
)

// A passkey belongs to a relying party id, a domain. With another one, the passkeys of a domain are worthless, so
// that is never changed in silence: [Service.CheckPolicy] refuses it until IT has said that the domain is given up.

// DomainState says what the settings make of a domain.
type DomainState string

// The values of [DomainState].
const (
	DomainPresent DomainState = "present" // new passkeys are for it
	DomainFormer  DomainState = "former"  // people move away from it
	DomainOther   DomainState = "other"   // of a further address
	DomainEnded   DomainState = "ended"   // IT has given it up
	DomainUnknown DomainState = "unknown" // the settings don't have it
)

// Domain is a relying party id with what the users have of it.
type Domain struct {
	RPID     string      `json:"rpId"`
	State    DomainState `json:"state"`
	Ended    bool        `json:"ended,omitempty"` // IT has given it up, also while the settings have it
	Passkeys int         `json:"passkeys"`
	Users    int         `json:"users"` // who have some
	// ToMove is how many of them have no passkey for another domain that works and isn't former.
	ToMove int `json:"toMove"`
	// Stranded is how many of them could not sign in any more without these passkeys.
	Stranded int `json:"stranded"`
}

// DomainUser is a user who has passkeys for a domain, and none that goes on working after it.
type DomainUser struct {
	Name       string    `json:"name"`
	LastSignIn time.Time `json:"lastSignIn,omitzero"`
	Stranded   bool      `json:"stranded,omitempty"` // has no other way to sign in
	Disabled   bool      `json:"disabled,omitempty"`
}

// endedDomains are the domains that IT has given up, by relying party id, with the time.
var endedDomains = store.Collection[time.Time]{Name: "ended-domain"}

// servedDomains are all domains for which a server has ever begun to serve. So a node that starts with settings that
// lack one looks for passkeys for it, whatever it has looked for before: another node may have made some since.
var servedDomains = store.Collection[struct{}]{Name: "served-domain"}

// endHolds is how long the end of a domain outlives its address in the settings: with several nodes, one may start
// once more with the settings of before.
const endHolds = 24 * time.Hour

// Domains returns the domains of the settings, and those of which users have passkeys, by state and name.
func (s *Service) Domains(ctx context.Context) ([]Domain, error) {
	return DomainsIn(ctx, s.c.Store, s.c.Policy, func(store.User) {})
}

// DomainsIn is [Service.Domains] for a store that may be open for reading only, and another policy. It shows each
// user.
func DomainsIn(ctx context.Context, db store.Store, p policy.Policy, show func(store.User)) ([]Domain, error) {
	count, err := newDomainCount(ctx, db, p)
	if err != nil {
		return nil, err
	}
	err = eachUser(ctx, db, func(user store.User) {
		count.add(user)
		show(user)
	})
	return count.list(), err
}

// DomainUsers calls do with each user of a domain who has yet to move, as they lie in the database.
func (s *Service) DomainUsers(ctx context.Context, rpID string, do func(DomainUser)) error {
	if rpID == s.c.Policy.RPID {
		return nil
	}
	return eachUser(ctx, s.c.Store, func(user store.User) {
		if usesDomain(user, rpID) && toMove(s.c.Policy, user, rpID) {
			do(DomainUser{Name: user.Name, LastSignIn: user.LastSignIn, Disabled: user.Disabled, Stranded: stranded(s.c.Policy, user, rpID)})
		}
	})
}

// EndDomain notes that IT gives a domain up, so that the server starts without it. No passkey is removed: with the
// domain in the settings again, they work again.
//
// It refuses the present domain, one without which users could not sign in any more, and one of which there is
// nothing. The error is a sentence for IT.
func (s *Service) EndDomain(ctx context.Context, rpID string) error {
	if rpID == s.c.Policy.RPID {
		return fmt.Errorf("new passkeys are for %s: make another address the main one first", rpID)
	}
	var locked LockedOut
	uses := slices.Contains(s.c.Policy.Former, rpID) || slices.Contains(s.c.Policy.Others, rpID)
	err := eachUser(ctx, s.c.Store, func(user store.User) {
		if !usesDomain(user, rpID) {
			return
		}
		uses = true
		if stranded(s.c.Policy, user, rpID) {
			locked.add(user)
		}
	})
	if err != nil {
		return err
	}
	if locked.orNil() != nil {
		return fmt.Errorf("these users could not sign in any more: %s; give each a link with keypeg user recovery-link NAME, and end the domain when they have used it; or disable them", locked.names())
	}
	if !uses {
		return fmt.Errorf("nobody has passkeys for %s, and the settings don't have it: keypeg domain list shows what there is", rpID)
	}
	mark := store.Entry[time.Time]{Key: rpID, Value: s.c.Now(), Version: store.AnyVersion}
	if err := s.c.Store.Apply(ctx, store.Batch{endedDomains.Put(mark)}); err != nil {
		return fmt.Errorf("noting the end of a domain: %w", err)
	}
	return nil
}

// mostDomains bounds how many domains are known.
const mostDomains = 1000

// usesDomain reports whether a user has passkeys for a domain.
func usesDomain(user store.User, rpID string) bool {
	return slices.ContainsFunc(user.Passkeys, func(p store.Passkey) bool { return p.RPID == rpID })
}

// without returns the policy after a domain was given up.
func without(p policy.Policy, rpID string) policy.Policy {
	leave := func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return id == rpID })
	}
	p.Former, p.Others = leave(p.Former), leave(p.Others)
	return p
}

// stranded reports whether a user who can sign in needs a domain for it: one of the settings, or one that they
// have lost.
func stranded(p policy.Policy, user store.User, rpID string) bool {
	return without(p, rpID).LocksOut(user)
}

// toMove reports whether a user's passkeys for a domain have no other beside them that stays.
func toMove(p policy.Policy, user store.User, rpID string) bool {
	p = without(p, rpID)
	return !slices.ContainsFunc(user.Passkeys, func(own store.Passkey) bool {
		return own.RPID != rpID && p.TakesPasskey(own) && !p.IsFormer(own)
	})
}

// domainCount counts the passkeys of each domain.
type domainCount struct {
	policy  policy.Policy
	domains map[string]*Domain
	ended   map[string]store.Entry[time.Time]
}

func newDomainCount(ctx context.Context, db store.Store, p policy.Policy) (*domainCount, error) {
	entries, err := endedDomains.List(ctx, db, "", "", mostDomains)
	if err != nil {
		return nil, fmt.Errorf("looking up ended domains: %w", err)
	}
	c := &domainCount{p, map[string]*Domain{}, map[string]store.Entry[time.Time]{}}
	for _, entry := range entries {
		c.ended[entry.Key] = entry
	}
	for _, id := range rpIDsOf(p) {
		c.of(id)
	}
	return c, nil
}

// of returns the count of a domain, or nil if there are too many already.
func (c *domainCount) of(rpID string) *Domain {
	if c.domains[rpID] == nil && len(c.domains) < mostDomains {
		_, ended := c.ended[rpID]
		c.domains[rpID] = &Domain{RPID: rpID, State: c.state(rpID), Ended: ended}
	}
	return c.domains[rpID]
}

func (c *domainCount) state(rpID string) DomainState {
	_, ended := c.ended[rpID]
	switch {
	case rpID == c.policy.RPID:
		return DomainPresent
	case slices.Contains(c.policy.Former, rpID):
		return DomainFormer
	case slices.Contains(c.policy.Others, rpID):
		return DomainOther
	case ended:
		return DomainEnded
	}
	return DomainUnknown
}

func (c *domainCount) add(user store.User) {
	var seen []string
	for _, p := range user.Passkeys {
		domain := c.of(cmp.Or(p.RPID, c.policy.RPID))
		if domain == nil {
			continue
		}
		domain.Passkeys++
		if slices.Contains(seen, domain.RPID) {
			continue
		}
		seen = append(seen, domain.RPID)
		domain.Users++
		if domain.State == DomainPresent {
			continue
		}
		if toMove(c.policy, user, domain.RPID) {
			domain.ToMove++
		}
		if stranded(c.policy, user, domain.RPID) {
			domain.Stranded++
		}
	}
}

func (c *domainCount) list() []Domain {
	order := []DomainState{DomainPresent, DomainFormer, DomainOther, DomainUnknown, DomainEnded}
	list := []Domain{}
	for _, domain := range c.domains {
		list = append(list, *domain)
	}
	slices.SortFunc(list, func(a, b Domain) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)), strings.Compare(a.RPID, b.RPID))
	})
	return list
}

// ForeignPasskeys is the error for settings that don't have the domain of some passkeys.
type ForeignPasskeys struct {
	Domains []Domain
	// RPID is that of the settings.
	RPID string
}

// Error is a sentence for IT.
func (e *ForeignPasskeys) Error() string {
	var of []string
	for _, d := range e.Domains {
		text := fmt.Sprintf("%d passkeys of %d users are for %s", d.Passkeys, d.Users, d.RPID)
		if d.Stranded > 0 {
			text += fmt.Sprintf(", and %d of them have no other way to sign in", d.Stranded)
		}
		of = append(of, text)
	}
	return strings.Join(of, "; ") + "; and these settings are for " + e.RPID
}

// foreign returns the passkeys for domains that the settings don't have, and that IT hasn't given up.
func (c *domainCount) foreign() error {
	found := &ForeignPasskeys{RPID: c.policy.RPID}
	for _, domain := range c.list() {
		if domain.State == DomainUnknown {
			found.Domains = append(found.Domains, domain)
		}
	}
	if len(found.Domains) == 0 {
		return nil
	}
	return found
}

// eachUser calls do with every user, in the order in which they lie in the database: by name, a disk that is
// slow at finding would take minutes for a million.
func eachUser(ctx context.Context, db store.Store, do func(store.User)) error {
	for after := []byte(nil); ; {
		records, err := db.Records(ctx, store.KindUser, after, 1000)
		if err != nil {
			return fmt.Errorf("reading the users: %w", err)
		}
		if len(records) == 0 {
			return nil
		}
		for _, record := range records {
			after = record.Key
			if put, is := record.Op.(store.PutUser); is {
				do(put.User)
			}
		}
	}
}

// served notes the domains of the settings, and forgets the end of those that they have again.
func (c *domainCount) served(now time.Time) (batch store.Batch) {
	for _, id := range rpIDsOf(c.policy) {
		batch = append(batch, servedDomains.Put(store.Entry[struct{}]{Key: id, Version: store.AnyVersion}))
		if entry, found := c.ended[id]; found && now.Sub(entry.Value) > endHolds {
			batch = append(batch, endedDomains.Remove(entry))
		}
	}
	return batch
}

// rpIDsOf returns the domains of the settings. A policy without an address has none.
func rpIDsOf(p policy.Policy) []string {
	if p.RPID == "" {
		return nil
	}
	return slices.Concat([]string{p.RPID}, p.Former, p.Others)
}

// hasServedMore reports whether a server has served domains that the policy lacks, and that IT hasn't given up.
func (s *Service) hasServedMore(ctx context.Context) (bool, error) {
	own := rpIDsOf(s.c.Policy)
	if own == nil {
		return false, nil
	}
	entries, err := servedDomains.List(ctx, s.c.Store, "", "", mostDomains)
	if err != nil {
		return false, fmt.Errorf("looking up the domains that were served: %w", err)
	}
	for _, entry := range entries {
		if slices.Contains(own, entry.Key) {
			continue
		}
		ended, err := endedDomains.Has(ctx, s.c.Store, "", entry.Key)
		if err != nil {
			return false, fmt.Errorf("looking up ended domains: %w", err)
		}
		if !ended {
			return true, nil
		}
	}
	return false, nil
}
