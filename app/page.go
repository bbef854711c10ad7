package app

import (
	"cmp"
	"errors"
	"net/url"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// page is every page of the app: the frame, who is signed in, and what belongs
// to the address. One component serves them all, so that going from one to the
// next keeps the frame and asks the server for nothing twice.
//
// The passkeys panel opens over the start page under an address of its own, so
// that reloading and going back do what a person expects.
type page struct {
	goapp.Compo

	self *self
	deps Deps

	speech
	ctx     goapp.Context // the page's own: an event's dies with its element
	path    string
	state   pageState
	account shared.Account
	panel   panelState
	leaving bool // signing out, or signed out
	updated bool // a new version waits

	installable bool // the browser offers to install the app
	hinted      bool // the way to install it is being told
	offer       offer
	saved       string // the passkey that the browser made silently

	loading bool      // the account is being asked for
	again   bool      // and has to be asked for again
	tried   bool      // to have the browser make a passkey silently
	live    bool      // changes are being listened for
	held    bool      // and something keeps them back
	changes int       // how many times something changed, for what is shown to ask again
	asOf    time.Time // when what is shown was last known; zero while the server answers
	failure error     // why it doesn't answer
}

type pageState int

const (
	pageLoading pageState = iota
	pageReady
	pageOffline
	pageLeft // signed out while the server couldn't be reached
)

type panelState int

const (
	panelClosed panelState = iota
	panelOpen
	panelAdding // open with the form to add a passkey
)

// OnMount asks who is signed in.
func (p *page) OnMount(ctx goapp.Context) {
	p.ctx = ctx
	p.installable = ctx.IsAppInstallable()
	p.speak(ctx, p.languages.wanted(), p.title)
	p.offer = dueOffer(time.Now())
	p.watchLeaving(ctx)
	p.load(ctx)
}

// OnNav shows what belongs to the address. A browser moves the focus when it
// loads a page; here we do.
func (p *page) OnNav(ctx goapp.Context) {
	before := p.path
	p.path = ctx.Page().URL().Path
	switch {
	case p.path == shared.PagePasskeys && p.panel == panelClosed:
		p.panel = panelOpen
	case p.path != shared.PagePasskeys && p.panel != panelClosed:
		p.panel = panelClosed
		ui.FocusUserMenu(ctx)
	case before != "":
		ui.FocusMain(ctx)
	}
	p.title(ctx)
}

// OnAppUpdate offers the new version; it never forces it.
func (p *page) OnAppUpdate(goapp.Context) { p.updated = true }

// OnAppInstallChange offers to install the app while the browser does.
func (p *page) OnAppInstallChange(ctx goapp.Context) { p.installable = ctx.IsAppInstallable() }

// install asks the browser, or tells where browsers have it that can't be asked.
func (p *page) install() {
	if p.installable {
		p.ctx.ShowAppInstallPrompt()
		return
	}
	p.hinted = true
}

func (p *page) onUnderstood(goapp.Context, goapp.Event) {
	p.hinted = false
	ui.FocusUserMenu(p.ctx)
}

// load asks who is signed in: at first, and again whenever that may have changed.
func (p *page) load(ctx goapp.Context) {
	if p.leaving {
		return
	}
	if p.loading {
		p.again = true
		return
	}
	p.loading = true
	ctx.Async(func() {
		account, err := p.self.Account(ctx)
		ctx.Dispatch(func(ctx goapp.Context) { p.loaded(ctx, account, err) })
	})
}

func (p *page) loaded(ctx goapp.Context, account shared.Account, err error) {
	p.loading, p.failure = false, err
	switch {
	case p.leaving:
		return
	case shared.IsSignedOut(err):
		p.signedOut()
		return
	case err == nil && p.account.User.ID != "" && p.account.User.ID != account.User.ID:
		// Somebody else has signed in, in this browser: what is open here, or half typed,
		// was for another account.
		p.leave(shared.PageHome)
		return
	case err == nil && isLeft(account), err != nil && browser.Recall(leftKey) != "":
		p.left(ctx)
		return
	case err == nil:
		p.state, p.account, p.asOf = pageReady, account, time.Time{}
		p.changes++
	case p.state == pageReady && p.asOf.IsZero():
		p.asOf = time.Now()
	case p.state != pageReady:
		p.state = pageOffline
		if known, ok := recallCopy(); ok {
			p.state, p.account, p.asOf = pageReady, known.Account, known.Saved
		}
	}
	p.title(ctx)
	p.createSilently(ctx)
	if !p.live {
		p.live = true
		go browser.Live(ctx, shared.PathLive, shared.LiveChanged, p.heard)
	}
	if p.again {
		p.again = false
		p.load(ctx)
	}
}

// heard asks again after every change, and whenever the stream came or went:
// something may have been missed, or the session may be why it ended.
func (p *page) heard(state browser.LiveState) {
	p.ctx.Dispatch(func(ctx goapp.Context) {
		p.held = state == browser.LiveHeld
		p.load(ctx)
	})
}

func (p *page) title(ctx goapp.Context) {
	if !p.spoken {
		return
	}
	title := map[string]string{
		shared.PagePasskeys: p.text.Panel.Title,
		shared.PageSessions: p.text.Sessions.Title,
		shared.PageActivity: p.text.Activity.Title,
		shared.PageUsers:    p.text.Users.Title,
	}[p.path]
	if title == "" {
		title = p.text.Home.Title
	}
	ctx.Page().SetTitle("%s · %s", title, p.product())
}

func (p *page) product() string {
	if p.account.Product != "" {
		return p.account.Product
	}
	return p.deps.Product
}

// Render implements go-app's Composer.
func (p *page) Render() goapp.UI {
	frame := ui.Frame{Product: p.product(), Icon: p.deps.Icon, Home: shared.PageHome, Bar: p.renderBar()}
	if p.spoken {
		frame.Skip = p.text.Shell.SkipToMain
	}
	switch {
	case !p.spoken:
		return frame.With(goapp.P().Class("quiet page-wait").Attr("role", "status"))
	case p.state == pageReady:
		frame.User = p.menu()
		return frame.With(p.renderContent())
	case p.state == pageLeft:
		return frame.With(p.renderLeft())
	case p.state == pageOffline:
		return frame.With(p.renderOffline())
	default:
		return frame.With(
			goapp.H1().Class("spoken").Text(p.product()),
			goapp.P().Class("quiet page-wait").Attr("role", "status").Text(p.text.Shell.Loading),
		)
	}
}

// renderOffline says why there is nothing to show.
func (p *page) renderOffline() goapp.UI {
	content := ui.Message{
		Title: p.text.Shell.Offline, Lead: p.text.Shell.OfflineLead,
		Button: p.text.Shell.TryAgain, OnButton: p.onRetry,
	}
	switch refusal, _ := errors.AsType[*shared.Error](p.failure); {
	case refusal == nil:
	case refusal.Code == shared.CodeAway:
		content.Title, content.Lead = p.text.Shell.Away, p.text.Refusal(refusal)
	case refusal.Code == shared.CodeInBetween:
		content.Title, content.Lead = p.text.Shell.InBetween, p.inBetween(refusal)
	}
	return content.Render()
}

// inBetween says what something between here and the server does, and whom to ask.
func (p *page) inBetween(refusal *shared.Error) string {
	sentence := p.text.Refusal(refusal)
	if contact := cmp.Or(p.account.Contact, p.deps.Contact); contact != "" {
		sentence += " " + message.Fill(p.text.Failure.AskContact, "contact", contact)
	}
	return sentence
}

func (p *page) menu() *ui.UserMenu {
	items := []ui.MenuItem{
		{ID: "passkeys", Label: p.text.Shell.Passkeys, Icon: "key", Href: shared.PagePasskeys},
		{ID: "sessions", Label: p.text.Shell.Sessions, Icon: "browser", Href: shared.PageSessions},
		{ID: "activity", Label: p.text.Shell.Activity, Icon: "list", Href: shared.PageActivity},
	}
	if p.account.User.Admin {
		items = append(items, ui.MenuItem{ID: "users", Label: p.text.Shell.Users, Icon: "people", Href: shared.PageUsers})
	}
	if p.installable || browser.InstallsByHand() {
		items = append(items, ui.MenuItem{ID: "install", Label: p.text.Shell.Install, Icon: "install", OnSelect: p.install})
	}
	signOut := p.text.Shell.SignOut
	if p.leaving {
		signOut = p.text.Shell.SigningOut
	}
	items = append(items, ui.MenuItem{ID: "sign-out", Label: signOut, Icon: "out", OnSelect: p.signOut})
	for _, other := range p.languages.list {
		items = append(items, ui.MenuItem{
			ID: "language-" + other.Tag, Label: other.Name, Lang: other.Tag, Checked: other.Tag == p.text.Lang,
			OnSelect: func() { p.chooseLanguage(other.Tag) },
		})
	}
	return &ui.UserMenu{Name: p.account.User.DisplayName, Label: p.text.Shell.Menu, Items: items}
}

func (p *page) renderBar() goapp.UI {
	if !p.asOf.IsZero() {
		return goapp.P().ID("offline-bar").Class("bar").Attr("role", "status").Text(p.world().Offline)
	}
	if p.hinted {
		return goapp.Div().ID("install-hint").Class("bar").Attr("role", "status").Body(
			goapp.Span().Text(p.text.Shell.InstallApple),
			goapp.Button().Type("button").Class("button small").OnClick(p.onUnderstood).Text(p.text.Shell.Understood),
		)
	}
	if p.held {
		return goapp.P().ID("held-bar").Class("bar").Attr("role", "status").Text(p.text.Refusal(shared.TroubleHeld.Refusal()))
	}
	if !p.updated {
		return nil
	}
	return goapp.Div().Class("bar").Attr("role", "status").Body(
		goapp.Span().Text(p.text.Shell.Update),
		goapp.Button().Type("button").Class("button small").OnClick(p.onReload).Text(p.text.Shell.Reload),
	)
}

// renderContent is what stands in the frame.
func (p *page) renderContent() goapp.UI {
	switch p.path {
	case shared.PageSessions:
		return &ui.SessionsPanel{World: p.world(), Service: p.self, Changes: p.changes, OnSignedOut: p.signedOut}
	case shared.PageActivity:
		return &ui.ActivityPanel{
			World: p.world(), Service: p.self, Confirms: p.self, Changes: p.changes,
			HasPasskey: p.account.Passkeys > 0, HasPassword: p.account.HasPassword,
			OnSignedOut: p.signedOut, OnPasskeys: p.toPasskeys,
		}
	case shared.PageUsers:
		if !p.account.User.Admin {
			return goapp.P().Class("page quiet").Text(p.text.Refusal(shared.Errorf(shared.CodeNotAllowed, "This is for administrators.")))
		}
		return &ui.UsersPanel{World: p.world(), Service: p.self, Confirms: p.self, Account: p.account, Changes: p.changes, OnSignedOut: p.signedOut}
	default:
		return goapp.Div().Body(p.renderHome(), goapp.If(p.panel != panelClosed, p.renderPanel))
	}
}

func (p *page) world() ui.World {
	world := selfservice.World(p.text, p.account)
	world.ConfirmsAt, world.Recovery = p.confirmsAt(), shared.PageRecovery
	if !p.asOf.IsZero() {
		world.Offline = p.text.Shell.Offline
		if p.path == shared.PageHome || p.path == shared.PagePasskeys { // of which there is a copy
			moment, _ := p.formats().Moment(p.asOf)
			world.Offline = message.Fill(p.text.Shell.OfflineAsOf, "date", moment)
		}
		if refusal, _ := errors.AsType[*shared.Error](p.failure); refusal != nil && refusal.Code == shared.CodeInBetween {
			world.Offline = p.inBetween(refusal)
		}
	}
	return world
}

// confirmsAt are the providers at which the user can confirm.
func (p *page) confirmsAt() (list []shared.Provider) {
	for _, i := range p.account.Identities {
		if i.ProviderID != "" {
			list = append(list, shared.Provider{ID: i.ProviderID, Name: i.Provider})
		}
	}
	return list
}

func (p *page) formats() ui.Formats { return browser.Regional(p.text.Lang) }

func (p *page) chooseLanguage(tag string) {
	p.speak(p.ctx, tag, func(ctx goapp.Context) {
		browser.ChooseLanguage(p.text.Lang)
		p.title(ctx)
	})
}

func (p *page) toPasskeys() { p.ctx.Navigate(shared.PagePasskeys) }

func (p *page) onRetry(goapp.Context, goapp.Event) { p.load(p.ctx) }

func (p *page) onReload(goapp.Context, goapp.Event) { browser.Reload() }

// signedOut goes to the front door, which leads back to this page.
func (p *page) signedOut() {
	if p.leaving {
		return // the user wanted it, and comes back to the start
	}
	to := shared.PageSignIn
	if p.path != shared.PageHome {
		to += "?next=" + url.QueryEscape(p.path)
	}
	p.leave(to)
}

// leave goes to another page and leaves nothing of the user behind.
func (p *page) leave(to string) {
	p.leaving = true
	forgetCopy()
	browser.Leave(to)
}
