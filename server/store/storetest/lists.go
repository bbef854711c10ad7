package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// list returns the names of all users whom a query selects, in pages of a limit.
func (f *fixture) list(query store.UserQuery, limit int) (names []string) {
	f.Helper()
	for {
		page, next, err := f.Users(f.Context(), query, limit)
		f.fails("a page", err, nil)
		for _, u := range page {
			names = append(names, u.Name)
		}
		if next == "" {
			return names
		}
		f.is("progress", next != query.After && len(page) <= limit, true)
		query.After = next
	}
}

func lists(b *suite) {
	b.claim("users come in pages by name", func(f *fixture) {
		var want []string
		for i := range 7 {
			name := fmt.Sprintf("user%d", i)
			want = append(want, name)
			f.apply(store.PutUser{User: store.User{ID: UserID(9 - i), Name: name}})
		}
		f.is("names", f.list(store.UserQuery{}, 3), want)
		f.is("names, in full pages", f.list(store.UserQuery{}, 7), want)
		none, _, err := f.Users(f.Context(), store.UserQuery{}, 0)
		f.is("a page of none", len(none), 0)
		f.fails("a page of none", err, nil)
		between, next, err := f.Users(f.Context(), store.UserQuery{After: "user3x"}, 1)
		f.fails("after a name that isn't there", err, nil)
		f.is("after a name that isn't there", between[0].Name+next, "user4user4")
		last, next, err := f.Users(f.Context(), store.UserQuery{After: "user4"}, 2)
		f.fails("the last page", err, nil)
		f.is("the last page", fmt.Sprint(len(last), next), "2")
	})
	b.claim("users are found by the beginning of any word, in pages, each once", func(f *fixture) {
		f.people()
		find := func(beginning string) []string {
			f.Helper()
			return f.list(store.UserQuery{Find: []string{beginning}}, 2)
		}
		f.is("an", find("an"), []string{"carl", "dora", "ann.miller"}) // by anders, ann and ann
		f.is("ann", find("ann"), []string{"dora", "ann.miller", "carl"})
		f.is("anne", find("anne"), []string{"carl"})
		f.is("m", find("m"), []string{"ann.miller", "bob"})
		f.is("mull", find("mull"), []string{"bob"})
		f.is("a domain", find("comp"), []string{"carl", "ann.miller"}) // by their other names
		f.is("other", find("other"), []string{"carl"})
		f.is("dora", find("dora"), []string{"dora"})
		f.is("within a word", find("iller"), []string(nil))
		f.is("a wildcard", find("1%"), []string(nil))
		f.is("a zero byte", find("a\x00"), []string(nil))
		f.is("no UTF-8", find("\xff"), []string(nil))
		f.is("a whole domain", find("corp.comp"), []string{"ann.miller"})
		f.is("what is at the end of many domains", find("example"), []string(nil))
		f.is("what an index has", find("users"), []string(nil))

		changed := f.user(UserID(1))
		changed.DisplayName, changed.Email = "Anna Smith", ""
		f.apply(store.PutUser{User: changed}, store.RemoveUser{ID: UserID(3)})
		f.is("an, later", find("an"), []string{"dora", "ann.miller"})
		f.is("miller, in the name still", find("miller"), []string{"ann.miller"})
		f.is("a domain, later", find("company"), []string(nil))
		changed = f.user(UserID(1))
		changed.Name = "anna"
		f.apply(store.PutUser{User: changed})
		f.is("miller, later", find("miller"), []string(nil))
		f.is("anna", find("anna"), []string{"anna"})
	})
	b.claim("users are found by several words, wherever these stand", func(f *fixture) {
		f.people()
		find := func(beginnings ...string) []string {
			f.Helper()
			one, two := f.list(store.UserQuery{Find: beginnings}, 1), f.list(store.UserQuery{Find: beginnings}, 9)
			f.is("in other pages", one, two)
			slices.Sort(one)
			return one
		}
		f.is("ann mil", find("ann", "mil"), []string{"ann.miller"})
		f.is("mil an", find("mil", "an"), []string{"ann.miller"})
		f.is("an company.example", find("an", "company.example"), []string{"ann.miller", "carl"})
		f.is("an anders anne", find("an", "anders", "anne"), []string{"carl"})
		f.is("ann bob", find("ann", "bob"), []string(nil))
		f.is("an an", find("an", "an"), []string{"ann.miller", "carl", "dora"})
	})
	b.claim("a search that looks at few entries has short pages, and finds all the same, each once", func(f *fixture) {
		var batch store.Batch
		var both, any []string
		for i := range 60 {
			u := store.User{ID: UserID(i), Name: fmt.Sprintf("u%02d", i), DisplayName: "Corp Company"}
			if i%20 == 0 {
				u.DisplayName += " Smith"
				both = append(both, u.Name)
			}
			if i%3 == 0 { // with more words than an entry has
				u.DisplayName += " " + strings.Repeat("x", 60) + " " + strings.Repeat("y", 60) + " Cosmos"
			}
			any = append(any, u.Name)
			batch = append(batch, store.PutUser{User: u})
		}
		f.apply(batch...)
		query := store.UserQuery{Find: []string{"co", "smi"}, Looks: 5}
		got := f.list(query, 2)
		slices.Sort(got)
		f.is("co smi", got, both)
		query.Find = []string{"co"} // after all by company, there are as many again by corp
		got = f.list(query, 50)
		slices.Sort(got)
		f.is("co", got, any)
		page, next, err := f.Users(f.Context(), query, 50)
		f.fails("a short page", err, nil)
		f.is("a short page", len(page) <= 5 && next != "", true)
	})
	b.claim("users of a category come in pages by name, and one query has one wish", func(f *fixture) {
		for i := range 7 {
			u := store.User{ID: UserID(9 - i), Name: fmt.Sprint("user", i), Groups: []string{"all"}}
			if i%2 == 1 {
				u.Role, u.Disabled, u.Groups = shared.RoleHelper, i == 3, []string{"all", "odd"}
			}
			f.apply(store.PutUser{User: u})
		}
		in := func(category string) []string {
			f.Helper()
			return f.list(store.UserQuery{In: category}, 2)
		}
		f.is("helpers", in(store.CountHelpers), []string{"user1", "user3", "user5"})
		f.is("disabled", in(store.CountDisabled), []string{"user3"})
		f.is("a group", in(store.CountGroup("odd")), []string{"user1", "user3", "user5"})
		f.is("a group that begins so", in(store.CountGroup("od")), []string(nil))
		f.is("nothing", in("word/user1"), []string(nil))
		counts, err := f.Counts(f.Context())
		f.fails("counts", err, nil)
		f.is("groups", counts.Groups(), map[string]int{"all": 7, "odd": 3})

		changed := f.user(UserID(8)) // user1
		changed.Role, changed.Groups = shared.RoleNone, nil
		f.apply(store.PutUser{User: changed}, store.RemoveUser{ID: UserID(6)}) // and user3
		f.is("helpers, later", in(store.CountHelpers), []string{"user5"})
		f.is("a group, later", in(store.CountGroup("odd")), []string{"user5"})
		_, _, err = f.Users(f.Context(), store.UserQuery{Find: []string{"a"}, In: store.CountDisabled}, 1)
		f.fails("two wishes", err, store.ErrInvalid)
	})
}

