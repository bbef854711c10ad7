package installation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A backup has the records of an earlier time. What was revoked since must not become valid
// again without notice: sessions and links of a backup are removed when it is restored, and
// IT reads about the rest.

// letsIn reports whether the record is a session or an enrolment link, with which whoever
// has the token gets in.
func letsIn(record store.Record) bool {
	switch op := record.Op.(type) {
	case store.AddSession:
		return true
	case store.PutItem:
		return account.IsLinkOfAPerson(op.Item)
	}
	return false
}

// withoutAccess is a source without the records for which letsIn is true.
type withoutAccess struct{ transfer.Source }

// Records implements [transfer.Source].
func (s withoutAccess) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	for {
		page, err := s.Source.Records(ctx, kind, after, limit)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		after = page[len(page)-1].Key
		if left := slices.DeleteFunc(page, letsIn); len(left) > 0 {
			return left, nil
		}
	}
}

// endAccess removes those records from a database that nobody uses, and in which
// [nothingExpires].
func endAccess(ctx context.Context, db store.Store) error {
	for _, kind := range []store.Kind{store.KindSession, store.KindItem} {
		for after := []byte(nil); ; {
			page, err := db.Records(ctx, kind, after, 500)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Key
			var batch store.Batch
			for _, record := range page {
				if !letsIn(record) {
					continue
				}
				switch op := record.Op.(type) {
				case store.AddSession:
					batch = append(batch, store.EndSession{ID: op.Session.ID})
				case store.PutItem:
					batch = append(batch, store.RemoveItem{
						Owner: op.Item.Owner, Collection: op.Item.Collection, Key: op.Item.Key, Version: store.AnyVersion,
					})
				}
			}
			if err := db.Apply(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// trait is one thing that decides how a user signs in, what they may do, or who may do something
// for them.
type trait struct {
	key  string // unique among the user's traits
	back string // what IT reads if only the backup has it
	gone string // what IT reads if only the previous database has it

	counted bool // one line counts all of them, because there may be many
}

// roleNouns are the roles as IT reads them.
var roleNouns = map[shared.Role]string{shared.RoleAdministrator: "an administrator", shared.RoleHelper: "a helper", shared.RoleAuditor: "an auditor"}

// traitsOf returns all traits of a user. [differences] compares nothing else.
func traitsOf(u store.User) []trait {
	traits := []trait{{key: "name/" + u.Name, back: fmt.Sprintf("signs in as %q again", u.Name), gone: fmt.Sprintf("doesn't sign in as %q, their name since the backup", u.Name)}}
	if u.Disabled {
		traits = append(traits, trait{key: "disabled", back: "is disabled again, and was enabled since the backup", gone: "is let in again, and was disabled since the backup"})
	}
	if noun := roleNouns[u.Role]; noun != "" {
		traits = append(traits, trait{key: "role/" + string(u.Role), back: "is " + noun + " again", gone: "isn't " + noun + ", and was made one since the backup"})
	}
	for _, group := range u.Helps {
		traits = append(traits, trait{
			key:  "helps/" + group,
			back: fmt.Sprintf("may help the users of the group %q again", group),
			gone: fmt.Sprintf("may not help the users of the group %q, and was allowed to since the backup", group),
		})
	}
	for _, group := range u.Groups {
		traits = append(traits, trait{
			key:  "group/" + group,
			back: fmt.Sprintf("is in the group %q again, and was taken out of it since the backup", group),
			gone: fmt.Sprintf("isn't in the group %q, and was added to it since the backup", group),
		})
	}
	if u.Email != "" {
		traits = append(traits, trait{
			key:  "email/" + u.Email,
			back: fmt.Sprintf("has the e-mail address %s again", u.Email),
			gone: fmt.Sprintf("doesn't have the e-mail address %s, their own since the backup", u.Email),
		})
	}
	if !u.HeldUntil.IsZero() {
		until := u.HeldUntil.UTC().Format("2006-01-02 15:04 UTC")
		traits = append(traits, trait{
			key:  "held/" + until,
			back: fmt.Sprintf("gets no new way to sign in until %s again", until),
			gone: fmt.Sprintf("may get a new way to sign in, which was stopped since the backup until %s", until),
		})
	}
	for _, p := range u.Passkeys {
		traits = append(traits, trait{
			key:  "passkey/" + string(p.CredentialID),
			back: fmt.Sprintf("the passkey %q works again, and was removed since the backup", p.Name),
			gone: fmt.Sprintf("the passkey %q is missing, and was added since the backup", p.Name),
		})
	}
	for _, i := range u.Identities {
		at := fmt.Sprintf("at %s as %s", i.Issuer, cmp.Or(i.Name, i.Subject))
		traits = append(traits, trait{
			key:  "identity/" + i.Issuer + "\x00" + i.Subject,
			back: "signs in " + at + " again, which was unlinked since the backup",
			gone: "doesn't sign in " + at + ", which was linked since the backup",
		})
	}
	if u.Password != "" {
		traits = append(traits, trait{key: "password/" + u.Password, back: "an earlier password works again", gone: "the password that was set since the backup doesn't work"})
	}
	for _, code := range u.RecoveryCodes {
		traits = append(traits, trait{
			key: "code/" + string(code[:]), counted: true,
			back: "recovery codes that were used or replaced since the backup work again",
			gone: "recovery codes that were made since the backup don't work",
		})
	}
	return traits
}

// differences returns lines for IT about each user who has other traits than before. There are
// none only if all users have the same.
func differences(ctx context.Context, restored, previous store.Store) (lines []string, err error) {
	for now, err := range store.EachUser(ctx, restored, store.UserQuery{}) {
		if err != nil {
			return nil, err
		}
		before, err := previous.User(ctx, now.ID)
		if errors.Is(err, store.ErrNotFound) {
			lines = append(lines, fmt.Sprintf("%s is back, and was removed since the backup", now.Name))
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, what := range changes(traitsOf(now), traitsOf(before)) {
			lines = append(lines, now.Name+": "+what)
		}
	}
	for before, err := range store.EachUser(ctx, previous, store.UserQuery{}) {
		if err != nil {
			return nil, err
		}
		_, err := restored.User(ctx, before.ID)
		if errors.Is(err, store.ErrNotFound) {
			lines = append(lines, fmt.Sprintf("%s is missing, and was added since the backup", before.Name))
		} else if err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// changes returns lines about what only one of the two has.
func changes(now, before []trait) []string {
	back := linesOf(onlyIn(now, before), func(one trait) string { return one.back })
	gone := linesOf(onlyIn(before, now), func(one trait) string { return one.gone })
	return append(back, gone...)
}

// linesOf returns the lines about traits.
func linesOf(traits []trait, says func(trait) string) (lines []string) {
	counted, what := 0, ""
	for _, one := range traits {
		if one.counted {
			counted, what = counted+1, says(one)
		} else {
			lines = append(lines, says(one))
		}
	}
	if counted > 0 {
		lines = append(lines, fmt.Sprintf("%s: %d", what, counted))
	}
	return lines
}

// onlyIn returns the traits that the others don't have.
func onlyIn(traits, others []trait) (left []trait) {
	for _, one := range traits {
		if !slices.ContainsFunc(others, func(other trait) bool { return other.key == one.key }) {
			left = append(left, one)
		}
	}
	return left
}
