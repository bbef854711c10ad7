package pages

import (
	"strings"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// offer is the hint that offers to make a passkey. There is at most one.
type offer int

const (
	offerNone      offer = iota
	offerFirst           // the user has none
	offerHere            // the user signed in with another device's
	offerRecovered       // the user signed in with a recovery code
	offerMoved           // the user's passkeys are for an address that people move away from
	offerSecond          // the only one is on one device, which can break or be lost
)

const (
	// pauseSecond is that of offerSecond, for which there is another reason than for the others.
	pauseSecond selfservice.Pause = "keypeg-second-after"
	// elsewhereKey is a key of sessionStorage. The sign-in page (web/static/signinpages.js)
	// sets it if the passkey was on another device and this device could have one.
	elsewhereKey = "keypeg-from-another-device"
)

// offers are what may be offered while this page is open.
type offers struct {
	here   bool // the user signed in with another device's passkey
	rests  bool // the user wants no offer of a passkey now
	second bool // nor that of a second one
	// recovered is the mark of the session whose user has made a passkey since the recovery code, or
	// wants none now.
	recovered string
}

func dueOffers(now time.Time) offers {
	return offers{
		here: browser.Take(elsewhereKey) != "", rests: selfservice.PauseOffer.Lasts(now), second: pauseSecond.Lasts(now), recovered: browser.Recall(recoveredKey),
	}
}

// offered returns the offer to make.
func (s *shell) offered() offer {
	a := s.account
	switch {
	case !a.PasskeysOn || !a.HeldUntil.IsZero() || browser.PasskeySupport() != browser.Supported:
		return offerNone
	case s.recovered():
		return offerRecovered
	case a.MovingFrom != "" && !s.offers.rests:
		return offerMoved
	case s.offers.here && !s.offers.rests:
		return offerHere
	case a.Passkeys == 0 && !s.offers.rests:
		return offerFirst
	case a.Passkeys == 1 && !s.offers.second && ui.Alone(s.text.Home, a.NewestPasskey) != "":
		return offerSecond
	}
	return offerNone
}

// recoveredKey is the key under which this browser keeps offers.recovered.
const recoveredKey = "keypeg-recovered"

// recovered reports whether the user signed in with a recovery code and has made no passkey
// since. The sign-in page has promised them the offer, however many passkeys they have: they
// may have lost those.
func (s *shell) recovered() bool {
	return s.account.SignedInWith == shared.MethodRecoveryCode && s.offers.recovered != markOf(s.account)
}

// endRecovered ends the offer after a recovery code, for as long as the session lasts.
func (s *shell) endRecovered() {
	s.offers.recovered = markOf(s.account)
	browser.Remember(recoveredKey, s.offers.recovered)
}

// addPasskey opens the panel with the form. At an address that people move away from it leads to the new one.
func (s *shell) addPasskey() {
	if s.offered() == offerMoved && !strings.HasSuffix(browser.Host(), s.account.RPID) {
		browser.Leave(shared.PageMoved)
		return
	}
	s.panel = panelAdding
	s.offers.here = false // the user makes the passkey now
	s.toPasskeys()
}

func (s *shell) notNow() {
	pause := selfservice.PauseOffer
	switch s.offered() {
	case offerSecond:
		pause, s.offers.second = pauseSecond, true
	case offerRecovered:
		s.endRecovered()
		fallthrough
	default:
		s.offers.rests = true
	}
	pause.Begin(time.Now())
	ui.FocusMain(s.ctx)
}

// hint returns the offer in words.
func (s *shell) hint() ui.Hint {
	home := s.text.Home
	hint := ui.Hint{ID: "offer", NotNow: home.OfferNotNow, Primary: true, OnNotNow: s.notNow}
	switch s.offered() {
	case offerFirst:
		hint.Title, hint.Lead, hint.Add = home.OfferTitle, home.OfferLead, home.OfferAdd
	case offerHere:
		hint.Title, hint.Lead, hint.Add = home.OfferHereTitle, home.OfferHereLead, home.OfferHereAdd
	case offerRecovered:
		hint.Title, hint.Lead, hint.Add = home.OfferHereTitle, home.OfferRecovered, home.OfferHereAdd
	case offerMoved:
		hint.Title, hint.Lead, hint.Add = message.Fill(home.OfferMovedTitle, "address", s.account.RPID), message.Fill(home.OfferMoved, "old", s.account.MovingFrom), home.OfferAdd
	case offerSecond:
		hint.ID, hint.Primary = "second", false
		hint.Title, hint.Lead, hint.Add = home.SecondTitle, ui.Alone(home, s.account.NewestPasskey), home.OfferAdd
	default:
		return ui.Hint{}
	}
	return hint
}

// silentWithin is how long after a sign-in with a password the app asks the browser to make a
// passkey silently. The browser decides by when it has filled in the password.
const silentWithin = 2 * time.Minute

// createSilently asks the browser once, if a user without a passkey has just signed in with a
// password.
func (s *shell) createSilently(ctx goapp.Context) {
	a := s.account
	if s.tried || s.state != stateReady || !s.asOf.IsZero() || !a.PasskeysOn || !a.HeldUntil.IsZero() || a.Passkeys > 0 ||
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
