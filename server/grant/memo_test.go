package grant_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// TestFindAgain: what has just been found is found as it is now, whatever was written meanwhile.
func TestFindAgain(t *testing.T) {
	onEveryStore(t, func(o *office) {
		again := func(what string, want error, change func(session.Actor, grant.Grant)) {
			o.Helper()
			ann := o.signsIn(what)
			on, _ := o.exchanges(o.code(ann, lasting))
			reference, err := o.one.Reference(on.Grant)
			o.fails("a reference", err, nil)
			for range 3 {
				_, err = o.one.Find(o.Context(), reference)
				o.fails("finding it, before: "+what, err, nil)
			}
			change(ann, on.Grant)
			on, err = o.one.Find(o.Context(), reference)
			o.fails("finding it, after: "+what, err, want)
			if err == nil && on.User.DisplayName != "Ann Lee" {
				o.Errorf("after a change of the user: %+v", on.User)
			}
		}
		again("renamed", nil, func(ann session.Actor, _ grant.Grant) {
			ann.User.DisplayName = "Ann Lee"
			o.applies(store.PutUser{User: ann.User})
		})
		again("disabled", grant.ErrInvalid, func(ann session.Actor, _ grant.Grant) {
			ann.User.Disabled = true
			o.applies(store.PutUser{User: ann.User})
		})
		again("removed", grant.ErrInvalid, func(ann session.Actor, _ grant.Grant) { o.applies(store.RemoveUser{ID: ann.User.ID}) })
		again("signed out", grant.ErrInvalid, func(ann session.Actor, _ grant.Grant) { o.applies(store.EndSession{ID: ann.Session.ID}) })
		again("ended by its program", grant.ErrInvalid, func(_ session.Actor, g grant.Grant) {
			o.fails("ending it", o.two.Revoke(o.Context(), g), nil)
		})
		again("unused for long", grant.ErrInvalid, func(session.Actor, grant.Grant) { o.passes(25 * time.Hour) })
	})
}

// TestFindDuringTheEnd: nobody finds a grant that was asked for after its end was answered.
func TestFindDuringTheEnd(t *testing.T) {
	onEveryStore(t, func(o *office) {
		for range *rounds {
			ann := o.signsIn(store.NewUserID())
			on, _ := o.exchanges(o.code(ann, lasting))
			reference, err := o.one.Reference(on.Grant)
			o.fails("a reference", err, nil)
			var ended atomic.Bool
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for {
						after := ended.Load()
						_, err := o.one.Find(o.Context(), reference)
						switch {
						case after && err == nil:
							o.Error("it was found after its end")
							return
						case after:
							return
						}
					}
				})
			}
			o.applies(store.EndSession{ID: ann.Session.ID})
			ended.Store(true)
			all.Wait()
		}
	})
}

// reading counts the items that are read.
type reading struct {
	store.Store
	items atomic.Int64
}

func (r *reading) Unwrap() store.Store { return r.Store }

func (r *reading) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	r.items.Add(1)
	return r.Store.Item(ctx, owner, collection, key)
}

// TestFindReadsOnce: many requests of a page cost one look at the store.
func TestFindReadsOnce(t *testing.T) {
	o := &office{T: t, clock: time.Now(), told: make(chan grant.Ended, 1)}
	r := &reading{Store: memstore.New(o.now)}
	o.stores = [2]store.Store{r, r}
	o.sessions = session.New(session.Config{Store: r, Now: o.now})
	o.one, o.two = o.node(0), o.node(1)
	on, _ := o.exchanges(o.code(o.signsIn("ann"), lasting))
	reference, err := o.one.Reference(on.Grant)
	o.fails("a reference", err, nil)
	before := r.items.Load()
	for range 100 {
		_, err := o.one.Find(t.Context(), reference)
		o.fails("finding it", err, nil)
	}
	if n := r.items.Load() - before; n != 1 {
		t.Errorf("%d items were read for 100 requests", n)
	}
}
