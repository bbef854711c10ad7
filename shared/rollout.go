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
}

// SignInDay has the sign-ins of a day, in UTC, by their methods.
type SignInDay struct {
	Day     string         `json:"day"` // 2026-11-29
	Methods map[string]int `json:"methods"`
}

// RolloutDays is how many days [Rollout] looks back.
const RolloutDays = 90
