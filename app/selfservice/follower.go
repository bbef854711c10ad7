package selfservice

import (
	"context"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// follower knows who is signed in, and follows the stream of changes. Only the UI goroutine uses it.
type follower struct {
	self        goapp.Context
	service     *Service
	onOther     func() // another user has signed in: what the one before began here was for another account
	onSignedOut func()
	onLoaded    func(error) // an answer came, or none; nil tells nobody

	account  shared.Account
	known    bool               // it is known who is signed in
	changes  int                // how many times something changed: panels load again when it grows
	stop     context.CancelFunc // ends the stream of changes; nil while there is none
	streamed bool               // the stream has sent something
}

// load asks who is signed in. While the server is away, what is shown stays.
func (f *follower) load() {
	f.self.Async(func() {
		account, err := f.service.Account(f.self)
		f.self.Dispatch(func(goapp.Context) {
			if f.onLoaded != nil {
				f.onLoaded(err)
			}
			switch {
			case shared.IsSignedOut(err):
				f.onSignedOut()
				return
			case err == nil:
				if f.known && f.account.User.ID != account.User.ID {
					f.onOther()
				}
				f.account, f.known = account, true
				f.service.told.tell(account)
				f.changes++
			}
			f.listen()
		})
	})
}

// forget forgets who was signed in.
func (f *follower) forget() {
	f.stopListening()
	f.known = false
	f.service.told.tell(shared.Account{})
}

// listen opens the stream of changes. It is called only for a signed-in user: the server would
// refuse all others again and again.
func (f *follower) listen() {
	if f.stop != nil {
		return
	}
	listening, stop := context.WithCancel(f.self)
	f.stop, f.streamed = stop, false
	go browser.Live(listening, shared.PathLive, shared.LiveChanged, func(state browser.LiveState) {
		f.self.Dispatch(func(goapp.Context) {
			if listening.Err() == nil {
				f.onLive(state)
			}
		})
	})
}

func (f *follower) stopListening() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

// onLive asks again after every change, and whenever the stream was connected or lost: a
// change may have been missed, or the stream may have ended because the session did. The
// first connection is an exception. The server was asked just before it, and only the list
// in an open panel may be older. It isn't if the page was drawn with it ([browser.LiveSame]).
func (f *follower) onLive(state browser.LiveState) {
	first := !f.streamed
	f.streamed = true
	switch {
	case first && f.known && state == browser.LiveSame:
	case first && f.known && state == browser.LiveConnected:
		f.changes++
	default:
		f.load()
	}
}

// changed tells the [Offer] what the user did in the panel: it doesn't wait for the stream.
func (f *follower) changed(list shared.PasskeyList) {
	f.account.Passkeys = len(list.Passkeys)
	f.service.told.tell(f.account)
}
