package app

import (
	"strconv"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The start page: how the user signs in, and the offer of a passkey.

func (p *page) renderHome() goapp.UI {
	home := p.text.Home
	return goapp.Div().Class("page").Body(
		goapp.H1().Text(message.Fill(home.Hello, "name", p.account.User.DisplayName)),
		goapp.P().Class("lead").Text(message.Fill(home.Lead, "product", p.product())),
		ui.Slot(goapp.If(p.account.RecoveryLinkUntil != nil, p.renderRecoveryLink)),
		ui.Slot(goapp.If(p.saved != "", p.renderSaved)),
		ui.Slot(goapp.If(p.showsOffer(), p.renderOffer)),
		&ui.MethodsCard{
			World: p.world(), Service: p.self, Confirms: p.self, Account: p.account,
			OnChanged: func() { p.load(p.ctx) }, OnSignedOut: p.signedOut,
		},
	)
}

// renderRecoveryLink tells the user that somebody may be about to get into their
// account.
func (p *page) renderRecoveryLink() goapp.UI {
	until, exact := p.formats().Moment(*p.account.RecoveryLinkUntil)
	return goapp.P().ID("recovery-link").Class("notice notice-bad").Attr("role", "status").Title(exact).Body(
		goapp.Text(message.Fill(p.text.Home.RecoveryLink, "date", until)),
		goapp.If(p.account.Contact != "", func() goapp.UI {
			return goapp.Span().Text(" " + message.Fill(p.text.Home.PasskeysOffAsk, "contact", p.account.Contact))
		}),
	)
}

func (p *page) renderOffer() goapp.UI {
	home := p.text.Home
	title, lead, add := home.OfferTitle, home.OfferLead, home.OfferAdd
	switch {
	case p.recovered():
		title, lead, add = home.OfferHereTitle, home.OfferRecovered, home.OfferHereAdd
	case p.offer == offerHere:
		title, lead, add = home.OfferHereTitle, home.OfferHereLead, home.OfferHereAdd
	}
	return goapp.Section().ID("offer").Class("card offer").Aria("labelledby", "offer-title").Body(
		goapp.H2().ID("offer-title").Text(title),
		goapp.P().Text(lead),
		goapp.Div().Class("buttons").Body(
			goapp.Button().ID("offer-add").Type("button").Class("button primary").
				Disabled(!p.asOf.IsZero()).OnClick(p.onOfferAdd).Text(add),
			goapp.Button().ID("offer-not-now").Type("button").Class("button quiet").OnClick(p.onOfferNotNow).Text(home.OfferNotNow),
		),
	)
}

func (p *page) renderPanel() goapp.UI {
	if !p.account.PasskeysOn {
		return &ui.PasskeysOff{World: p.world(), OnClose: p.closePanel}
	}
	return &ui.PasskeysPanel{
		World: p.world(), Service: p.self, Confirms: p.self, Changes: p.changes, Adding: p.panel == panelAdding,
		OnClose: p.closePanel, OnChanged: p.changed, OnSignedOut: p.signedOut,
	}
}

func (p *page) changed(list shared.PasskeyList) {
	p.account.Passkeys = len(list.Passkeys)
	for _, passkey := range list.Passkeys {
		if passkey.Created.After(p.account.SignedInAt) && p.recovered() {
			browser.Remember(recoveredKey, markOf(p.account))
		}
	}
}

// recoveredKey holds the session that began with a recovery code, once its user has made a
// passkey since or doesn't want one.
const recoveredKey = "keypeg-recovered"

// recovered reports whether the user came by a recovery code and has made no passkey since.
// They were promised one, however many they have: the others may be lost.
func (p *page) recovered() bool {
	return p.account.SignedInWith == shared.MethodRecoveryCode && browser.Recall(recoveredKey) != markOf(p.account)
}

func (p *page) closePanel() { p.ctx.Navigate(shared.PageHome) }

// offer is the card that invites to make a passkey, at most one.
type offer int

const (
	offerNone  offer = iota
	offerFirst       // the user has none
	offerHere        // the user signed in with another device's
)

const (
	// offerKey holds when an offer may be made again, in Unix seconds.
	offerKey   = "keypeg-offer-after"
	offerPause = 30 * 24 * time.Hour
	// elsewhereKey is left in the tab by the sign-in page (web/static/door.js)
	// when the passkey was on another device, and this one could have its own.
	elsewhereKey = "keypeg-from-another-device"
)

// dueOffer is the offer to make, unless the user said "not now" lately.
func dueOffer(now time.Time) offer {
	here := browser.Take(elsewhereKey) != ""
	after, err := strconv.ParseInt(browser.Recall(offerKey), 10, 64)
	switch {
	case err == nil && now.Unix() < after:
		return offerNone
	case here:
		return offerHere
	default:
		return offerFirst
	}
}

func (p *page) showsOffer() bool {
	if !p.account.PasskeysOn || browser.PasskeySupport() != browser.Supported {
		return false
	}
	return p.recovered() || p.offer == offerHere || p.offer == offerFirst && p.account.Passkeys == 0
}

func (p *page) onOfferAdd(goapp.Context, goapp.Event) {
	p.panel = panelAdding
	if p.offer == offerHere {
		p.offer = offerFirst // it is being done
	}
	p.toPasskeys()
}

func (p *page) onOfferNotNow(goapp.Context, goapp.Event) {
	p.offer = offerNone
	if p.recovered() {
		browser.Remember(recoveredKey, markOf(p.account))
	}
	browser.Remember(offerKey, strconv.FormatInt(time.Now().Add(offerPause).Unix(), 10))
	ui.FocusMain(p.ctx)
}

// silentWithin is how long after a sign-in with a password the browser may be
// asked to make a passkey silently. It decides for itself, by when it filled in
// the password.
const silentWithin = 2 * time.Minute

// createSilently asks once, after a sign-in with a password by a user who has no
// passkey.
func (p *page) createSilently(ctx goapp.Context) {
	a := p.account
	if p.tried || p.state != pageReady || !p.asOf.IsZero() || !a.PasskeysOn || a.Passkeys > 0 ||
		a.SignedInWith != shared.MethodPassword || time.Since(a.SignedInAt) > silentWithin {
		return
	}
	p.tried = true
	ctx.Async(func() {
		if added, ok := p.self.RegisterSilently(ctx); ok {
			ctx.Dispatch(func(ctx goapp.Context) {
				p.saved = added.Name
				p.load(ctx)
			})
		}
	})
}

func (p *page) renderSaved() goapp.UI {
	return goapp.P().ID("saved").Class("notice").Attr("role", "status").
		Text(message.Fill(p.text.Home.SavedSilently, "name", p.saved))
}
