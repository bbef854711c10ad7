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

func (p *page) passkeyCount() string {
	if p.account.Passkeys == 0 {
		return text.Home.NoPasskeys
	}
	return ui.Count(text.Home.PasskeyCount, p.account.Passkeys)
}

func (p *page) renderPasskeysOff() goapp.UI {
	return goapp.Li().Body(
		goapp.Text(text.Home.PasskeysOff),
		goapp.If(p.account.Contact != "", func() goapp.UI {
			return goapp.Span().Text(" " + message.Fill(text.Home.PasskeysOffAsk, "contact", p.account.Contact))
		}),
	)
}

func (p *page) renderOffer() goapp.UI {
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

func (p *page) renderPanel() goapp.UI {
	return &ui.PasskeysPanel{
		World: p.world(), Service: p.self, Confirms: p.self, Changes: p.changes, Adding: p.panel == panelAdding,
		OnClose: p.closePanel, OnChanged: p.changed, OnSignedOut: p.signedOut,
	}
}

func (p *page) changed(list shared.PasskeyList) { p.account.Passkeys = len(list.Passkeys) }

func (p *page) closePanel() { p.ctx.Navigate(shared.PageHome) }

func (p *page) onOfferAdd(goapp.Context, goapp.Event) {
	p.panel = panelAdding
	p.toPasskeys()
}

func (p *page) onOfferNotNow(goapp.Context, goapp.Event) {
	p.offer = false
	browser.Remember(offerKey, strconv.FormatInt(time.Now().Add(offerPause).Unix(), 10))
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
