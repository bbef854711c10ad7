package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/transfer"
)

// A backup holds what was so when it was made. What has been taken back since must not
// come into force again unnoticed: sessions and links of a backup end with its restoring,
// and of the rest IT is told.

// letsIn reports whether a record lets whoever holds its token in: a session, or a link to
// a new way to sign in.
func letsIn(record store.Record) bool {
	switch op := record.Op.(type) {
	case store.AddSession:
		return true
	case store.PutLink:
		return account.IsLinkOfAPerson(op.Link.Key)
	}
	return false
}

// withoutAccess is a source without the records that let somebody in.
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

// endAccess removes those records from a database that nobody uses.
func endAccess(ctx context.Context, db store.Store) error {
	for _, kind := range []store.Kind{store.KindSession, store.KindLink} {
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
				switch op := record.Op.(type) {
				case store.AddSession:
					batch = append(batch, store.EndSession{ID: op.Session.ID})
				case store.PutLink:
					if letsIn(record) {
						batch = append(batch, store.TakeLink{Key: op.Link.Key, Hash: op.Link.Hash})
					}
				}
			}
			if err := db.Apply(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostDifferences is how many lines IT reads.
const mostDifferences = 200

// tellRestored says what a restored database means. Previous is the one in whose place it
// comes, or nil where IT didn't name it.
func tellRestored(ctx context.Context, out io.Writer, s *settings, restored, previous store.Store) error {
	behind := ""
	if s.tenant != "" {
		behind = " --tenant " + s.tenant
	}
	tellSignalsHeld(out, behind)
	fmt.Fprintln(out, "Everybody has to sign in again: sessions, invitations and other links of the backup have ended.")
	if previous == nil {
		fmt.Fprintln(out, "What happened after the backup is undone. Passkeys, passwords and recovery codes that were taken away since work again, people who were disabled since are let in, and passkeys that were added since are missing. To see whom that concerns, restore with --previous and the database that was in use.")
		return nil
	}
	list, err := differences(ctx, restored, previous)
	if err != nil {
		return fmt.Errorf("comparing with the previous database: %w", err)
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "Nobody's ways to sign in differ from the previous database's.")
		return nil
	}
	fmt.Fprintln(out, "What differs from the previous database:")
	for _, line := range list[:min(len(list), mostDifferences)] {
		fmt.Fprintln(out, "  "+line)
	}
	if more := len(list) - mostDifferences; more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	return nil
}

// differences are lines for IT about each user whose ways to sign in are not what they were.
func differences(ctx context.Context, restored, previous store.Store) (lines []string, err error) {
	err = everyUser(ctx, restored, func(now store.User) error {
		before, err := previous.User(ctx, now.ID)
		if errors.Is(err, store.ErrNotFound) {
			lines = append(lines, fmt.Sprintf("%s is back, and was removed since the backup", now.Name))
			return nil
		}
		if err != nil {
			return err
		}
		for _, what := range changes(now, before) {
			lines = append(lines, now.Name+": "+what)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = everyUser(ctx, previous, func(before store.User) error {
		_, err := restored.User(ctx, before.ID)
		if errors.Is(err, store.ErrNotFound) {
			lines = append(lines, fmt.Sprintf("%s is missing, and was added since the backup", before.Name))
			return nil
		}
		return err
	})
	return lines, err
}

// changes compares the ways to sign in of a restored user with those before.
func changes(now, before store.User) (list []string) {
	if !now.Disabled && before.Disabled {
		list = append(list, "is let in again, and was disabled since the backup")
	}
	if now.Admin && !before.Admin {
		list = append(list, "is an administrator again")
	}
	for _, p := range now.Passkeys {
		if !slices.ContainsFunc(before.Passkeys, func(b store.Passkey) bool { return b.ID == p.ID }) {
			list = append(list, fmt.Sprintf("the passkey %q works again, and was removed since the backup", p.Name))
		}
	}
	for _, b := range before.Passkeys {
		if !slices.ContainsFunc(now.Passkeys, func(p store.Passkey) bool { return p.ID == b.ID }) {
			list = append(list, fmt.Sprintf("the passkey %q is missing, and was added since the backup", b.Name))
		}
	}
	for _, i := range now.Identities {
		if !before.Has(i.Issuer, i.Subject) {
			list = append(list, fmt.Sprintf("signs in at %s as %s again, which was unlinked since the backup", i.Issuer, i.Name))
		}
	}
	if now.Password != "" && now.Password != before.Password {
		list = append(list, "an earlier password works again")
	}
	used := 0
	for _, code := range now.RecoveryCodes {
		if !slices.Contains(before.RecoveryCodes, code) {
			used++
		}
	}
	if used > 0 {
		list = append(list, fmt.Sprintf("recovery codes that were used or replaced since the backup work again: %d", used))
	}
	return list
}

// everyUser hands on all users of a database.
func everyUser(ctx context.Context, db store.Store, do func(store.User) error) error {
	for after := ""; ; {
		page, err := db.Users(ctx, after, 500)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for _, user := range page {
			if err := do(user); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Name
	}
}

// openPrevious opens the database in whose place a backup comes, only to read; nil where
// none is named.
func (c *restoreCommand) openPrevious(ctx context.Context, s *settings) (store.Store, error) {
	if c.Previous == "" {
		return nil, nil
	}
	previous, err := openSource(ctx, c.Previous, s.tenant, time.Now)
	if err != nil {
		return nil, fmt.Errorf("the previous database: %w", err)
	}
	return previous, nil
}
