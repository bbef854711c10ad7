package store

import (
	"strings"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// Counts has the number of users, passkeys and sign-ins by category. Every write keeps it
// right, in the batch that changes it, so it costs no look at all records. A category
// without any is left out. It describes all users, and the sign-ins of the days that are
// wholly within [EventsKept]. A sign-in whose event expires before that may count until
// it is removed.
type Counts map[string]int

// The categories of [Counts]. Each user is in exactly one of the first four.
const (
	CountDisabled       = "users/disabled"
	CountInvited        = "users/invited"         // has no sign-in method yet
	CountWithoutPasskey = "users/without-passkey" // has a password or an account at a provider, and no passkey
	CountWithPasskey    = "users/with-passkey"

	CountAdministrators = "users/administrators"

	CountSynced      = "passkeys/synced"       // may be copied to other devices (backup eligible)
	CountDeviceBound = "passkeys/device-bound" // stays in one device or security key

	countSignIns = "sign-ins/"
)

// CountSignIns is the category of the sign-ins of a day, in UTC, by a method.
func CountSignIns(day time.Time, method Method) string {
	return countSignIns + day.UTC().Format(time.DateOnly) + "/" + string(method)
}

// Counted lists the categories in which a user counts, one for each time. Backends use it.
func (u User) Counted() []string {
	counted := make([]string, 1, 2+len(u.Passkeys))
	switch {
	case u.Disabled:
		counted[0] = CountDisabled
	case len(u.Passkeys) > 0:
		counted[0] = CountWithPasskey
	case u.Password != "" || len(u.Identities) > 0:
		counted[0] = CountWithoutPasskey
	default:
		counted[0] = CountInvited
	}
	if u.Admin {
		counted = append(counted, CountAdministrators)
	}
	for _, p := range u.Passkeys {
		if p.IsSynced() {
			counted = append(counted, CountSynced)
		} else {
			counted = append(counted, CountDeviceBound)
		}
	}
	return counted
}

// Counted returns the category in which an event counts, and how often: an event can stand for
// several. The category is "" for an event that doesn't count.
func (v Event) Counted() (category string, n int) {
	if v.Kind != shared.EventSignedIn {
		return "", 0
	}
	return CountSignIns(v.Time, v.Method), max(int(v.Count), 1)
}

// IsCounted reports whether a category is one that [Counts] describes at this time. The days of
// others are too long ago, and backends may forget them.
func IsCounted(category string, now time.Time) bool {
	rest, isDay := strings.CutPrefix(category, countSignIns)
	if !isDay {
		return true
	}
	day, _, _ := strings.Cut(rest, "/")
	begin, err := time.Parse(time.DateOnly, day)
	return err == nil && begin.After(now.Add(-EventsKept))
}
