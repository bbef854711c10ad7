// Package tenant lets one installation serve several organisations, its tenants:
// the cloud edition.
//
// A [Tenant] has a host name, a relying party id, a store and a [server.Server] of its
// own. Each tenant is an item in the installation's store. A [Registry] changes it by
// compare-and-swap, so every node and every command may change it. The [Router] finds
// the tenant of a request by its Host header, opens the tenant at its first request, and
// closes it when it is suspended or removed.
//
// One tenant can't see the records of another, because each Server has a store with the
// keys and records of that tenant alone. This package ensures that no two tenants share a
// host, and that no browser offers a passkey of one tenant at the host of another: see
// [Registry.Add].
package tenant

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// Tenant is one organisation in the list of tenants.
type Tenant struct {
	Name      string `json:"name"`              // of its file, and in commands and settings
	PublicURL string `json:"publicURL"`         // as browsers write it; tenants of early versions have it as IT wrote it
	RPID      string `json:"rpID,omitempty"`    // likewise; "" for the host
	Former    string `json:"former,omitempty"`  // addresses before a move, as [server.Related] writes them, with commas between
	Others    string `json:"others,omitempty"`  // further addresses, likewise
	Product   string `json:"product,omitempty"` // "" for the installation's
	Contact   string `json:"contact,omitempty"` // "" for the installation's

	// Arrive and Hooks are those of a program that Keypeg is built into: see [embed.Program]. Arrive is "" for a tenant
	// with users of its own.
	Arrive string `json:"arrive,omitempty"`
	Hooks  string `json:"hooks,omitempty"`
	// SecretMade is when the newest secret of the program was made.
	SecretMade time.Time `json:"secretMade,omitzero"`

	Created time.Time `json:"created"`
	// Suspended is when the tenant was suspended. It is zero while the tenant is active.
	Suspended time.Time `json:"disabled,omitzero"`
	// Removing is set when the deletion of its records begins. It can't be undone.
	Removing bool `json:"removing,omitempty"`
}

// IsActive reports whether the tenant's people are served: it is neither suspended nor being
// removed.
func (t Tenant) IsActive() bool { return t.Suspended.IsZero() && !t.Removing }

// Address returns the address at which people reach the tenant. Its errors are sentences for
// IT.
func (t Tenant) Address() (server.Address, error) {
	return server.ParseAddress(t.PublicURL, t.RPID, true)
}

// Related returns the further addresses of the tenant. Its errors are sentences for IT.
func (t Tenant) Related() (list []server.Related, err error) {
	main, err := t.Address()
	if err != nil || t.Former+t.Others == "" {
		return nil, nil // whoever wants the address gets the error
	}
	for _, of := range []struct {
		written string
		former  bool
	}{{t.Former, true}, {t.Others, false}} {
		for one := range strings.SplitSeq(of.written, ",") {
			if one == "" {
				continue
			}
			related, err := server.ParseRelated(one, main, of.former)
			if err != nil {
				return nil, err
			}
			list = append(list, related)
		}
	}
	return list, server.CheckRelated(main, list)
}

// maxName is how long a tenant's name may be.
const maxName = 40

var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckName refuses a text that can't be the name of a tenant, with a sentence for IT.
func CheckName(name string) error {
	if len(name) > maxName || !names.MatchString(name) {
		return fmt.Errorf("%s can't name a tenant: use at most %d lower-case letters, digits and dashes, such as acme", shown.Quoted(name), maxName)
	}
	return nil
}

// isWithin reports whether a browser offers passkeys of this relying party id at this host:
// the host is the id, or a subdomain of it (WebAuthn Level 3, 5.1.3).
func isWithin(host, rpID string) bool {
	return host == rpID || strings.HasSuffix(host, "."+rpID)
}
