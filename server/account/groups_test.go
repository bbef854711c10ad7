package account_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestGroups adds a user to many groups at the same time. None gets lost, and one more than a user can
// be in is refused.
func TestGroups(t *testing.T) {
	accounts := account.New(account.Config{Store: memstore.New(time.Now), Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	if _, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	ann := it(t, accounts, "ann")
	add := func(group string) (store.User, error) {
		return accounts.Change(t.Context(), ann, shared.ChangeMember{AddGroups: &[]string{group}}, false)
	}
	const most = 20
	var all []string
	for i := range most {
		all = append(all, fmt.Sprintf("group%02d", i))
	}
	var racing sync.WaitGroup
	for _, group := range all {
		racing.Go(func() {
			for {
				_, err := add(group)
				if shared.CodeOf(err) == shared.CodeConflict {
					continue // the others were faster, again and again
				}
				if err != nil {
					t.Errorf("adding to %s: %v", group, err)
				}
				return
			}
		})
	}
	racing.Wait()
	if groups := it(t, accounts, "ann").User.Groups; !slices.Equal(groups, all) {
		t.Errorf("the groups are %v, want %v", groups, all)
	}
	if _, err := add("one-more"); shared.CodeOf(err) != shared.CodeConflict {
		t.Errorf("one group too many: %v", err)
	}
	changed, err := accounts.Change(t.Context(), ann, shared.ChangeMember{AddGroups: &[]string{"one-more"}, RemoveGroups: &[]string{"group00", "nowhere"}}, false)
	if want := append(all[1:], "one-more"); err != nil || !slices.Equal(changed.Groups, want) {
		t.Errorf("one for another: %v (%v), want %v", changed.Groups, err, want)
	}
}
