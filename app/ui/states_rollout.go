package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// statesOfRollout are those of the page of the rollout.
func statesOfRollout(in Context) map[string]app.UI {
	return map[string]app.UI{
		"rollout":         stateRollout(in, func(*RolloutPage) {}),
		"rollout-loading": stateRollout(in, func(p *RolloutPage) { p.state = listLoading }),
		"rollout-failed":  stateRollout(in, func(p *RolloutPage) { p.state, p.failure = listFailed, stateInternal() }),
		"rollout-fell": stateRollout(in, func(p *RolloutPage) {
			p.rollout.Before.WithPasskey, p.rollout.Days = 200, p.rollout.Days[len(p.rollout.Days)-9:] // two lines of three points
		}),
		"rollout-few": stateRollout(in, func(p *RolloutPage) { // users, days and tries
			counted := p.rollout.Counted
			p.rollout = shared.Rollout{
				Counted: counted, Users: shared.MemberCounts{All: 3, WithPasskey: 1, WithoutPasskey: 2, PasswordOnly: 1}, Before: &shared.RolloutShare{Users: 2},
				Days: []shared.SignInDay{{Day: counted.AddDate(0, 0, -1).Format(time.DateOnly), Methods: map[string]int{shared.MethodPasskey: 2, shared.MethodPassword: 1}}},
			}
		}),
		"rollout-first-day": stateRollout(in, func(p *RolloutPage) {
			p.rollout = shared.Rollout{Counted: p.rollout.Counted, Users: shared.MemberCounts{All: 1, WithPasskey: 1}}
		}),
	}
}

// stateRollout is a RolloutPage with its numbers. Change puts it into a state.
func stateRollout(in Context, change func(*RolloutPage)) *RolloutPage {
	counted := time.Date(2026, 11, 20, 9, 41, 0, 0, time.UTC)
	p := &RolloutPage{
		Context: in, state: listReady,
		Users: func(query string) string { return "/users?" + query }, Events: func(query string) string { return "/audit?" + query },
	}
	p.rollout = shared.Rollout{
		Counted: counted, Before: &shared.RolloutShare{Day: "2026-10-21", Users: 240, WithPasskey: 142},
		Users: shared.MemberCounts{All: 248, WithPasskey: 168, WithoutPasskey: 61, PasswordOnly: 57, Invited: 14, Disabled: 5, OneDevice: 37},
		Failed: []shared.FailedCeremonies{
			{Reason: shared.ReasonClosed, Browser: "Chrome", Count: 130}, {Reason: shared.ReasonRemoved, Browser: "Safari", Count: 19},
			{Reason: shared.ReasonClosed, Browser: "Safari", Count: 18}, {Reason: shared.ReasonNoLock, Browser: "Chrome", Count: 11}, {Reason: shared.ReasonElsewhere, Count: 5},
		},
		Enrolled: shared.Enrolled{Hour: 40, Day: 61, Week: 22, Month: 9, Later: 1},
	}
	for ago := shared.RolloutDays - 1; ago >= 0; ago-- {
		day, i := counted.AddDate(0, 0, -ago), shared.RolloutDays-ago
		n := map[string]int{shared.MethodPasskey: 76 + 3*i, shared.MethodPassword: 209 - 2*i, shared.MethodSSO: 50 - i/12, shared.MethodRecoveryCode: i % 3}
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			n = map[string]int{shared.MethodPasskey: 4}
		}
		p.rollout.Days = append(p.rollout.Days, shared.SignInDay{Day: day.Format(time.DateOnly), Methods: n})
	}
	change(p)
	return p
}
