package pages

import (
	"strconv"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

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
	// elsewhereKey is left in the tab by the sign-in page (web/static/signinpages.js)
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

func (s *shell) showsOffer() bool {
	if !s.account.PasskeysOn || browser.PasskeySupport() != browser.Supported {
		return false
	}
	return s.recovered() || s.offer == offerHere || s.offer == offerFirst && s.account.Passkeys == 0
}

// recoveredKey holds the session that began with a recovery code, once its user has made a
// passkey since or doesn't want one.
const recoveredKey = "keypeg-recovered"

// recovered reports whether the user came by a recovery code and has made no passkey since.
// They were promised one, however many they have: the others may be lost.
func (s *shell) recovered() bool {
	return s.account.SignedInWith == shared.MethodRecoveryCode && browser.Recall(recoveredKey) != markOf(s.account)
}

func (s *shell) onOfferAdd(goapp.Context, goapp.Event) {
	s.panel = panelAdding
	if s.offer == offerHere {
		s.offer = offerFirst // it is being done
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
	return goapp.Section().ID("offer").Class("card offer").Aria("labelledby", "offer-title").Body(
		goapp.H2().ID("offer-title").Text(title),
		goapp.P().Text(lead),
		goapp.Div().Class("buttons").Body(
			goapp.Button().ID("offer-add").Type("button").Class("button primary").
				Disabled(!s.asOf.IsZero()).OnClick(s.onOfferAdd).Text(add),
			goapp.Button().ID("offer-not-now").Type("button").Class("button quiet").OnClick(s.onOfferNotNow).Text(home.OfferNotNow),
		),
	)
}

// silentWithin is how long after a sign-in with a password the browser may be
// asked to make a passkey silently. It decides for itself, by when it filled in
// the password.
const silentWithin = 2 * time.Minute

// createSilently asks once, after a sign-in with a password by a user who has no
// passkey.
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
