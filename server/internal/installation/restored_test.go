package installation

import (
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestDifferences compares a user who has everything that is compared with the same user without
// one of it, both ways round.
func TestDifferences(t *testing.T) {
	full := store.User{
		ID: storetest.UserID(1), Name: "ann", Handle: []byte("handle"), Role: shared.RoleAdministrator, Password: "hash", RecoveryCodes: []store.Hash{{1}, {2}},
		Email: "ann@example.com", Groups: []string{"it", "sales"}, HeldUntil: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC),
		Passkeys:   []store.Passkey{{ID: "p", CredentialID: []byte("c"), Name: "Laptop"}},
		Identities: []store.Identity{{ID: "i", Issuer: "https://idp.example", Subject: "s", Name: "ann@idp.example"}},
	}
	for name, c := range map[string]struct {
		change     func(*store.User) // takes away from full
		back, gone string            // the differences of full in the place of the other, and the other way round
	}{
		"the password":        {func(u *store.User) { u.Password = "" }, "ann: an earlier password works again", "ann: the password that was set since the backup doesn't work"},
		"another password":    {func(u *store.User) { u.Password = "other" }, "ann: an earlier password works again", "ann: the password that was set since the backup doesn't work"},
		"the passkey":         {func(u *store.User) { u.Passkeys = nil }, `ann: the passkey "Laptop" works again`, `ann: the passkey "Laptop" is missing`},
		"the identity":        {func(u *store.User) { u.Identities = nil }, "ann: signs in at https://idp.example as ann@idp.example again", "ann: doesn't sign in at https://idp.example as ann@idp.example"},
		"the recovery codes":  {func(u *store.User) { u.RecoveryCodes = nil }, "since the backup work again: 2", "made since the backup don't work: 2"},
		"one recovery code":   {func(u *store.User) { u.RecoveryCodes = u.RecoveryCodes[1:] }, "since the backup work again: 1", "made since the backup don't work: 1"},
		"being administrator": {func(u *store.User) { u.Role = shared.RoleNone }, "ann: is an administrator again", "ann: isn't an administrator, and was made one since the backup"},
		"another role":        {func(u *store.User) { u.Role = shared.RoleAuditor }, "ann: isn't an auditor, and was made one since the backup", "ann: is an auditor again"},
		"being no helper":     {func(u *store.User) { u.Role, u.Helps = shared.RoleHelper, []string{"sales"} }, `ann: may not help the users of the group "sales"`, `ann: may help the users of the group "sales" again`},
		"the group":           {func(u *store.User) { u.Groups = []string{"it"} }, `ann: is in the group "sales" again`, `ann: isn't in the group "sales", and was added to it since the backup`},
		"the e-mail address":  {func(u *store.User) { u.Email = "" }, "ann: has the e-mail address ann@example.com again", "ann: doesn't have the e-mail address ann@example.com"},
		"being held":          {func(u *store.User) { u.HeldUntil = time.Time{} }, "ann: gets no new way to sign in until 2026-11-30 08:00 UTC again", "ann: may get a new way to sign in, which was stopped since the backup until 2026-11-30 08:00 UTC"},
		"being let in":        {func(u *store.User) { u.Disabled = true }, "ann: is let in again", "ann: is disabled again"},
		"the name":            {func(u *store.User) { u.Name = "bob" }, `ann: signs in as "ann" again`, `bob: doesn't sign in as "ann"`},
		"being there":         {func(u *store.User) { u.ID, u.Name = storetest.UserID(2), "zoe" }, "ann is back", "ann is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			less := full
			c.change(&less)
			says := func(restored, previous store.User) []string {
				t.Helper()
				list, err := differences(t.Context(), databaseOf(t, restored), databaseOf(t, previous))
				if err != nil {
					t.Fatal(err)
				}
				return list
			}
			for want, lines := range map[string][]string{c.back: says(full, less), c.gone: says(less, full)} {
				if !strings.Contains(strings.Join(lines, "\n"), want) {
					t.Errorf("want %q, got %q", want, lines)
				}
			}
			if lines := says(less, less); len(lines) > 0 {
				t.Errorf("of two that are the same: %q", lines)
			}
		})
	}
}

// databaseOf is one with a user in it.
func databaseOf(t *testing.T, user store.User) store.Store {
	t.Helper()
	db := memstore.New(time.Now)
	if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		t.Fatal(err)
	}
	return db
}
