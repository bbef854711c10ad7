package store

import (
	"slices"
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

	// A user may be in any of these too.
	CountPasswordOnly   = "users/password-only"  // can sign in with a password alone; not disabled
	CountOneDevice      = "users/one-device"     // has one passkey, which is on one device; not disabled
	CountAdministrators = "users/administrators" // as the other roles, also disabled ones
	CountHelpers        = "users/helpers"
	CountAuditors       = "users/auditors"

	CountSynced      = "passkeys/synced"       // may be copied to other devices (backup eligible)
	CountDeviceBound = "passkeys/device-bound" // stays in one device or security key

	// A user who was invited is in one of these from the first passkey on, by the time between
	// the two.
	CountEnrolledHour  = "enrolled/hour" // within an hour
	CountEnrolledDay   = "enrolled/day"  // within a day, but not within an hour
	CountEnrolledWeek  = "enrolled/week" // and so on: a month has 30 days
	CountEnrolledMonth = "enrolled/month"
	CountEnrolledLater = "enrolled/later"

	countSignIns = "sign-ins/"
	countFailed  = "failed/"
	countGroup   = "group/"
)

// CountedByDay lists the beginnings of the categories that have a day behind them: those of events.
var CountedByDay = []string{countSignIns, countFailed}

// CountGroup is the category of the users in a group, also disabled ones.
func CountGroup(name string) string { return countGroup + name }

// IsGroup reports whether a category is that of a group.
func IsGroup(category string) bool { return strings.HasPrefix(category, countGroup) }

// IsFailed reports whether a category is one of [CountFailed].
func IsFailed(category string) bool { return strings.HasPrefix(category, countFailed) }

// IsListed reports whether there is a list of the users in a category: of all but those of passkeys.
func IsListed(category string) bool {
	return strings.HasPrefix(category, "users/") || IsGroup(category)
}

// Groups lists the groups that have users, with their number.
func (c Counts) Groups() map[string]int {
	groups := map[string]int{}
	for category, n := range c {
		if name, is := strings.CutPrefix(category, countGroup); is {
			groups[name] = n
		}
	}
	return groups
}

// CountSignIns is the category of the sign-ins of a day, in UTC, by a method.
func CountSignIns(day time.Time, method Method) string {
	return countSignIns + day.UTC().Format(time.DateOnly) + "/" + string(method)
}

// countedBrowsers are the names of browsers that have categories of their own. A stranger can write
// any name, and must not make categories.
var countedBrowsers = []string{"Chrome", "Edge", "Firefox", "Opera", "Safari", "Samsung Browser", "Vivaldi"}

// CountFailed is the category of the ceremonies that failed on a day, in UTC, for a reason, in a
// browser. Browsers that few people use have one category together, with the name "".
func CountFailed(day time.Time, reason shared.FailureReason, browser string) string {
	if !slices.Contains(countedBrowsers, browser) {
		browser = ""
	}
	return countFailed + day.UTC().Format(time.DateOnly) + "/" + string(reason) + "/" + browser
}

// Failed is a number of failed ceremonies.
type Failed struct {
	Day     string // 2026-11-29, in UTC
	Reason  shared.FailureReason
	Browser string // "" for those that few people use
	N       int
}

// Failed lists the numbers of failed ceremonies, in no order.
func (c Counts) Failed() (list []Failed) {
	for category, n := range c {
		if rest, is := strings.CutPrefix(category, countFailed); is {
			parts := strings.SplitN(rest, "/", 3)
			list = append(list, Failed{parts[0], shared.FailureReason(parts[1]), parts[2], n})
		}
	}
	return list
}

// Counted lists the categories in which a user counts, one for each time. Backends use it.
func (u User) Counted() []string {
	counted := make([]string, 1, 3+len(u.Passkeys)+len(u.Groups))
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
	switch {
	case counted[0] == CountWithoutPasskey && len(u.Identities) == 0:
		counted = append(counted, CountPasswordOnly)
	case counted[0] == CountWithPasskey && len(u.Passkeys) == 1 && !u.Passkeys[0].IsSynced():
		counted = append(counted, CountOneDevice)
	}
	switch u.Role {
	case shared.RoleAdministrator:
		counted = append(counted, CountAdministrators)
	case shared.RoleHelper:
		counted = append(counted, CountHelpers)
	case shared.RoleAuditor:
		counted = append(counted, CountAuditors)
	}
	if !u.Invited.IsZero() && !u.FirstPasskey.IsZero() {
		counted = append(counted, enrolledWithin(u.FirstPasskey.Sub(u.Invited)))
	}
	for _, group := range u.Groups {
		counted = append(counted, CountGroup(group))
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

func enrolledWithin(d time.Duration) (category string) {
	const day = 24 * time.Hour
	switch {
	case d <= time.Hour: // also if a clock was set back meanwhile
		return CountEnrolledHour
	case d <= day:
		return CountEnrolledDay
	case d <= 7*day:
		return CountEnrolledWeek
	case d <= 30*day:
		return CountEnrolledMonth
	}
	return CountEnrolledLater
}

// Counted returns the category in which an event counts, and how often: an event can stand for
// several. The category is "" for an event that doesn't count.
func (v Event) Counted() (category string, n int) {
	switch {
	case v.Kind == shared.EventSignedIn:
		category = CountSignIns(v.Time, v.Method)
	case v.Reason.IsKnown():
		category = CountFailed(v.Time, v.Reason, v.Client.Browser)
	default:
		return "", 0
	}
	return category, max(int(v.Count), 1)
}

// IsCounted reports whether a category is one that [Counts] describes at this time. The days of
// others are too long ago, and backends may forget them.
func IsCounted(category string, now time.Time) bool {
	for _, kind := range CountedByDay {
		rest, isDay := strings.CutPrefix(category, kind)
		if !isDay {
			continue
		}
		day, _, _ := strings.Cut(rest, "/")
		begin, err := time.Parse(time.DateOnly, day)
		return err == nil && begin.After(now.Add(-EventsKept))
	}
	return true
}
