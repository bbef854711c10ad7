package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The share of users with a passkey on each day, so that the rollout can say how it has moved. The
// server writes it by itself, at most once a day, and no request does.

// share is what is kept of a day.
type share struct {
	Users       int `json:"users"`
	WithPasskey int `json:"withPasskey"`
}

// shares has an entry for each day, with the day in UTC as its key.
var shares = store.Collection[share]{Name: "rollout-share"}

const (
	sharesKept  = 91 * 24 * time.Hour
	sharesEvery = time.Hour
	// sharesFirst is how long a server has run before it writes the first one.
	sharesFirst = time.Minute
	// sharesLate is how many days longer ago a share may be, because no server ran on some days.
	sharesLate = 3
)

// RunShares keeps the share of each day, until ctx ends.
func (s *Service) RunShares(ctx context.Context) {
	timer := time.NewTimer(sharesFirst)
	defer timer.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		err := s.KeepShare(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			s.c.Log.Warn("how many users have a passkey today can't be kept, so the rollout won't compare with today", "cause", err)
		}
		failed = err != nil
		timer.Reset(sharesEvery)
	}
}

// KeepShare writes the share of today, if it isn't there yet. Any number of nodes may do so.
func (s *Service) KeepShare(ctx context.Context) error {
	now := s.c.Now().UTC()
	day := now.Format(time.DateOnly)
	if has, err := shares.Has(ctx, s.c.Store, "", day); has || err != nil {
		return err
	}
	counts, err := s.c.Store.Counts(ctx)
	if err != nil {
		return fmt.Errorf("counting: %w", err)
	}
	users := memberCounts(counts)
	put := shares.Put(store.Entry[share]{Key: day, Value: share{users.All, users.WithPasskey}, Expires: now.Add(sharesKept)})
	if err := s.c.Store.Apply(ctx, store.Batch{put}); err != nil && !shares.Changed(err) {
		return fmt.Errorf("storing how many users have a passkey: %w", err)
	}
	return nil
}

// shareBefore returns the share of [shared.BeforeDays] days ago, or nil.
func (s *Service) shareBefore(ctx context.Context, now time.Time) (*shared.RolloutShare, error) {
	for late := range sharesLate + 1 {
		day := now.AddDate(0, 0, -shared.BeforeDays-late).Format(time.DateOnly)
		kept, err := shares.Get(ctx, s.c.Store, "", day)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking how many users had a passkey: %w", err)
		}
		return &shared.RolloutShare{Day: day, Users: kept.Value.Users, WithPasskey: kept.Value.WithPasskey}, nil
	}
	return nil, nil
}
