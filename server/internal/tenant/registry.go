package tenant

import (
	"cmp"
	"context"
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

// NewRegistry returns the Registry of an installation, which keeps the tenants in its own store.
func NewRegistry(s store.Store, now store.Clock) *Registry { return &Registry{s, now} }

var (
	// tenants has the tenants by their names.
	tenants = store.Collection[Tenant]{Name: "tenant"}
	// lists has one entry, with the key "", in the store of a cloud installation. Each addition
	// writes it. So of two additions at the same time, one starts again and sees the other.
	lists = store.Collection[struct{}]{Name: "tenant-list"}
)

var errUnknown = errors.New("there is no such tenant")

// Exists reports whether the store has a list of tenants, even an empty one. Only the store of
// a cloud installation has it.
func (r *Registry) Exists(ctx context.Context) (bool, error) { return lists.Has(ctx, r.store, "", "") }

// Begin stores an empty list if there is none.
func (r *Registry) Begin(ctx context.Context) error {
	err := r.store.Apply(ctx, store.Batch{lists.Put(store.Entry[struct{}]{})})
	if lists.Changed(err) {
		return nil // there is one
	}
	return err
}

// page is how many tenants are read at once.
const page = 1000

// List returns all tenants by name.
func (r *Registry) List(ctx context.Context) (all []Tenant, err error) {
	for after := ""; ; {
		entries, err := tenants.List(ctx, r.store, "", after, page)
		if err != nil {
			return nil, fmt.Errorf("reading the list of tenants: %w", err)
		}
		for _, entry := range entries {
			all = append(all, entry.Value)
		}
		if len(entries) < page {
			return all, nil
		}
		after = entries[page-1].Key
	}
}

// Tenant returns one by its name.
func (r *Registry) Tenant(ctx context.Context, name string) (Tenant, error) {
	entry, err := r.entry(ctx, name)
	return entry.Value, err
}

func (r *Registry) entry(ctx context.Context, name string) (store.Entry[Tenant], error) {
	if CheckName(name) != nil {
		return store.Entry[Tenant]{}, unknown(name)
	}
	entry, err := tenants.Get(ctx, r.store, "", name)
	if errors.Is(err, store.ErrNotFound) {
		return entry, unknown(name)
	}
	if err != nil {
		return entry, fmt.Errorf("reading a tenant: %w", err)
	}
	return entry, nil
}

// Usable returns a tenant for a command. It refuses a tenant that is being removed.
func (r *Registry) Usable(ctx context.Context, name string) (Tenant, error) {
	t, err := r.Tenant(ctx, name)
	if err == nil && t.Removing {
		err = fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
	}
	return t, err
}

// Find returns the tenant of this name in a list.
func Find(all []Tenant, name string) (Tenant, error) {
	at, found := slices.BinarySearchFunc(all, name, func(t Tenant, name string) int { return cmp.Compare(t.Name, name) })
	if !found {
		return Tenant{}, unknown(name)
	}
	return all[at], nil
}

func unknown(name string) error {
	return fmt.Errorf("%w as %q: keypeg tenant list shows all", errUnknown, name)
}

// change applies the batch that do returns. It calls do again if another process has changed
// meanwhile what do has read.
func (r *Registry) change(ctx context.Context, do func() (store.Batch, error)) error {
	for attempt := 1; ; attempt++ {
		batch, err := do()
		if err != nil {
			return err
		}
		err = r.store.Apply(ctx, batch)
		lost := tenants.Changed(err) || lists.Changed(err)
		if !lost || attempt == store.Attempts {
			return err
		}
	}
}

// changeTenant is [Registry.change] for one tenant.
func (r *Registry) changeTenant(ctx context.Context, name string, do func(*Tenant) error) error {
	return r.change(ctx, func() (store.Batch, error) {
		entry, err := r.entry(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := do(&entry.Value); err != nil {
			return nil, err
		}
		return store.Batch{tenants.Put(entry)}, nil
	})
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

	if err := t.checkProgram(address); err != nil {
		return Tenant{}, err
	}

	err = r.change(ctx, func() (store.Batch, error) { return r.addition(ctx, t) })
	return t, err
}

// addition returns the operations that add a tenant, or refuses it.
func (r *Registry) addition(ctx context.Context, t Tenant) (store.Batch, error) {
	list, all, err := r.listed(ctx)
	if err != nil {
		return nil, err
	}
	switch other, err := Find(all, t.Name); {
	case err == nil && other.Removing:
		return nil, fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again, and then add it", t.Name, t.Name)
	case err == nil:
		return nil, fmt.Errorf("there is a tenant %s already, at %s: choose another name", t.Name, other.PublicURL)
	}
	if err := t.keepsApartFromAll(all); err != nil {
		return nil, err
	}
	return store.Batch{lists.Put(list), tenants.Put(store.Entry[Tenant]{Key: t.Name, Value: t})}, nil
}

// listed returns all tenants, and the entry to write with a change of addresses: so of two changes at the same time, one
// starts again and sees the other.
func (r *Registry) listed(ctx context.Context) (list store.Entry[struct{}], all []Tenant, err error) {
	list, err = lists.Get(ctx, r.store, "", "") // before the tenants, so that none is missed
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return list, nil, fmt.Errorf("reading the list of tenants: %w", err)
	}
	all, err = r.List(ctx)
	return list, all, err
}

// keepsApartFromAll is [Tenant.keepsApartFrom] for all tenants but itself.
func (t Tenant) keepsApartFromAll(all []Tenant) error {
	for _, other := range all {
		if other.Name == t.Name {
			continue
		}
		if err := t.keepsApartFrom(other); err != nil {
			return err
		}
	}
	return nil
}

// keepsApartFrom refuses two tenants if a browser would offer the passkeys of one of them at
// the host of the other.
func (t Tenant) keepsApartFrom(other Tenant) error {
	mine, err := t.addresses()
	if err != nil {
		return err
	}
	theirs, err := other.addresses()
	if err != nil {
		return nil // nobody can reach it, see [Router.Refresh]
	}
	for _, my := range mine {
		for _, their := range theirs {
			if err := keepApart(my, their, other.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// addresses returns all addresses of the tenant.
func (t Tenant) addresses() ([]server.Address, error) {
	main, err := t.Address()
	if err != nil {
		return nil, err
	}
	related, err := t.Related()
	all := []server.Address{main}
	for _, other := range related {
		all = append(all, other.Address)
	}
	return all, err
}

func keepApart(mine, theirs server.Address, other string) error {
	switch myHost, theirHost := server.HostName(mine.Host), server.HostName(theirs.Host); {
	case myHost == theirHost:
		return fmt.Errorf("the host %s belongs to the tenant %s already: give this one a host name of its own", myHost, other)
	case isWithin(theirHost, mine.RPID):
		return fmt.Errorf("passkeys with the RP ID %s would be offered at %s too, which belongs to the tenant %s: choose a host, or an RP ID, that doesn't contain it", mine.RPID, theirHost, other)
	case isWithin(myHost, theirs.RPID):
		return fmt.Errorf("passkeys of the tenant %s, whose RP ID is %s, would be offered at %s too: choose a host outside of %s", other, theirs.RPID, myHost, theirs.RPID)
	}
	return nil
}

// SetSuspended suspends a tenant, or makes it active again.
func (r *Registry) SetSuspended(ctx context.Context, name string, suspended bool) error {
	return r.changeTenant(ctx, name, func(t *Tenant) error {
		switch {
		case t.Removing:
			return fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
		case !suspended:
			t.Suspended = time.Time{}
		case t.IsActive():
			t.Suspended = r.now().UTC()
		}
		return nil
	})
}

// Remove removes a suspended tenant, in three steps: it marks the tenant in the list as
// being removed, calls erase to delete the records, and deletes the tenant from the list.
// After an interruption at any point IT calls it again, so erase may run more than once.
// Until then nobody gets the name.
func (r *Registry) Remove(ctx context.Context, name string, erase func(context.Context, Tenant) error) error {
	var removed Tenant
	err := r.changeTenant(ctx, name, func(t *Tenant) error {
		if t.IsActive() {
			return fmt.Errorf("the tenant %s is switched on: run keypeg tenant disable %s first", name, name)
		}
		t.Removing = true
		removed = *t
		return nil
	})
	if err != nil {
		return err
	}
	if err := erase(ctx, removed); err != nil {
		return fmt.Errorf("deleting the records of the tenant %s: %w; run keypeg tenant remove %s again", name, err, name)
	}
	return r.change(ctx, func() (store.Batch, error) {
		entry, err := r.entry(ctx, name)
		if errors.Is(err, errUnknown) || (err == nil && !entry.Value.Removing) {
			return nil, nil // another process has removed it, and perhaps somebody has added it again
		}
		if err != nil {
			return nil, err
		}
		return store.Batch{tenants.Remove(entry)}, nil
	})
}
