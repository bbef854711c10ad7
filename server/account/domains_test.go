package account_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// TestDomainsOfNodes checks two nodes that share a store, and get new settings one after the other.
func TestDomainsOfNodes(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	db := memstore.New(clock)
	starts := func(p policy.Policy) error {
		return account.New(account.Config{Store: db, Now: clock, Policy: p}).CheckPolicy(t.Context())
	}
	adds := func(name, rpID string) {
		t.Helper()
		user := store.User{ID: store.NewUserID(), Name: name, DisplayName: name, Password: "x", Passkeys: []store.Passkey{
			{ID: name, CredentialID: []byte(name), PublicKey: []byte("x"), RPID: rpID, Verified: true, Created: now},
		}}
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
	}
	isRefused := func(what string, p policy.Policy, wanted bool) {
		t.Helper()
		err := starts(p)
		if _, is := errors.AsType[*account.ForeignPasskeys](err); is != wanted || !is && err != nil {
			t.Errorf("%s: %v, want a refusal %t", what, err, wanted)
		}
	}
	before, moving, after := policy.Policy{RPID: "old.example"}, policy.Policy{RPID: "new.example", Former: []string{"old.example"}}, policy.Policy{RPID: "new.example"}

	isRefused("before the move", before, false)
	adds("ann", "old.example")
	isRefused("one node moves", moving, false)
	isRefused("the other one starts with the settings of before", before, false)
	adds("bob", "new.example") // at the first node
	isRefused("and once more", before, true)

	isRefused("without the former address, in silence", after, true)
	if err := account.New(account.Config{Store: db, Now: clock, Policy: moving}).EndDomain(t.Context(), "old.example"); err != nil {
		t.Fatal(err)
	}
	isRefused("after the end", after, false)
	isRefused("a node starts with the settings of the move", moving, false)
	isRefused("which takes the end not back", after, false)
	now = now.Add(25 * time.Hour)
	isRefused("IT has the former address again", moving, false)
	isRefused("and the end must be said again", after, true)
}

// scanned is a store that counts how often users are read.
type scanned struct {
	store.Store
	reads int
}

func (s *scanned) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	s.reads++
	return s.Store.Records(ctx, kind, after, limit)
}

// TestStartAfterAMove reads no users at a start whose settings were checked, also when a move has ended.
func TestStartAfterAMove(t *testing.T) {
	db := &scanned{Store: memstore.New(time.Now)}
	with := func(p policy.Policy) *account.Service {
		return account.New(account.Config{Store: db, Now: time.Now, Policy: p})
	}
	starts := func(p policy.Policy) (reads int) {
		t.Helper()
		db.reads = 0
		if err := with(p).CheckPolicy(t.Context()); err != nil {
			t.Fatal(err)
		}
		return db.reads
	}
	moving, after := policy.Policy{RPID: "new.example", Former: []string{"old.example"}}, policy.Policy{RPID: "new.example"}
	if first, second := starts(moving), starts(moving); first == 0 || second != 0 {
		t.Errorf("two starts read users %d and %d times", first, second)
	}
	if err := with(moving).EndDomain(t.Context(), "old.example"); err != nil {
		t.Fatal(err)
	}
	if first, second := starts(after), starts(after); first == 0 || second != 0 {
		t.Errorf("after the end two starts read users %d and %d times", first, second)
	}
}
