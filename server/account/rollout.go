package account

import (
	"context"
	"fmt"
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
	return rollout, nil
}
