package pages

import (
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// shell is around every page: the frame, who is signed in, and the page at the address. One
// component serves all pages. Going from one page to the next keeps the frame, and asks the
// server for nothing twice.
type shell struct {
	goapp.Compo

	self  *self
	deps  Deps
	pages []page

	speech
	drawn   *drawn        // what a server draws the page with; nil in a browser
	ctx     goapp.Context // the shell's own: that of an event ends with its element
	path    string
	query   string // of the address, without its question mark
	missing string // the path at which there is nothing to show, or ""
	state   shellState
	account shared.Account
	panel   panelState
	leaving bool // signing out, or signed out
	ended   bool // the session has ended, and the page stays for what is shown once
	once    ui.Once
	updated bool // a new version waits

	installable bool // the browser offers to install the app
	hinted      bool // the hint how to install it by hand is shown
	offers      offers
	saved       string // the passkey that the browser made silently

	loading bool      // the account is being asked for
	again   bool      // and has to be asked for again
	tried   bool      // the browser was asked to make a passkey silently
	live    bool      // the page took over from the one that the server has drawn, and hears of changes
	heard   bool      // and has said something
	delayed bool      // something between here and the server keeps changes back
	changes int       // how often something changed: components load again when it grows
	asOf    time.Time // how old the shown copy is; zero while the server answers
	failure error     // why the server doesn't answer
}

type shellState int

const (
	stateLoading shellState = iota
	stateReady
	stateOffline
	stateSignedOut // signed out while the server couldn't be reached
)

// OnMount asks who is signed in.
func (s *shell) OnMount(ctx goapp.Context) {
	s.ctx = ctx
	s.once.OnClosed = s.onceClosed
	s.installable = ctx.IsAppInstallable()
	s.speak(ctx, s.languages.wanted(), s.title)
	s.offers = dueOffers(time.Now())
	s.watchSignOut(ctx)
	s.load(ctx)
}

// OnNav shows the page at the address. It moves the keyboard focus, as a browser does when
// it loads a page.
func (s *shell) OnNav(ctx goapp.Context) {
	before := s.path
	s.path, s.query, s.missing = ctx.Page().URL().Path, ctx.Page().URL().RawQuery, ""
	switch {
	case s.path == shared.PagePasskeys && s.panel == panelClosed:
		s.panel = panelOpen
	case s.path != shared.PagePasskeys && s.panel != panelClosed:
		s.panel = panelClosed
		ui.FocusUserMenu(ctx)
	case before != "":
		ui.FocusMain(ctx)
	}
	s.title(ctx)
}

// current returns the page at the address, with the values of its parameters.
func (s *shell) current() (page, map[string]string) {
	path := s.path
	if path == shared.PageShell {
		path = shared.PageHome
	}
	for _, p := range s.pages {
		if values, matches := p.pattern.Match(path); matches && p.content != nil && path != s.missing {
			return p, values
		}
	}
	return nothingHere, nil
}

// notFound shows that there is nothing at this address after all.
func (s *shell) notFound() {
	s.ctx.Dispatch(func(ctx goapp.Context) {
		s.missing = s.path
		s.title(ctx)
		ui.FocusMain(ctx)
	})
}

// title sets the title of the page, for the tab and for screen readers.
func (s *shell) title(ctx goapp.Context) {
	if s.spoken {
		ctx.Page().SetTitle("%s", s.pageTitle())
	}
}

func (s *shell) pageTitle() string {
	p, _ := s.current()
	return p.title(s.text) + " · " + s.product()
}

// load asks who is signed in: at first, and again whenever that may have changed.
func (s *shell) load(ctx goapp.Context) {
	if s.leaving {
		return
	}
	if s.loading {
		s.again = true
		return
	}
	s.loading = true
	ctx.Async(func() {
		account, err := s.self.Account(ctx)
		ctx.Dispatch(func(ctx goapp.Context) { s.loaded(ctx, account, err) })
	})
}

func (s *shell) loaded(ctx goapp.Context, account shared.Account, err error) {
	s.loading, s.failure = false, err
	switch {
	case s.leaving:
		return
	case shared.IsSignedOut(err):
		s.signedOut()
		return
	case err == nil && s.account.User.ID != "" && s.account.User.ID != account.User.ID:
		// Another user has signed in, in another tab. What is open or typed here was for
		// another account.
		s.leave(shared.PageHome)
		return
	case err == nil && hasSignedOut(account), err != nil && browser.Recall(signOutKey) != "":
		s.showSignedOut(ctx)
		return
	case err == nil:
		s.state, s.account, s.asOf, s.ended = stateReady, account, time.Time{}, false
		s.changes++
		keepAccount(account) // not where it is asked for: what comes after a sign-out must not be kept
	case s.state == stateReady && s.asOf.IsZero():
		s.asOf = time.Now()
	case s.state != stateReady:
		s.state = stateOffline
		if known, ok := recallCopy(); ok {
			s.state, s.account, s.asOf = stateReady, known.Account, known.Saved
		}
	}
	s.title(ctx)
	s.createSilently(ctx)
	if !s.live {
		s.live = true
		go browser.TakeOver(ctx)
		go browser.Live(ctx, shared.PathLive, shared.LiveChanged, s.onLive)
	}
	if s.again {
		s.again = false
		s.load(ctx)
	}
}

// onLive loads the account again after every change, and whenever the stream began or ended:
// a change may have been missed, or the stream ended because the session did. It doesn't if the
// stream begins with the news that nothing has changed since the page was drawn.
func (s *shell) onLive(state browser.LiveState) {
	s.ctx.Dispatch(func(ctx goapp.Context) {
		s.delayed = state == browser.LiveDelayed
		if s.heard || state != browser.LiveSame {
			s.load(ctx)
		}
		s.heard = true
	})
}

// OnAppUpdate offers the new version; it never forces it.
func (s *shell) OnAppUpdate(goapp.Context) { s.updated = true }

// OnAppInstallChange offers to install the app while the browser does.
func (s *shell) OnAppInstallChange(ctx goapp.Context) { s.installable = ctx.IsAppInstallable() }

// install opens the browser's own question. For a browser that has none, it shows where its
// menu has the entry.
func (s *shell) install() {
	if s.installable {
		s.ctx.ShowAppInstallPrompt()
		return
	}
	s.hinted = true
}

func (s *shell) onUnderstood(goapp.Context, goapp.Event) {
	s.hinted = false
	ui.FocusUserMenu(s.ctx)
}

func (s *shell) chooseLanguage(tag string) {
	s.speak(s.ctx, tag, func(ctx goapp.Context) {
		browser.ChooseLanguage(s.text.Lang)
		s.title(ctx)
	})
}

func (s *shell) onRetry(goapp.Context, goapp.Event) { s.load(s.ctx) }

func (s *shell) onReload(goapp.Context, goapp.Event) { browser.Reload() }
