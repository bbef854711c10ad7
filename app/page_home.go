package app

import (
	"net/url"
	"strconv"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// homePage is the start page. The passkeys panel opens over it under an address
// of its own, so that reloading and going back do what a person expects.
type homePage struct {
	goapp.Compo

	self *self
	deps Deps

	ctx     goapp.Context // the page's own: an event's dies with its element
	state   homeState
	account shared.Account
	panel   panelState
	leaving bool // signing out
	updated bool // a new version waits
	offer   bool // the card that offers a passkey may be shown
}

type homeState int

const (
	homeLoading homeState = iota
	homeReady
	homeOffline
)

type panelState int

const (
	panelClosed panelState = iota
	panelOpen
	panelAdding // open with the form to add a passkey
)

var text = &message.English

// OnMount asks who is signed in.
func (p *homePage) OnMount(ctx goapp.Context) {
	p.ctx = ctx
	p.offer = offerDue(time.Now())
	p.load(ctx)
}

// OnNav opens or closes the panel as the address says.
func (p *homePage) OnNav(ctx goapp.Context) {
	asked := ctx.Page().URL().Path == shared.PagePasskeys
	switch {
	case asked && p.panel == panelClosed:
		p.panel = panelOpen
	case !asked && p.panel != panelClosed:
		p.panel = panelClosed
		ui.FocusUserMenu(ctx)
	}
	p.title(ctx)
}

// OnAppUpdate offers the new version; it never forces it.
func (p *homePage) OnAppUpdate(goapp.Context) { p.updated = true }

func (p *homePage) load(ctx goapp.Context) {
	p.state = homeLoading
	ctx.Async(func() {
		account, err := p.self.Account(ctx)
		ctx.Dispatch(func(ctx goapp.Context) {
			switch {
			case shared.CodeOf(err) == shared.CodeUnauthenticated:
				p.signedOut()
			case err != nil:
				p.state = homeOffline
			default:
				p.state, p.account = homeReady, account
				p.title(ctx)
			}
		})
	})
}

func (p *homePage) title(ctx goapp.Context) {
	title := text.Home.Title
	if p.panel != panelClosed {
		title = text.Panel.Title
	}
	ctx.Page().SetTitle("%s · %s", title, p.product())
}

func (p *homePage) product() string {
	if p.account.Product != "" {
		return p.account.Product
	}
	return p.deps.Product
}

// Render implements go-app's Composer.
func (p *homePage) Render() goapp.UI {
	frame := ui.Frame{Text: text, Product: p.product(), Icon: p.deps.Icon, Home: shared.PageHome, Bar: p.renderBar()}
	switch p.state {
	case homeReady:
		frame.User = p.menu()
		return frame.With(p.renderHome(), goapp.If(p.panel != panelClosed && p.account.PasskeysOn, p.renderPanel))
	case homeOffline:
		return frame.With(ui.Message{
			Title: text.Shell.Offline, Lead: text.Shell.OfflineLead,
			Button: text.Shell.TryAgain, OnButton: p.onRetry,
		}.Render())
	default:
		return frame.With(goapp.P().Class("quiet page-wait").Attr("role", "status").Text(text.Shell.Loading))
	}
}

func (p *homePage) menu() *ui.UserMenu {
	items := []ui.MenuItem{{ID: "passkeys", Label: text.Shell.Passkeys, Icon: "key", Href: shared.PagePasskeys}}
	signOut := text.Shell.SignOut
	if p.leaving {
		signOut = text.Shell.SigningOut
	}
	items = append(items, ui.MenuItem{ID: "sign-out", Label: signOut, Icon: "out", OnSelect: p.signOut})
	return &ui.UserMenu{Name: p.account.User.DisplayName, Label: text.Shell.Menu, Items: items}
}

func (p *homePage) renderBar() goapp.UI {
	if !p.updated {
		return nil
	}
	return goapp.Div().Class("bar").Attr("role", "status").Body(
		goapp.Span().Text(text.Shell.Update),
		goapp.Button().Type("button").Class("button small").OnClick(p.onReload).Text(text.Shell.Reload),
	)
}

func (p *homePage) renderHome() goapp.UI {
	home := text.Home
	return goapp.Div().Class("page").Body(
		goapp.H1().Text(message.Fill(home.Hello, "name", p.account.User.DisplayName)),
		goapp.P().Class("lead").Text(message.Fill(home.Lead, "product", p.product())),
		goapp.If(p.offer && p.account.PasskeysOn && p.account.Passkeys == 0, p.renderOffer),
		goapp.Section().Class("card").Aria("labelledby", "methods").Body(
			goapp.H2().ID("methods").Text(home.SignInMethods),
			goapp.Ul().Class("plain").Body(
				goapp.If(p.account.HasPassword, func() goapp.UI { return goapp.Li().Text(home.PasswordSet) }),
				goapp.If(p.account.PasskeysOn, func() goapp.UI { return goapp.Li().ID("passkey-count").Text(p.passkeyCount()) }).
					Else(p.renderPasskeysOff),
			),
			goapp.If(p.account.PasskeysOn, func() goapp.UI {
				return goapp.A().ID("manage").Class("button").Href(shared.PagePasskeys).Text(home.Manage)
			}),
		),
	)
}

func (p *homePage) passkeyCount() string {
	if p.account.Passkeys == 0 {
		return text.Home.NoPasskeys
	}
	return ui.Count(text.Home.PasskeyCount, p.account.Passkeys)
}

func (p *homePage) renderPasskeysOff() goapp.UI {
	return goapp.Li().Body(
		goapp.Text(text.Home.PasskeysOff),
		goapp.If(p.account.Contact != "", func() goapp.UI {
			return goapp.Span().Text(" " + message.Fill(text.Home.PasskeysOffAsk, "contact", p.account.Contact))
		}),
	)
}

func (p *homePage) renderOffer() goapp.UI {
	home := text.Home
	return goapp.Section().ID("offer").Class("card offer").Aria("labelledby", "offer-title").Body(
		goapp.H2().ID("offer-title").Text(home.OfferTitle),
		goapp.P().Text(home.OfferLead),
		goapp.Div().Class("buttons").Body(
			goapp.Button().ID("offer-add").Type("button").Class("button primary").OnClick(p.onOfferAdd).Text(home.OfferAdd),
			goapp.Button().ID("offer-not-now").Type("button").Class("button quiet").OnClick(p.onOfferNotNow).Text(home.OfferNotNow),
		),
	)
}

func (p *homePage) renderPanel() goapp.UI {
	return &ui.PasskeysPanel{
		World: p.world(), Service: p.self, Confirms: p.self, Adding: p.panel == panelAdding,
		OnClose: p.closePanel, OnChanged: p.changed, OnSignedOut: p.signedOut,
	}
}

func (p *homePage) world() ui.World {
	blocked := ""
	switch browser.PasskeySupport() {
	case browser.NotSupported:
		blocked = text.Panel.NotSupported
	case browser.NotSecure:
		blocked = text.Panel.NotSecure
	}
	return ui.World{Text: text, Date: browser.Date, Host: browser.Host(), RPID: p.account.RPID, Contact: p.account.Contact, Blocked: blocked}
}

func (p *homePage) changed(list shared.PasskeyList) { p.account.Passkeys = len(list.Passkeys) }

func (p *homePage) closePanel() { p.ctx.Navigate(shared.PageHome) }

func (p *homePage) onRetry(goapp.Context, goapp.Event) { p.load(p.ctx) }

func (p *homePage) onReload(goapp.Context, goapp.Event) { browser.Reload() }

func (p *homePage) onOfferAdd(goapp.Context, goapp.Event) {
	p.panel = panelAdding
	p.ctx.Navigate(shared.PagePasskeys)
}

func (p *homePage) onOfferNotNow(goapp.Context, goapp.Event) {
	p.offer = false
	browser.Remember(offerKey, strconv.FormatInt(time.Now().Add(offerPause).Unix(), 10))
}

// signOut ends the session on the server before it leaves, so that nobody who
// comes to this browser next finds it open.
func (p *homePage) signOut() {
	if p.leaving {
		return
	}
	p.leaving = true
	p.ctx.Async(func() {
		err := p.self.SignOut(p.ctx)
		p.ctx.Dispatch(func(goapp.Context) {
			p.leaving = false
			if err != nil {
				p.state = homeOffline
				return
			}
			browser.Leave(shared.PageSignIn)
		})
	})
}

// signedOut goes to the front door, and comes back to this page afterwards.
func (p *homePage) signedOut() {
	to := shared.PageSignIn
	if p.panel != panelClosed {
		to += "?next=" + url.QueryEscape(shared.PagePasskeys)
	}
	browser.Leave(to)
}

const (
	// offerKey holds when the offer may be made again, in Unix seconds.
	offerKey   = "keypeg-offer-after"
	offerPause = 30 * 24 * time.Hour
)

func offerDue(now time.Time) bool {
	after, err := strconv.ParseInt(browser.Recall(offerKey), 10, 64)
	return err != nil || now.Unix() >= after
}
