package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestExport exports more users than a page has, some of them with names that a spreadsheet would
// calculate. A helper gets those of their groups.
func TestExport(t *testing.T) {
	s := newSite(t)
	const more = 120
	for i := range more {
		user := store.User{
			ID: store.NewUserID(), Name: fmt.Sprintf("user%03d", i), DisplayName: "=HYPERLINK(\"https://evil.example\";\"ok\")", Email: fmt.Sprintf("-%d@example.com", i),
			Handle: []byte(fmt.Sprint(i)), Groups: []string{"it"},
		}
		if i%2 == 0 {
			user.Groups = append(user.Groups, "sales")
		}
		if err := s.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
	}
	exports := func(as, query string) (names []string) {
		t.Helper()
		w := s.sends(as, "GET", shared.PathUsersExport+query, "")
		if kind := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(kind, "text/csv") {
			t.Fatalf("%s: got %d of type %q: %s", as, w.Code, kind, w.Body)
		}
		for _, sign := range []string{",=", ",\"=", ",-", ",\"-", "\n="} {
			if strings.Contains(w.Body.String(), sign) {
				t.Errorf("a cell begins with %q", sign)
			}
		}
		rows, err := csvfile.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := rows.Next(); err == nil; row, err = rows.Next() {
			names = append(names, row.Cell("name"))
			if strings.HasPrefix(row.Cell("name"), "user") && !strings.HasPrefix(row.Cell("display_name"), "=HYPERLINK") {
				t.Errorf("an import would read the name %q", row.Cell("display_name"))
			}
		}
		return names
	}

	everybody := exports("aud", "")
	if len(everybody) != more+len(s.users) || !slices.IsSorted(everybody) {
		t.Errorf("%d users, want %d: %v", len(everybody), more+len(s.users), everybody)
	}
	if found := exports("root", "?find=user01"); len(found) != 10 {
		t.Errorf("found: %v", found)
	}
	if helped := exports("hal", ""); len(helped) != more/2+2 || slices.Contains(helped, "user001") || slices.Contains(helped, "root") {
		t.Errorf("%d users for the helper: %v", len(helped), helped)
	}
}
