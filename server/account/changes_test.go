package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestChanges reads what was changed in the activity of the user, and only there.
func TestChanges(t *testing.T) {
	s := memstore.New(time.Now)
	accounts := account.New(account.Config{Store: s, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	if _, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "root", DisplayName: "Root", Password: "correct horse battery", Role: shared.RoleAdministrator}); err != nil {
		t.Fatal(err)
	}
	root := it(t, accounts, "root").User
	ann, _, err := accounts.Invite(t.Context(), session.Actor{By: root}, shared.Invite{Name: "ann", DisplayName: "Ann", Groups: []string{"it", "sales"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, wish := range []shared.ChangeMember{
		{Role: new(shared.RoleAuditor)},
		{Role: new(shared.RoleHelper), Helps: &[]string{"it", "sales"}},
		{Helps: &[]string{"it", "lab"}},
		{Role: new(shared.RoleNone)},
		{RemoveGroups: &[]string{"it"}, AddGroups: &[]string{"group:it"}},
		{Email: new("ann@example.com")},
		{Email: new("ann@example.org")},
		{Name: new("ann.miller"), DisplayName: new("Ann Miller")},
		{Email: new("")},
		{Groups: &[]string{"group:it", "sales"}}, // as it is
	} {
		if ann, err = accounts.Change(t.Context(), session.Actor{User: ann, By: root}, wish, false); err != nil {
			t.Fatalf("%+v: %v", wish, err)
		}
	}
	changes := func(id string) (lines []string) {
		events, err := s.Events(t.Context(), id, store.EventID{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range slices.Backward(events) {
			lines = append(lines, string(v.Kind)+" "+v.Change)
		}
		return lines
	}
	want := []string{
		"account_created +group:it +group:sales",
		"role_changed +role:auditor",
		"role_changed -role:auditor +role:helper +helps:it +helps:sales",
		"role_changed -helps:sales +helps:lab",
		"role_changed -role:helper -helps:it -helps:lab",
		"groups_changed -group:it +group:group:it",
		"email_changed +email:ann@example.com",
		"email_changed -email:ann@example.com +email:ann@example.org",
		"account_renamed -name:ann +name:ann.miller",
		"profile_changed ",
		"email_changed -email:ann@example.org",
	}
	if got := changes(ann.ID); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := changes(root.ID); got[0] != "account_created +role:administrator" || slices.ContainsFunc(got[1:], func(line string) bool { return line[len(line)-1] != ' ' }) {
		t.Errorf("the administrator's own: %q", got)
	}
}