// people writes users whose names have the words of the claims above.
func (f *fixture) people() {
	for _, u := range []store.User{
		{ID: UserID(1), Name: "ann.miller", DisplayName: "Ann Miller", Email: "ann@corp.company.example"},
		{ID: UserID(2), Name: "bob", DisplayName: "Bob Müller-Lüdenscheid"},
		{ID: UserID(3), Name: "carl", DisplayName: "Carl Anders Annerson", Email: "carl@other.company.example"},
		{ID: UserID(4), Name: "dora", DisplayName: "\u00c5nn \uff24ora"}, // a ring, and a wide letter
		{ID: UserID(5), Name: "ed", DisplayName: "100%_ed"},
	} {
		f.apply(store.PutUser{User: u})
	}
}

// lookedFor is of how many users the words are looked for, spread over all: each search is compared with all users.
const lookedFor = 50

// listsRightly compares the lists of users by category and by word with a scan.
func listsRightly(ctx context.Context, s store.Store, users []store.User) error {
	queries := map[string]store.UserQuery{"": {}}
	each := max(1, len(users)/lookedFor)
	for at, u := range users {
		for _, category := range u.Counted() {
			if store.IsListed(category) {
				queries["in "+category] = store.UserQuery{In: category}
			}
		}
		if at%each != 0 {
			continue
		}
		words := u.Words()
		for i, word := range words {
			_, first := utf8.DecodeRuneInString(word)
			for _, find := range [][]string{{word}, {word[:first]}, {word[:first], words[len(words)-1-i]}} {
				queries[fmt.Sprint(find)] = store.UserQuery{Find: find}
			}
		}
	}
	for _, query := range queries {
		var got, want []string
		for _, u := range users {
			if query.Selects(u) {
				want = append(want, u.Name)
			}
		}
		for more := true; more; more = query.After != "" {
			page, next, err := s.Users(ctx, query, len(users)+1)
			if err != nil {
				return err
			}
			for _, u := range page {
				got = append(got, u.Name)
			}
			query.After = next
		}
		if len(query.Find) > 0 {
			slices.Sort(got)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("%+v lists %q, want %q", query, got, want)
		}
	}
	return nil
}
