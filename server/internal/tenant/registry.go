package tenant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store"
)

// Registry reads and changes the list of tenants. It is safe for concurrent use, on any
// number of nodes. Its errors are sentences for IT, except those of the store.
type Registry struct {
	store store.Store
	now   store.Clock
}

// NewRegistry returns the Registry of an installation, which keeps the list in its own store.
func NewRegistry(s store.Store, now store.Clock) *Registry { return &Registry{s, now} }

// secretTenants is the name under which the list is stored, as JSON.
const secretTenants = "tenants"

// listVersion is the version of the list's format. A program refuses a later one.
const listVersion = 1

type list struct {
	Version int      `json:"version"`
	Tenants []Tenant `json:"tenants"` // by name
}

var errUnknown = errors.New("there is no such tenant")

// Exists reports whether the store has a list of tenants, even an empty one. Only the store of
// a cloud installation has it.
func (r *Registry) Exists(ctx context.Context) (bool, error) {
	_, err := r.store.Secret(ctx, secretTenants)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Begin stores an empty list if there is none.
func (r *Registry) Begin(ctx context.Context) error {
	return r.change(ctx, func(all []Tenant) ([]Tenant, error) { return all, nil })
}

// List returns all tenants by name.
func (r *Registry) List(ctx context.Context) ([]Tenant, error) {
	_, all, err := r.read(ctx)
	return all, err
}

// Tenant returns one by its name.
func (r *Registry) Tenant(ctx context.Context, name string) (Tenant, error) {
	_, all, err := r.read(ctx)
	if err != nil {
		return Tenant{}, err
	}
	return Find(all, name)
}

// Usable returns a tenant for a command. It refuses a tenant that is being removed.
func (r *Registry) Usable(ctx context.Context, name string) (Tenant, error) {
	t, err := r.Tenant(ctx, name)
	if err == nil && t.Removing {
		err = fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
	}
	return t, err
}

func (r *Registry) read(ctx context.Context) (encoded []byte, all []Tenant, err error) {
	encoded, err = r.store.Secret(ctx, secretTenants)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the list of tenants: %w", err)
	}
	var l list
	if err := json.Unmarshal(encoded, &l); err != nil {
		return nil, nil, fmt.Errorf("reading the list of tenants: %w", err)
	}
	if l.Version > listVersion {
		return nil, nil, errors.New("the list of tenants was written by a newer Keypeg: update this program")
	}
	return encoded, l.Tenants, nil
}

// change stores what do makes of the current list. It starts again if another process has
// changed the list meanwhile.
func (r *Registry) change(ctx context.Context, do func([]Tenant) ([]Tenant, error)) error {
	for attempt := 1; ; attempt++ {
		before, all, err := r.read(ctx)
		if err != nil {
			return err
		}
		if all, err = do(all); err != nil {
			return err
		}
		after, err := json.Marshal(list{listVersion, all})
		if err != nil {
			return err
		}
		if before != nil && bytes.Equal(before, after) {
			return nil
		}
		var op store.Op = store.ReplaceSecret{Name: secretTenants, Old: before, Value: after}
		if before == nil {
			op = store.AddSecret{Name: secretTenants, Value: after}
		}
		err = r.store.Apply(ctx, store.Batch{op})
		lost := errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrSecretExists)
		if err == nil || !lost || attempt == store.Attempts {
			return err
		}
	}
}

func byName(t Tenant, name string) int { return cmp.Compare(t.Name, name) }

// Find returns the tenant of this name in a list.
func Find(all []Tenant, name string) (Tenant, error) {
	at, err := find(all, name)
	if err != nil {
		return Tenant{}, err
	}
	return all[at], nil
}

func find(all []Tenant, name string) (at int, err error) {
	at, found := slices.BinarySearchFunc(all, name, byName)
	if !found {
		return 0, fmt.Errorf("%w as %q: keypeg tenant list shows all", errUnknown, name)
	}
	return at, nil
}

