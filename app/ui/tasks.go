package ui

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
)

// tasks sends a component's requests to its service, away from the UI goroutine. Where the
// server requires a confirmation first, tasks opens the dialog for it and then repeats the
// request. A component embeds tasks and sets it in OnMount.
type tasks struct {
	self      app.Context // the component's own: that of an event ends with its element
	context   *Context    // the component's, as its parent has set it last
	signedOut func()      // called when the session has ended
	paused    *pausedTask // nil while nothing waits for a confirmation
}

// pausedTask is a request that waits for the user's confirmation.
type pausedTask struct {
	resume func()
	cancel func()
}

// attempt runs work and calls done with its error. Work that needs a confirmation waits for
// it and is run again. If the user doesn't confirm, the error is [ceremony.Aborted], for
// which no message is shown.
func (t *tasks) attempt(work func(context.Context) error, done func(error)) {
	t.attemptFrom(focused(), work, done)
}

// attemptFrom is attempt for a user whose keyboard focus was on the element with this id.
// The focus returns to it.
func (t *tasks) attemptFrom(id string, work func(context.Context) error, done func(error)) {
	refocuses(id)
	asking := t.context.asking(t.self)
	t.self.Async(func() {
		err := work(asking)
		t.self.Dispatch(func(app.Context) {
			if now := focused(); now != "" {
				id = now // the user has gone on meanwhile
			}
			switch {
			case shared.CodeOf(err) == shared.CodeConfirmRequired:
				t.paused = &pausedTask{
					resume: func() { t.attemptFrom(id, work, done) },
					cancel: func() {
						done(&ceremony.Failure{Reason: ceremony.Aborted})
						refocuses(id)
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

// renderConfirm shows the dialog while a request waits for a confirmation.
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
	paused.resume()
}

func (t *tasks) notConfirmed() {
	paused := t.paused
	t.paused = nil
	paused.cancel()
}
