// Package tenant lets one installation serve several organisations, its tenants:
// the cloud edition.
//
// A tenant is a host name of its own with a relying party id, a store and a
// [server.Server]. Which ones there are stands in the installation's own store,
// as one value that a [Registry] changes by compare-and-swap; so any node, and any
// command, may change it. The [Router] stands in front: it finds the tenant that a
// request is for by its Host header, opens it at its first request, and closes it
// when it is switched off or removed.
//
// Nothing of one tenant is visible to another because nothing of it lies where the
// other could look: each Server has one store, made of keys and records of that
// tenant alone. What is left to this package is that no two share a host, and that
// no passkey of one is offered by a browser at another's: see [Registry.Add].
package tenant

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// Tenant is one of the organisations.
type Tenant struct {
	Name      string `json:"name"`              // of its file, and in commands and settings
	PublicURL string `json:"publicURL"`         // as browsers write it, but of early tenants as it was given
	RPID      string `json:"rpID,omitempty"`    // likewise; "" for the host
	Product   string `json:"product,omitempty"` // "" for the installation's
	Contact   string `json:"contact,omitempty"` // "" for the installation's

	Created time.Time `json:"created"`
	// Disabled is when it was switched off; zero while it is on.
	Disabled time.Time `json:"disabled,omitzero"`
	// Removing is set once its records are being deleted. There is no way back.
	Removing bool `json:"removing,omitempty"`
}

// IsOn tells whether the tenant's people are served.
func (t Tenant) IsOn() bool { return t.Disabled.IsZero() && !t.Removing }

// Address is where the tenant is reached. Its errors are sentences for IT.
func (t Tenant) Address() (server.Address, error) {
	return server.ParseAddress(t.PublicURL, t.RPID, true)
}

// MaxName is how long a tenant's name may be.
const MaxName = 40

var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckName refuses what can't name a tenant, with a sentence for IT.
func CheckName(name string) error {
	if len(name) > MaxName || !names.MatchString(name) {
		return fmt.Errorf("%s can't name a tenant: use at most %d lower-case letters, digits and dashes, such as acme", shown.Quoted(name), MaxName)
	}
	return nil
}

// isWithin tells whether a browser offers passkeys of this relying party id at this
// host (WebAuthn Level 3, 5.1.3: the host is the id, or lies under it).
func isWithin(host, rpID string) bool {
	return host == rpID || strings.HasSuffix(host, "."+rpID)
}
