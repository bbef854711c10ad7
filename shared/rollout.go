package shared

import "time"

// Rollout says how far an organisation has come with passkeys.
type Rollout struct {
	Counted time.Time    `json:"counted"`
	Users   MemberCounts `json:"users"`

	SyncedPasskeys      int `json:"syncedPasskeys"`      // may be on several devices
	DeviceBoundPasskeys int `json:"deviceBoundPasskeys"` // are on one device or security key

	// Days are the last ones with sign-ins, the oldest first: at most [RolloutDays].
	Days []SignInDay `json:"days"`

	// Failed are the ceremonies that failed in the last [FailedDays] days, today among them, the
	// most frequent first.
	Failed []FailedCeremonies `json:"failed"`
	// Enrolled says how long users took from their invitation to their first passkey.
	Enrolled Enrolled `json:"enrolled"`
	// Before is missing until the server has run for [BeforeDays].
	Before *RolloutShare `json:"before,omitempty"`
}

// FailedDays is how many days Failed of [Rollout] has, and BeforeDays how long ago Before was.
const (
	FailedDays = 30
	BeforeDays = 30
)

// FailedCeremonies is how many ceremonies failed for a reason in a browser.
type FailedCeremonies struct {
	Reason  FailureReason `json:"reason"`
	Browser string        `json:"browser,omitempty"` // "" for browsers that few people use
	Count   int           `json:"count"`
}

// Enrolled is how many users, of those who were invited and had a passkey since, took so long from
// one to the other. Each user is in one number.
type Enrolled struct {
	Hour  int `json:"hour"` // at most an hour
	Day   int `json:"day"`  // longer, and at most a day
	Week  int `json:"week"`
	Month int `json:"month"` // of 30 days
	Later int `json:"later"`
}

// EnrolledWithin is one of the numbers of [Enrolled].
type EnrolledWithin struct {
	Within string // "hour" for Hour, and so on
	Count  int
}

// List returns the numbers, the shortest time first.
func (e Enrolled) List() []EnrolledWithin {
	return []EnrolledWithin{{"hour", e.Hour}, {"day", e.Day}, {"week", e.Week}, {"month", e.Month}, {"later", e.Later}}
}

// RolloutShare is how many of the users had a passkey on a day.
type RolloutShare struct {
	Day         string `json:"day"` // 2026-10-30, in UTC
	Users       int    `json:"users"`
	WithPasskey int    `json:"withPasskey"`
}

// Points returns by how many percentage points the share of users with a passkey has grown since
// Before. It reports false if that isn't known.
func (r Rollout) Points() (points int, known bool) {
	if r.Before == nil || r.Before.Users == 0 || r.Users.All == 0 {
		return 0, false
	}
	return percent(r.Users.WithPasskey, r.Users.All) - percent(r.Before.WithPasskey, r.Before.Users), true
}

// percent rounds half up.
func percent(n, of int) int { return (200*n + of) / (2 * of) }

// SignInDay has the sign-ins of a day, in UTC, by their methods.
type SignInDay struct {
	Day     string         `json:"day"` // 2026-11-29
	Methods map[string]int `json:"methods"`
}

// RolloutDays is how many days [Rollout] looks back.
const RolloutDays = 90
