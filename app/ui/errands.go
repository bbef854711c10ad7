package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
)

// errands does a component's work at the server, away from the UI goroutine, and
// asks in place for a confirmation where the server wants one. A component
// embeds it and sets it when it is mounted.
type errands struct {
	self      app.Context // the component's own: an event's dies with its element
	world     *World      // the component's, as its parent has set it last
	signedOut func()      // the session has ended
	paused    *pausedUntilSure
}

// pausedUntilSure is something that the server wants confirmed first.
type pausedUntilSure struct {
	goOn   func()
	giveUp func()
}

// attempt does work and then tells done how it ended. Work that needs a
// confirmation waits for one and is done again; without one, it ends as aborted,
// which nobody needs to be told.
func (e *errands) attempt(work func(context.Context) error, done func(error)) {
	e.attemptFrom(focused(), work, done)
}

// attemptFrom does it for whom the keyboard focus was on an element.
func (e *errands) attemptFrom(id string, work func(context.Context) error, done func(error)) {
	asking := e.world.asking(e.self)
	e.self.Async(func() {
		err := work(asking)
		e.self.Dispatch(func(app.Context) {
			switch {
			case shared.CodeOf(err) == shared.CodeConfirmRequired:
				e.paused = &pausedUntilSure{
					goOn: func() { e.attemptFrom(id, work, done) },
					giveUp: func() {
						done(&ceremony.Failure{Reason: ceremony.Aborted})
						refocus(e.self, id)
					},
				}
			case shared.IsSignedOut(err):
				tell(e.signedOut)
			default:
				done(err)
				refocus(e.self, id)
			}
		})
	})
}

// renderConfirm shows the dialog while something waits for it.
func (e *errands) renderConfirm(world World, service ConfirmService, hasPasskey, hasPassword bool) app.UI {
	return app.If(e.paused != nil, func() app.UI {
		return &Confirm{
			World: world, Service: service, HasPasskey: hasPasskey, HasPassword: hasPassword,
			OnConfirmed: e.confirmed, OnCancel: e.notConfirmed, OnSignedOut: e.signedOut,
		}
	})
}

func (e *errands) confirmed() {
	paused := e.paused
	e.paused = nil
	paused.goOn()
}

func (e *errands) notConfirmed() {
	paused := e.paused
	e.paused = nil
	paused.giveUp()
}
