package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// signInMethods are the methods with which a session begins.
var signInMethods = []store.Method{store.MethodPasskey, store.MethodPassword, store.MethodSSO, store.MethodRecoveryCode, store.MethodSetupLink}

// Rollout says how far the organisation has come with passkeys. It reads the counts, and no user.
func (s *Service) Rollout(ctx context.Context) (shared.Rollout, error) {
	counts, err := s.c.Store.Counts(ctx)
	if err != nil {
		return shared.Rollout{}, fmt.Errorf("counting: %w", err)
	}
	now := s.c.Now().UTC()
	rollout := shared.Rollout{
		Counted: now, Users: memberCounts(counts), Days: []shared.SignInDay{},
		SyncedPasskeys: counts[store.CountSynced], DeviceBoundPasskeys: counts[store.CountDeviceBound],
	}
	for ago := shared.RolloutDays - 1; ago >= 0; ago-- {
		day := now.AddDate(0, 0, -ago)
		methods := map[string]int{}
		for _, method := range signInMethods {
			if n := counts[store.CountSignIns(day, method)]; n > 0 {
				methods[string(method)] = n
			}
		}
		if len(methods) > 0 {
			rollout.Days = append(rollout.Days, shared.SignInDay{Day: day.Format(time.DateOnly), Methods: methods})
		}
	}
	rollout.Failed = failedSince(counts, now.AddDate(0, 0, 1-shared.FailedDays))
	rollout.Enrolled = shared.Enrolled{
		Hour: counts[store.CountEnrolledHour], Day: counts[store.CountEnrolledDay], Week: counts[store.CountEnrolledWeek],
		Month: counts[store.CountEnrolledMonth], Later: counts[store.CountEnrolledLater],
	}
	rollout.Before, err = s.shareBefore(ctx, now)
	return rollout, err
}

// failedSince adds up the ceremonies that failed from a day on, by reason and browser.
func failedSince(counts store.Counts, day time.Time) []shared.FailedCeremonies {
	list, from := []shared.FailedCeremonies{}, day.Format(time.DateOnly)
	for _, failed := range counts.Failed() {
		if failed.Day < from {
			continue
		}
		at := slices.IndexFunc(list, func(f shared.FailedCeremonies) bool { return f.Reason == failed.Reason && f.Browser == failed.Browser })
		if at < 0 {
			at, list = len(list), append(list, shared.FailedCeremonies{Reason: failed.Reason, Browser: failed.Browser})
		}
		list[at].Count += failed.N
	}
	slices.SortFunc(list, func(a, b shared.FailedCeremonies) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Browser, b.Browser))
	})
	return list
}
