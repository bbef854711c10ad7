package app

import (
	"cmp"
	"context"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// Signing out is never lost. The page is left at once, also where the server can't be
// reached. A mark in this browser says which session is to end: by when it began, so that a
// later one stays. It ends when the server answers again, and at the latest when the app is
// opened next.

// leftKey is where the mark is.
const leftKey = "keypeg-signing-out"

// signOutWithin is how long the user waits for the server before the page is left without.
const signOutWithin = 5 * time.Second

func markOf(a shared.Account) string { return a.SignedInAt.UTC().Format(time.RFC3339Nano) }

// signOut ends the session on the server before it leaves, so that nobody who comes to this
// browser next finds it open.
func (p *page) signOut() {
	if p.leaving {
		return
	}
	p.leaving = true
	browser.Remember(leftKey, markOf(p.account)) // first: the tab may be closed meanwhile
	p.ctx.Async(func() {
		asking, cancel := context.WithTimeout(p.ctx, signOutWithin)
		defer cancel()
		out, err := p.self.SignOut(asking)
		p.ctx.Dispatch(func(ctx goapp.Context) {
			if err != nil && !shared.IsSignedOut(err) {
				p.left(ctx)
				return
			}
			browser.Forget(leftKey)
			p.leave(cmp.Or(out.Continue, shared.PageSignIn))
		})
	})
}

// isLeft reports whether the user of an account has signed out of this session before, here
// or in another tab. A mark of another session means nothing any more.
func isLeft(a shared.Account) bool {
	mark := browser.Recall(leftKey)
	if mark != "" && mark != markOf(a) {
		browser.Forget(leftKey)
	}
	return mark == markOf(a)
}

// left shows nothing of the user any more, and ends the session as soon as the server
// answers.
func (p *page) left(ctx goapp.Context) {
	p.leaving, p.state, p.panel = true, pageLeft, panelClosed
	p.account, p.asOf = shared.Account{}, time.Time{}
	forgetCopy()
	p.title(ctx)
	ui.FocusMain(ctx)
	go func() {
		if !p.endSession(ctx) {
			browser.Returns(ctx, p.endSession)
		}
	}()
}

// onEndSession is for who doesn't want to wait.
func (p *page) onEndSession(ctx goapp.Context, _ goapp.Event) {
	go p.endSession(ctx)
}

// endSession ends the session that was left, and leads on. It reports false while the server
// doesn't answer.
func (p *page) endSession(ctx context.Context) bool {
	next := p.afterSession(ctx)
	if next == "" {
		return false
	}
	browser.Forget(leftKey)
	browser.Leave(next)
	return true
}

// afterSession ends the session that was left, and returns where to go then; "" while the
// server doesn't answer.
func (p *page) afterSession(ctx context.Context) (next string) {
	ctx, cancel := context.WithTimeout(ctx, signOutWithin)
	defer cancel()
	account, err := p.self.Account(ctx)
	switch {
	case shared.IsSignedOut(err):
		return shared.PageSignIn
	case err != nil:
		return ""
	case !isLeft(account):
		return shared.PageHome // somebody has signed in since
	}
	out, err := p.self.SignOut(ctx)
	if err != nil && !shared.IsSignedOut(err) {
		return ""
	}
	return cmp.Or(out.Continue, shared.PageSignIn)
}

// watchLeaving leaves with other tabs, until ctx ends.
func (p *page) watchLeaving(ctx goapp.Context) {
	go browser.Watch(ctx, leftKey, func() {
		ctx.Dispatch(func(ctx goapp.Context) {
			if !p.leaving && p.state == pageReady && isLeft(p.account) {
				p.left(ctx)
			}
		})
	})
}

func (p *page) renderLeft() goapp.UI {
	return ui.Message{
		Title: p.text.Shell.Left, Lead: p.text.Shell.LeftLead,
		Button: p.text.Shell.TryAgain, OnButton: p.onEndSession,
	}.Render()
}
