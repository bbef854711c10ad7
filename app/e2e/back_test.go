package e2e

import "testing"

// TestBack: a page that the Back button brings back shows what happened meanwhile and what
// happens later.
func TestBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/sessions")
	ann.sees(".rows > li")
	value[bool](ann, `location.assign("/recovery"), true`)
	ann.sees("input[name=code]")
	phone := openBrowser(t, s)
	phone.signsInWithPassword("ann", annsPassword)
	ann.goes("back")
	ann.sees(row(2, "button"))
	phone.signsOut()
	ann.seesNo(row(2, "button"))
}

// TestBackAfterSignOut: the Back button shows nothing of a user who has signed out, whether or
// not the browser has kept the page.
func TestBackAfterSignOut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/sessions")
	ann.sees(".rows > li")
	ann.signsOut()
	ann.goes("back")
	ann.isAt("/sign-in?next=%2Fsessions")
	if traces := ann.traces("Ann Admin"); len(traces) != 0 {
		t.Errorf("left behind: %q", traces)
	}
}

// TestBackToSignIn: the browser brings a sign-in page back as it was left, with a disabled
// button. It can be used again.
func TestBackToSignIn(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	ann.opens("/sign-in")
	value[bool](ann, `navigator.credentials.get = () => new Promise(() => {}), true`)
	ann.clicks("#use-passkey")
	ann.sees("#use-passkey:disabled")
	value[bool](ann, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	ann.sees("#use-passkey:enabled")
	ann.readsIn("#use-passkey", "Sign in with a passkey")
}
