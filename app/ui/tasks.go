package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
)

// tasks runs what a component asks the server for, away from the UI goroutine. Where the
// server wants a confirmation first, it asks for one in place. A component embeds it, and
// sets it when it is mounted.
type tasks struct {
	self      app.Context // the component's own: an event's dies with its element
	context   *Context    // the component's, as its parent has set it last
	signedOut func()      // the session has ended
	paused    *pausedUntilSure
}

// pausedUntilSure is something that the server wants confirmed first.
type pausedUntilSure struct {
	goOn   func()
	giveUp func()
}

// attempt runs work and calls done with its error. Work that needs a confirmation waits for
// one and is run again. Without a confirmation it ends with [ceremony.Aborted], which shows
// no message.
func (t *tasks) attempt(work func(context.Context) error, done func(error)) {
	t.attemptFrom(focused(), work, done)
}

// attemptFrom is attempt for a user whose keyboard focus was on the element with this id.
// The focus returns there.
func (t *tasks) attemptFrom(id string, work func(context.Context) error, done func(error)) {
	asking := t.context.asking(t.self)
	t.self.Async(func() {
		err := work(asking)
		t.self.Dispatch(func(app.Context) {
			switch {
			case shared.CodeOf(err) == shared.CodeConfirmRequired:
				t.paused = &pausedUntilSure{
					goOn: func() { t.attemptFrom(id, work, done) },
					giveUp: func() {
						done(&ceremony.Failure{Reason: ceremony.Aborted})
						refocus(t.self, id)
					},
				}
			case shared.IsSignedOut(err):
				notify(t.signedOut)
			default:
				done(err)
				refocus(t.self, id)
			}
		})
	})
}

// renderConfirm shows the dialog while something waits for it.
func (t *tasks) renderConfirm(c Context, service ConfirmService, hasPasskey, hasPassword bool) app.UI {
	return app.If(t.paused != nil, func() app.UI {
		return &Confirm{
			Context: c, Service: service, HasPasskey: hasPasskey, HasPassword: hasPassword,
			OnConfirmed: t.confirmed, OnCancel: t.notConfirmed, OnSignedOut: t.signedOut,
		}
	})
}

func (t *tasks) confirmed() {
	paused := t.paused
	t.paused = nil
	paused.goOn()
}

func (t *tasks) notConfirmed() {
	paused := t.paused
	t.paused = nil
	paused.giveUp()
}