// Add adds a tenant. It refuses a name or an address that is invalid, and a name that is
// taken. It also refuses a tenant if a browser would offer its passkeys at the host of
// another tenant, or the passkeys of another tenant at its host. So no two tenants share a
// host.
func (r *Registry) Add(ctx context.Context, t Tenant) (Tenant, error) {
	if err := CheckName(t.Name); err != nil {
		return Tenant{}, err
	}
	t.Product, t.Contact = strings.TrimSpace(t.Product), strings.TrimSpace(t.Contact)
	t.Created, t.Suspended, t.Removing = r.now().UTC(), time.Time{}, false
	address, err := t.Address()
	if err != nil {
		return Tenant{}, err
	}
	t.PublicURL = address.Origin
	if t.RPID = strings.TrimSpace(t.RPID); t.RPID != "" {
		t.RPID = address.RPID
	}

	err = r.change(ctx, func(all []Tenant) ([]Tenant, error) {
		at, taken := slices.BinarySearchFunc(all, t.Name, byName)
		if taken && all[at].Removing {
			return nil, fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again, and then add it", t.Name, t.Name)
		}
		if taken {
			return nil, fmt.Errorf("there is a tenant %s already, at %s: choose another name", t.Name, all[at].PublicURL)
		}
		for _, other := range all {
			if err := t.keepsApartFrom(other); err != nil {
				return nil, err
			}
		}
		return slices.Insert(all, at, t), nil
	})
	return t, err
}

// keepsApartFrom refuses two tenants if a browser would offer the passkeys of one of them at
// the host of the other.
func (t Tenant) keepsApartFrom(other Tenant) error {
	mine, err := t.Address()
	if err != nil {
		return err
	}
	theirs, err := other.Address()
	if err != nil {
		return nil // nobody can reach it, see [Router.Refresh]
	}
	switch myHost, theirHost := server.HostName(mine.Host), server.HostName(theirs.Host); {
	case myHost == theirHost:
		return fmt.Errorf("the host %s belongs to the tenant %s already: give this one a host name of its own", myHost, other.Name)
	case isWithin(theirHost, mine.RPID):
		return fmt.Errorf("passkeys with the RP ID %s would be offered at %s too, which belongs to the tenant %s: choose a host, or an RP ID, that doesn't contain it", mine.RPID, theirHost, other.Name)
	case isWithin(myHost, theirs.RPID):
		return fmt.Errorf("passkeys of the tenant %s, whose RP ID is %s, would be offered at %s too: choose a host outside of %s", other.Name, theirs.RPID, myHost, theirs.RPID)
	}
	return nil
}

// SetSuspended suspends a tenant, or makes it active again.
func (r *Registry) SetSuspended(ctx context.Context, name string, suspended bool) error {
	return r.change(ctx, func(all []Tenant) ([]Tenant, error) {
		at, err := find(all, name)
		if err != nil {
			return nil, err
		}
		t := &all[at]
		switch {
		case t.Removing:
			return nil, fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
		case !suspended:
			t.Suspended = time.Time{}
		case t.IsActive():
			t.Suspended = r.now().UTC()
		}
		return all, nil
	})
}

// Remove removes a suspended tenant, in three steps: it marks the tenant in the list as
// being removed, calls erase to delete the records, and deletes the tenant from the list.
// After an interruption at any point IT calls it again, so erase may run more than once.
// Until then nobody gets the name.
func (r *Registry) Remove(ctx context.Context, name string, erase func(context.Context, Tenant) error) error {
	var t Tenant
	err := r.change(ctx, func(all []Tenant) ([]Tenant, error) {
		at, err := find(all, name)
		if err != nil {
			return nil, err
		}
		if all[at].IsActive() {
			return nil, fmt.Errorf("the tenant %s is switched on: run keypeg tenant disable %s first", name, name)
		}
		all[at].Removing = true
		t = all[at]
		return all, nil
	})
	if err != nil {
		return err
	}
	if err := erase(ctx, t); err != nil {
		return fmt.Errorf("deleting the records of the tenant %s: %w; run keypeg tenant remove %s again", name, err, name)
	}
	return r.change(ctx, func(all []Tenant) ([]Tenant, error) {
		return slices.DeleteFunc(all, func(other Tenant) bool { return other.Name == name && other.Removing }), nil
	})
}
