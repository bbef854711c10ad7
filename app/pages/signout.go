package pages

import (
	"cmp"
	"context"
	"net/url"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// Signing out is never lost. The page closes at once, also when the server can't be reached. A
// mark in this browser says which session has to end. It is the time at which the session
// began, so that a later session stays. The session ends when the server answers again, and at
// the latest when the app is opened next.

// signOutKey is the key of the mark.
const signOutKey = "keypeg-signing-out"

// signOutWithin is how long the page waits for the server before it closes without it.
const signOutWithin = 5 * time.Second

func markOf(a shared.Account) string { return a.SignedInAt.UTC().Format(time.RFC3339Nano) }

// signOut ends the session on the server and then leaves. So the next person at this browser
// doesn't find it signed in, or the user's name, unless the user keeps it there.
func (s *shell) signOut(keepName bool) {
	if s.leaving {
		return
	}
	s.leaving = true
	browser.Remember(signOutKey, markOf(s.account)) // first: the tab may be closed meanwhile
	s.ctx.Async(func() {
		asking, cancel := context.WithTimeout(s.ctx, signOutWithin)
		defer cancel()
		out, err := s.self.SignOut(asking, keepName)
		s.ctx.Dispatch(func(ctx goapp.Context) {
			if err != nil && !shared.IsSignedOut(err) {
				s.showSignedOut(ctx)
				return
			}
			browser.Forget(signOutKey)
			s.leave(cmp.Or(out.Continue, shared.PageSignIn))
		})
	})
}

// signedOut goes to the sign-in page, which returns to this page after a sign-in. While the page shows
// what can't be shown again, it stays, and says why nothing else can be done here.
func (s *shell) signedOut() {
	if s.leaving {
		return // the user signs out, and goes elsewhere
	}
	s.ctx.Defer(func(ctx goapp.Context) { // what came just before is on the page then
		if s.leaving {
			return
		}
		if s.once.IsOpen() {
			ctx.Dispatch(func(goapp.Context) { s.ended = true })
			return
		}
		to := shared.PageSignIn
		if here := (&url.URL{Path: s.path, RawQuery: s.query}).String(); here != shared.PageHome {
			to += "?next=" + url.QueryEscape(here)
		}
		s.leave(to)
	})
}

// onceClosed goes on to the sign-in page, if the session has ended meanwhile.
func (s *shell) onceClosed() {
	if s.ended {
		s.signedOut()
	}
}

// leave removes the copy of the user's data and goes to another page.
func (s *shell) leave(to string) {
	s.leaving = true
	forgetCopy()
	browser.Leave(to)
}

// hasSignedOut reports whether the user of an account has signed out of this session, here or in
// another tab. It removes a mark of another session, which is out of date.
func hasSignedOut(a shared.Account) bool {
	mark := browser.Recall(signOutKey)
	if mark != "" && mark != markOf(a) {
		browser.Forget(signOutKey)
	}
	return mark == markOf(a)
}

// showSignedOut removes everything of the user from the page. It ends the session as soon as
// the server answers.
func (s *shell) showSignedOut(ctx goapp.Context) {
	s.leaving, s.state, s.panel = true, stateSignedOut, panelClosed
	s.account, s.asOf = shared.Account{}, time.Time{}
	forgetCopy()
	s.title(ctx)
	go browser.TakeOver(ctx)
	ui.FocusMain(ctx)
	go func() {
		if !s.endSession(ctx) {
			browser.Returns(ctx, s.endSession)
		}
	}()
}

// onEndSession tries again at once, for a user who doesn't want to wait.
func (s *shell) onEndSession(ctx goapp.Context, _ goapp.Event) {
	go s.endSession(ctx)
}

// endSession ends the session of the mark and goes to the next page. It reports whether the
// server answered.
func (s *shell) endSession(ctx context.Context) bool {
	next := s.afterSession(ctx)
	if next == "" {
		return false
	}
	browser.Forget(signOutKey)
	browser.Leave(next)
	return true
}

// afterSession ends the session of the mark and returns the next page, or "" if the server
// doesn't answer.
func (s *shell) afterSession(ctx context.Context) (next string) {
	ctx, cancel := context.WithTimeout(ctx, signOutWithin)
	defer cancel()
	account, err := s.self.Account(ctx)
	switch {
	case shared.IsSignedOut(err):
		s.self.SignOut(ctx, false) // the browser's cookie may still have the name
		return shared.PageSignIn
	case err != nil:
		return ""
	case !hasSignedOut(account):
		return shared.PageHome // a user has signed in since
	}
	out, err := s.self.SignOut(ctx, false)
	if err != nil && !shared.IsSignedOut(err) {
		return ""
	}
	return cmp.Or(out.Continue, shared.PageSignIn)
}

// watchSignOut closes this page when the user signs out in another tab, until ctx ends.
func (s *shell) watchSignOut(ctx goapp.Context) {
	go browser.Watch(ctx, signOutKey, func() {
		ctx.Dispatch(func(ctx goapp.Context) {
			if !s.leaving && s.state == stateReady && hasSignedOut(s.account) {
				s.showSignedOut(ctx)
			}
		})
	})
}

func (s *shell) renderSignedOut() goapp.UI {
	return ui.Message{
		Title: s.text.Shell.Left, Lead: s.text.Shell.LeftLead,
		Button: s.text.Shell.TryAgain, OnButton: s.onEndSession,
	}.Render()
}
