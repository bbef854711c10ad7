package selfservice

import (
	"strconv"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Offer offers a passkey to a signed-in user who has none: who has just signed in with a
// password, for example. Its place is empty for everybody else. Put it where there is room, such
// as above the first page's content.
//
// "Add passkey" opens the panel of the [Menu], which must be on the same page and have the same
// Service: the Offer asks the server for nothing itself. After "Not now" this browser makes no
// offer for 30 days.
type Offer struct {
	goapp.Compo

	// Service is that of the [Menu]. It is required.
	Service *Service
	// Text is what people read. Nil is English.
	Text *message.Catalogue

	self    goapp.Context
	stop    func() // ends the notices of the account
	account shared.Account
	rests   bool
}

// OnMount waits until it is known who is signed in.
func (o *Offer) OnMount(ctx goapp.Context) {
	o.self, o.rests = ctx, PauseOffer.Lasts(time.Now())
	o.account = o.Service.told.account
	o.stop = o.Service.told.watch(func() {
		ctx.Dispatch(func(goapp.Context) { o.account = o.Service.told.account })
	})
}

// OnDismount implements goapp.Dismounter.
func (o *Offer) OnDismount() {
	if o.stop != nil {
		o.stop()
	}
}

// Render implements goapp.Composer.
func (o *Offer) Render() goapp.UI {
	a := o.account
	due := a.User.ID != "" && a.PasskeysOn && a.Passkeys == 0 && !o.rests && browser.PasskeySupport() == browser.Supported
	return ui.Slot(goapp.If(due, o.renderHint))
}

func (o *Offer) renderHint() goapp.UI {
	text := textOr(o.Text)
	return &ui.HintCard{
		Context: Context(text, o.account), OnAdd: func() { navigate(o.self, FragmentAdd) },
		Hint: ui.Hint{
			ID: "offer", Title: text.Home.OfferTitle, Lead: text.Home.OfferLead, Add: text.Home.OfferAdd, Primary: true,
			NotNow: text.Home.OfferNotNow, OnNotNow: o.notNow,
		},
	}
}

func (o *Offer) notNow() {
	PauseOffer.Begin(time.Now())
	o.rests = true
	ui.FocusUserMenu(o.self) // the button is gone
}

// Pause is how an offer rests in this browser after "Not now": under this key, localStorage has
// the time until which it does, in Unix seconds.
type Pause string

const (
	// PauseOffer is that of the offer to a user who has no passkey.
	PauseOffer Pause = "keypeg-offer-after"
	// pauseFor is how long an offer rests.
	pauseFor = 30 * 24 * time.Hour
)

// Lasts reports whether the user chose "Not now" in the last 30 days.
func (p Pause) Lasts(now time.Time) bool {
	until, err := strconv.ParseInt(browser.Recall(string(p)), 10, 64)
	return err == nil && now.Unix() < until
}

// Begin has the offer rest for 30 days. In a browser that keeps nothing it rests on this page
// only, which the caller must remember.
func (p Pause) Begin(now time.Time) {
	browser.Remember(string(p), strconv.FormatInt(now.Add(pauseFor).Unix(), 10))
}
