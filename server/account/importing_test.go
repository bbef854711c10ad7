package account_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestInviteAll checks that people who are invited together differ, whoever calls.
func TestInviteAll(t *testing.T) {
	for what, row := range map[string]struct {
		people []shared.Invite
		code   shared.Code
	}{
		"a name twice":                     {[]shared.Invite{{Name: "bob"}, {Name: "Bob"}}, shared.CodeNameTaken},
		"an address twice":                 {[]shared.Invite{{Name: "bob", Email: "b@example.com"}, {Name: "carl", Email: "B@example.com"}}, shared.CodeEmailTaken},
		"an address twice in another form": {[]shared.Invite{{Name: "bob", Email: "b@example.com"}, {Name: "carl", Email: "mailto:b@example.com"}}, shared.CodeEmailTaken},
	} {
		accounts := account.New(account.Config{Store: memstore.New(time.Now), Now: time.Now})
		made, refusals, err := accounts.InviteAll(t.Context(), session.Actor{}, row.people)
		if err != nil || len(made) > 0 || len(refusals) != 2 || refusals[0] != nil || shared.CodeOf(refusals[1]) != row.code {
			t.Errorf("%s: made %d, refusals %v, %v", what, len(made), refusals, err)
		}
	}
}

// TestInvitedHelper invites helpers, who have groups to help from the beginning.
func TestInvitedHelper(t *testing.T) {
	accounts := account.New(account.Config{Store: memstore.New(time.Now), Now: time.Now})
	hal, _, err := accounts.Invite(t.Context(), session.Actor{}, shared.Invite{Name: "hal", Role: shared.RoleHelper, Helps: []string{"Sales", "it"}})
	if err != nil || hal.Role != shared.RoleHelper || !slices.Equal(hal.Helps, []string{"it", "sales"}) {
		t.Errorf("got %+v (%v)", hal, err)
	}
	for _, wrong := range []shared.Invite{{Name: "ida", Role: shared.RoleHelper}, {Name: "ida", Helps: []string{"sales"}}, {Name: "ida", Role: shared.RoleAuditor, Helps: []string{"sales"}}} {
		if _, _, err := accounts.Invite(t.Context(), session.Actor{}, wrong); shared.CodeOf(err) != shared.CodeInvalidRequest {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
