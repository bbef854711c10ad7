package account_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// counted is a store that counts the users that a list loads.
type counted struct {
	store.Store
	users int
}

func (c *counted) Users(ctx context.Context, q store.UserQuery, limit int) ([]store.User, string, error) {
	users, next, err := c.Store.Users(ctx, q, limit)
	c.users += len(users)
	return users, next, err
}

// TestList walks through lists with several conditions of 6,000 users. No request looks at all of
// them, and all pages together have each user once.
func TestList(t *testing.T) {
	file, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var batch store.Batch
	const all = 6000
	for i := range all {
		u := store.User{ID: storetest.UserID(i), Name: fmt.Sprintf("user%04d", i), DisplayName: []string{"Ann", "Bob", "Carl"}[i%3] + " Miller", Groups: []string{"all"}}
		if i%1000 == 0 {
			u.Disabled, u.Groups = true, append(u.Groups, "night")
		}
		if i%1500 == 1 {
			u.Groups = []string{"day"}
		}
		if i >= 3000 && i < 3050 {
			u.Groups = append(u.Groups, "page") // as many as a page has
		}
		batch = append(batch, store.PutUser{User: u})
	}
	if err := file.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	c := &counted{Store: file}
	accounts := account.New(account.Config{Store: c, Now: time.Now})

	for what, row := range map[string]struct {
		query account.ListQuery
		want  func(i int) bool
		most  int // users that one page loads
	}{
		"all":                          {account.ListQuery{}, func(int) bool { return true }, 50},
		"by a word":                    {account.ListQuery{Find: "mil"}, func(int) bool { return true }, 50},
		"by two words":                 {account.ListQuery{Find: "miller user12"}, func(i int) bool { return i/100 == 12 }, 50},
		"by two words in any order":    {account.ListQuery{Find: "user12 Mil"}, func(i int) bool { return i/100 == 12 }, 50},
		"by words that few have":       {account.ListQuery{Find: "bob user1"}, func(i int) bool { return i%3 == 1 && i/1000 == 1 }, 50},
		"by words that nobody has":     {account.ListQuery{Find: "bob carl"}, func(int) bool { return false }, 50},
		"by a filter":                  {account.ListQuery{In: shared.MembersDisabled}, func(i int) bool { return i%1000 == 0 }, 50},
		"by a group as people type it": {account.ListQuery{In: shared.MembersOfGroup + " Night"}, func(i int) bool { return i%1000 == 0 }, 50},
		"by a word and a filter":       {account.ListQuery{Find: "mil", In: shared.MembersDisabled}, func(i int) bool { return i%1000 == 0 }, 2050},
		"of a helper's group":          {account.ListQuery{Only: []string{"night"}}, func(i int) bool { return i%1000 == 0 }, 50},
		"of a helper's groups":         {account.ListQuery{Only: []string{"night", "day"}}, func(i int) bool { return i%1000 == 0 || i%1500 == 1 }, 100},
		"of a helper's groups, all":    {account.ListQuery{Only: []string{"all", "day", "night"}}, func(int) bool { return true }, 150},
		"of a helper, with a filter":   {account.ListQuery{Only: []string{"day", "night"}, In: shared.MembersDisabled}, func(i int) bool { return i%1000 == 0 }, 100},
		"of a page of users, few":      {account.ListQuery{Only: []string{"page"}, In: shared.MembersDisabled}, func(i int) bool { return i == 3000 }, 50},
		"of a helper's group, by word": {account.ListQuery{Only: []string{"night"}, Find: "bob"}, func(i int) bool { return i%3000 == 1000 }, 2050},
		"of a helper without a group":  {account.ListQuery{Only: []string{}}, func(int) bool { return false }, 0},
	} {
		var got, want []string
		for more := true; more; more = row.query.After != "" {
			c.users = 0
			page, next, err := accounts.List(t.Context(), row.query)
			if err != nil || len(page) > 50 || c.users > row.most {
				t.Fatalf("%s: a page of %d users loads %d, want at most %d (%v)", what, len(page), c.users, row.most, err)
			}
			for _, u := range page {
				got = append(got, u.Name)
			}
			row.query.After = next
		}
		for i := range all {
			if row.want(i) {
				want = append(want, fmt.Sprintf("user%04d", i))
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: got %d users, want %d", what, len(got), len(want))
		}
	}
}

// TestFilters lists with each filter, and refuses what is none.
func TestFilters(t *testing.T) {
	accounts := account.New(account.Config{Store: memstore.New(time.Now), Now: time.Now})
	for _, in := range append(slices.Clone(account.Filters), shared.MembersOfGroup+"it") {
		if _, _, err := accounts.List(t.Context(), account.ListQuery{In: in}); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, in := range []string{"kings", "Disabled", "group", shared.MembersOfGroup, shared.MembersOfGroup + "back office"} {
		if _, _, err := accounts.List(t.Context(), account.ListQuery{In: in}); shared.CodeOf(err) != shared.CodeInvalidRequest {
			t.Errorf("%s: %v", in, err)
		}
	}
}
