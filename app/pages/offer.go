package pages

import (
	"strconv"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// offer is the card that offers to make a passkey. There is at most one.
type offer int

const (
	offerNone  offer = iota
	offerFirst       // the user has none
	offerHere        // the user signed in with another device's
)

const (
	// offerKey is the key of the time from which an offer may be made again, in Unix seconds.
	offerKey   = "keypeg-offer-after"
	offerPause = 30 * 24 * time.Hour
	// elsewhereKey is a key of sessionStorage. The sign-in page (web/static/signinpages.js)
	// sets it if the passkey was on another device and this device could have one.
	elsewhereKey = "keypeg-from-another-device"
)

// dueOffer returns the offer to make. It is none for 30 days after the user chose "Not now".
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

func (s *shell) showsOffer() bool {
	if !s.account.PasskeysOn || browser.PasskeySupport() != browser.Supported {
		return false
	}
	return s.recovered() || s.offer == offerHere || s.offer == offerFirst && s.account.Passkeys == 0
}

// recoveredKey is the key of the session that began with a recovery code. It is set when the
// user has made a passkey since, or has chosen "Not now".
const recoveredKey = "keypeg-recovered"

// recovered reports whether the user signed in with a recovery code and has made no passkey
// since. The sign-in page has promised them the offer, however many passkeys they have: they
// may have lost those.
func (s *shell) recovered() bool {
	return s.account.SignedInWith == shared.MethodRecoveryCode && browser.Recall(recoveredKey) != markOf(s.account)
}

func (s *shell) onOfferAdd(goapp.Context, goapp.Event) {
	s.panel = panelAdding
	if s.offer == offerHere {
		s.offer = offerFirst // the user makes the passkey now
	}
	s.toPasskeys()
}

func (s *shell) onOfferNotNow(goapp.Context, goapp.Event) {
	s.offer = offerNone
	if s.recovered() {
		browser.Remember(recoveredKey, markOf(s.account))
	}
	browser.Remember(offerKey, strconv.FormatInt(time.Now().Add(offerPause).Unix(), 10))
	ui.FocusMain(s.ctx)
}

func (s *shell) renderOffer() goapp.UI {
	home := s.text.Home
	title, lead, add := home.OfferTitle, home.OfferLead, home.OfferAdd
	switch {
	case s.recovered():
		title, lead, add = home.OfferHereTitle, home.OfferRecovered, home.OfferHereAdd
	case s.offer == offerHere:
		title, lead, add = home.OfferHereTitle, home.OfferHereLead, home.OfferHereAdd
	}
	return goapp.Elem("section").ID("offer").Class("card offer").Aria("labelledby", "offer-title").Body(
		goapp.Elem("h2").ID("offer-title").Text(title),
		goapp.Elem("p").Text(lead),
		goapp.Elem("div").Class("buttons").Body(
			goapp.Elem("button").ID("offer-add").Attr("type", "button").Class("button primary").
				Attr("disabled", !s.asOf.IsZero()).OnClick(s.onOfferAdd).Text(add),
			goapp.Elem("button").ID("offer-not-now").Attr("type", "button").Class("button quiet").OnClick(s.onOfferNotNow).Text(home.OfferNotNow),
		),
	)
}

// silentWithin is how long after a sign-in with a password the app asks the browser to make a
// passkey silently. The browser decides by when it has filled in the password.
const silentWithin = 2 * time.Minute

// createSilently asks the browser once, if a user without a passkey has just signed in with a
// password.
func (s *shell) createSilently(ctx goapp.Context) {
	a := s.account
	if s.tried || s.state != stateReady || !s.asOf.IsZero() || !a.PasskeysOn || a.Passkeys > 0 ||
		a.SignedInWith != shared.MethodPassword || time.Since(a.SignedInAt) > silentWithin {
		return
	}
	s.tried = true
	ctx.Async(func() {
		if added, ok := s.self.RegisterSilently(ctx); ok {
			ctx.Dispatch(func(ctx goapp.Context) {
				s.saved = added.Name
				s.load(ctx)
			})
		}
	})
}
