package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store"
)

// A tenant moves to another host in three steps: [Registry.Move] makes the new address the main one, people sign
// in there and make new passkeys, and [Registry.RemoveDomain] ends the former one. A move is given up by a move back.

// Move makes another address the tenant's main one. The present one becomes a former address. RPID is the new
// relying party id; "" is for the one that [server.ParseMove] chooses.
func (r *Registry) Move(ctx context.Context, name, publicURL, rpID string) (Tenant, error) {
	return r.changeAddresses(ctx, name, func(t *Tenant) error {
		main, err := t.Address()
		if err != nil {
			return err
		}
		related, err := t.Related()
		if err != nil {
			return err
		}
		address, err := server.ParseMove(publicURL, rpID, main, related)
		if err != nil {
			return err
		}
		if address.Host == main.Host {
			return fmt.Errorf("%s is the address of the tenant %s already", main.Origin, name)
		}
		t.PublicURL, t.RPID = address.Origin, address.RPID
		t.movedTo(main, address)
		t.without(func(other server.Related) bool { return other.Address == address })
		t.Former = join(server.Related{Address: main}.String(), t.Former)
		return nil
	})
}

// AddAddress adds a further address for ever.
func (r *Registry) AddAddress(ctx context.Context, name, written string) (Tenant, error) {
	return r.changeAddresses(ctx, name, func(t *Tenant) error {
		main, err := t.Address()
		if err != nil {
			return err
		}
		other, err := server.ParseRelated(written, main, false)
		if err != nil {
			return err
		}
		t.Others = join(t.Others, other.String())
		return nil
	})
}

// RemoveDomain takes the further addresses with a relying party id from the tenant. The caller has made sure that nobody needs
// them.
func (r *Registry) RemoveDomain(ctx context.Context, name, rpID string) (Tenant, error) {
	return r.changeAddresses(ctx, name, func(t *Tenant) error {
		t.without(func(other server.Related) bool { return other.RPID == rpID })
		return nil
	})
}

// RemoveAddress takes a further address from the tenant whose passkeys are for a relying party id that another one has
// too. It refuses the main address, and the last one of a relying party id.
func (r *Registry) RemoveAddress(ctx context.Context, name, publicURL string) (Tenant, error) {
	return r.changeAddresses(ctx, name, func(t *Tenant) error {
		all, err := t.addresses()
		if err != nil {
			return err
		}
		gone, err := server.ParseAddress(publicURL, "", true)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(one server.Address) bool { return one.Host == gone.Host })
		switch {
		case at < 0:
			return fmt.Errorf("the tenant %s isn't at %s", name, gone.Origin)
		case at == 0:
			return fmt.Errorf("%s is the main address of the tenant %s: make another one the main one first, with keypeg domain move", gone.Origin, name)
		case !slices.ContainsFunc(all, func(one server.Address) bool { return one.RPID == all[at].RPID && one.Host != gone.Host }):
			return fmt.Errorf("%s is the only address of the passkeys for %s: end them with keypeg domain end %s", gone.Origin, all[at].RPID, all[at].RPID)
		}
		t.without(func(other server.Related) bool { return other.Host == gone.Host })
		return nil
	})
}

// without takes further addresses from the tenant.
func (t *Tenant) without(which func(server.Related) bool) {
	related, _ := t.Related()
	t.Former, t.Others = "", ""
	for _, other := range related {
		switch {
		case which(other):
		case other.Former:
			t.Former = join(t.Former, other.String())
		default:
			t.Others = join(t.Others, other.String())
		}
	}
}

func join(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(one string) bool { return one == "" }), ",")
}

// changeAddresses changes a tenant, and refuses what [Registry.Add] refuses.
func (r *Registry) changeAddresses(ctx context.Context, name string, do func(*Tenant) error) (changed Tenant, err error) {
	err = r.change(ctx, func() (store.Batch, error) {
		list, all, err := r.listed(ctx)
		if err != nil {
			return nil, err
		}
		entry, err := r.entry(ctx, name)
		if err != nil {
			return nil, err
		}
		if entry.Value.Removing {
			return nil, fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
		}
		if err := do(&entry.Value); err != nil {
			return nil, err
		}
		changed = entry.Value
		if _, err := changed.Related(); err != nil {
			return nil, err
		}
		if err := changed.keepsApartFromAll(all); err != nil {
			return nil, err
		}
		return store.Batch{lists.Put(list), tenants.Put(entry)}, nil
	})
	return changed, err
}
