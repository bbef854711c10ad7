package ui

import (
	"context"
	"errors"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// refusing is a server that has lists, and refuses whatever changes something.
type refusing struct {
	MemberService
	err error
}

func (r refusing) Sessions(context.Context) (shared.SessionList, error) { return stateSessions(), nil }
func (r refusing) EndSession(context.Context, string) (shared.SessionList, error) {
	return shared.SessionList{}, r.err
}
func (r refusing) EndOtherSessions(context.Context) (shared.SessionList, error) {
	return shared.SessionList{}, r.err
}
func (r refusing) Activity(context.Context, string) (shared.Activity, error) {
	return shared.Activity{Events: stateEvents()}, nil
}
func (r refusing) ChangePassword(context.Context, string) error { return r.err }
func (r refusing) Member(context.Context, string) (shared.MemberDetails, error) {
	return shared.MemberDetails{Member: shared.Member{User: shared.User{ID: "u"}}, May: shared.MayManage}, nil
}
func (r refusing) MemberActivity(context.Context, string, string) (shared.Activity, error) {
	return shared.Activity{}, nil
}
func (r refusing) ReleaseMember(context.Context, string) (shared.MemberDetails, error) {
	return shared.MemberDetails{}, r.err
}

// TestRefusalsStay: what was refused can be read also after something has changed elsewhere. A
// confirmation is such a change, so that it always happens then.
func TestRefusalsStay(t *testing.T) {
	server := refusing{err: shared.Errorf(shared.CodeConflict, "No.")}
	sessions := &SessionsPanel{Context: inEnglish(), Service: server}
	activity := &ActivityPanel{Context: inEnglish(), Service: server, Alarms: server}
	user := &UserPage{Context: inEnglish(), Service: server, ID: "u"}
	for name, is := range map[string]struct {
		panel   app.Composer
		asks    func()
		changes func(app.Context)
		failure *error
	}{
		"sessions": {sessions, func() { sessions.finish(othersID, "", server.EndOtherSessions) }, func(ctx app.Context) { sessions.Changes++; sessions.OnUpdate(ctx) }, &sessions.failure},
		"activity": {activity, func() { activity.notMe(stateEvents()[0]) }, func(ctx app.Context) { activity.Changes++; activity.OnUpdate(ctx) }, &activity.failure},
		"user":     {user, func() { user.askAllow(); user.asking.run() }, func(ctx app.Context) { user.Changes++; user.OnUpdate(ctx) }, &user.failure},
	} {
		t.Run(name, func(t *testing.T) {
			plays(t, is.panel, done(is.asks), is.changes)
			if !errors.Is(*is.failure, server.err) {
				t.Errorf("the page says %v", *is.failure)
			}
		})
	}
}
