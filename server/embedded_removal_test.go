package server_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// unwilling is a store that writes no items of one collection.
type unwilling struct {
	store.Store
	collection string
}

// Apply implements [store.Store].
func (u *unwilling) Apply(ctx context.Context, batch store.Batch) error {
	if slices.ContainsFunc(batch, func(op store.Op) bool {
		put, is := op.(store.PutItem)
		return is && put.Item.Collection == u.collection
	}) {
		return errors.New("it can't be written now")
	}
	return u.Store.Apply(ctx, batch)
}

// onEveryUnwillingStore has a program that takes hooks, Ann, and somebody whose session began with her passkey.
func onEveryUnwillingStore(t *testing.T, test func(p *toolshop, in *unwilling, ann, thief *visitor, passkey string)) {
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			in := &unwilling{}
			p := newToolshop(t, func(t *testing.T, now store.Clock) store.Store {
				in.Store = open(t, now)
				return in
			})
			p.settings.Hooks = "http://127.0.0.1:1/hooks"
			p.restarts(func(*server.Config) {})
			ann, thief := p.customer("ann"), p.visitor()
			passkey := ann.registers("Laptop").ID
			claims := p.claims("ann")
			claims["sid"], claims["passkey"] = "stolen", passkey
			if a := thief.brings(p.introduces(claims)); a.status != 204 {
				t.Fatal(a)
			}
			test(p, in, ann, thief, passkey)
		})
	}
}

// endsQueued returns of which passkeys the program is told to end the sessions.
func (p *toolshop) endsQueued() (n int) {
	p.Helper()
	waiting, err := embed.ListHooks(p.Context(), p.store, 100)
	if err != nil {
		p.Fatal(err)
	}
	for _, hook := range waiting {
		if hook.Type == "sessions.end" {
			n++
		}
	}
	return n
}

// TestEmbeddedRemovesNothing: of a passkey that a user never had, the program is told nothing, and nothing is stored.
func TestEmbeddedRemovesNothing(t *testing.T) {
	onEveryUnwillingStore(t, func(p *toolshop, _ *unwilling, ann, _ *visitor, _ string) {
		his := p.customer("bob").registers("his").ID
		for _, id := range []string{his, "x", "%00", "0123456789abcdef01234567", strings.Repeat("x", 20_000)} {
			p.changesNothing(func() {
				ann.refused(ann.sends("DELETE", shared.PathPasskey+id+"?"+shared.QueryEndSessions, nil), 404, shared.CodeNotFound)
			})
		}
	})
}

// TestEmbeddedRemovesAgain: where the sessions of a removed passkey couldn't be ended, they end when its user, or the
// program, removes it again.
func TestEmbeddedRemovesAgain(t *testing.T) {
	t.Run("the user", func(t *testing.T) {
		onEveryUnwillingStore(t, func(p *toolshop, in *unwilling, ann, thief *visitor, passkey string) {
			remove := func() answer {
				return ann.sends("DELETE", shared.PathPasskey+passkey+"?"+shared.QueryEndSessions, nil)
			}
			in.collection = "introduction-end"
			ann.refused(remove(), 500, shared.CodeInternal)
			into[shared.Account](thief, thief.sends("GET", shared.PathAccount, nil), 200)
			in.collection = ""
			ann.refused(remove(), 404, shared.CodeNotFound)
			thief.refused(thief.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
			if n := p.endsQueued(); n != 1 && n != 2 {
				t.Errorf("the program is told %d times", n)
			}
			p.changesNothing(func() { ann.refused(remove(), 404, shared.CodeNotFound) }) // nothing is left to end
		})
	})
	t.Run("the program", func(t *testing.T) {
		onEveryUnwillingStore(t, func(p *toolshop, in *unwilling, ann, thief *visitor, passkey string) {
			remove := func() answer { return p.asks("DELETE", shared.PathHostUser+"ann/passkeys/"+passkey, nil) }
			in.collection = "introduction-end"
			ann.refused(remove(), 500, shared.CodeInternal)
			in.collection = ""
			if a := remove(); a.status != 204 {
				t.Errorf("again: %s", a)
			}
			thief.refused(thief.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
			if n := len(ann.lists().Passkeys); n != 0 {
				t.Errorf("she has %d passkeys", n)
			}
			p.changesNothing(func() { ann.refused(remove(), 404, shared.CodeNotFound) })
		})
	})
}
