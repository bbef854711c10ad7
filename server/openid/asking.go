package openid

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The pages on which a user decides about a request, and the forms that they send.

// Pages draws what people see of a request. Server has them from package signinpages.
type Pages interface {
	Consent(w http.ResponseWriter, r *http.Request, page ConsentPage) error
	StepUp(w http.ResponseWriter, r *http.Request, page StepUpPage) error
	Onward(w http.ResponseWriter, r *http.Request, page Onward) error
	// SignOut asks whether to sign out.
	SignOut(w http.ResponseWriter, r *http.Request, page SignOutPage) error
	Device
}

// Onward is where a page leads the browser on.
type Onward struct {
	Program string     // or provider
	Address string     // absolute
	Posted  url.Values // by a form; nil if the address has all
}

// ConsentPage is the content of the page on which a user lets a program in.
type ConsentPage struct {
	Program, Host string
	User          store.User
	Scopes        []string // that the program gets
	Before        []string // that it was allowed before
	Again         bool     // it was let in before
	EachTime      bool     // the user is asked at each sign-in
	Next          string   // the address of the page, where the request goes on
	Request       string
}

// StepUpPage is the content of the page on which a user confirms who they are.
type StepUpPage struct {
	Program  string
	User     store.User
	SignedIn time.Duration // how long ago
	Passkey  bool          // nothing else is enough
	Hardware bool          // and only one that can't leave its device, as its maker attests
	Next     string
	Request  string
	Refusal  *shared.Error // why the last attempt failed, or nil
}

// asked is what a form of such a page brings back: the request, who was asked, and what they were told. So nobody
// allows in another user's name, or more than they have read.
type asked struct {
	Request string    `json:"r"` // the id, or the code of a device
	User    string    `json:"u"`
	Scopes  []string  `json:"s,omitempty"`
	Program string    `json:"p,omitempty"` // of a device
	Until   time.Time `json:"t"`
}

func (h *Handlers) sealAsked(of asked) (string, error) {
	of.Until = h.Now().Add(requestLife).UTC()
	return h.forms.SealJSON(of)
}

func (h *Handlers) askForConsent(w http.ResponseWriter, r *http.Request, p pending, c Client, who *httpapi.Caller, is consent) error {
	p, err := h.waits(w, r, p)
	if err != nil {
		return err
	}
	sealed, err := h.sealAsked(asked{Request: p.id, User: who.User.ID, Scopes: p.Scopes})
	if err != nil {
		return err
	}
	return h.Pages.Consent(w, r, ConsentPage{
		Program: c.Name, Host: c.Host(p.Redirect), User: who.User, Scopes: p.Scopes, Before: is.scopes, Again: is.again, EachTime: is.eachTime, Next: p.continues(), Request: sealed,
	})
}

// askToConfirm shows the page on which users confirm who they are. Refused is why the last attempt failed.
func (h *Handlers) askToConfirm(w http.ResponseWriter, r *http.Request, p pending, c Client, who *httpapi.Caller, refused error) error {
	p, err := h.waits(w, r, p)
	if err != nil {
		return err
	}
	sealed, err := h.sealAsked(asked{Request: p.id, User: who.User.ID})
	if err != nil {
		return err
	}
	page := StepUpPage{
		Program: c.Name, User: who.User, SignedIn: h.Now().Sub(who.Session.Authenticated),
		Passkey: len(p.ACR) > 0, Hardware: len(p.ACR) > 0 && !slices.Contains(p.ACR, acrPasskey), Next: p.continues(), Request: sealed,
	}
	if who.Session.Authenticated.IsZero() { // somewhere else the user is just confirming
		page.SignedIn = 0
	}
	if refused != nil {
		page.Refusal = h.Answers.Report(w, r, refused)
	}
	return h.Pages.StepUp(w, r, page)
}

// Host is where the program is, as people read it: the host of an address to which a user goes back, or of its own
// addresses if that is "". An app has none.
func (c Client) Host(back string) string {
	for _, address := range append([]string{back, c.Home}, c.Redirects...) {
		if to, err := url.Parse(address); err == nil && (to.Scheme == "https" || to.Scheme == "http") {
			return to.Host
		}
	}
	return ""
}

// errOtherUser is the refusal of a form that somebody else was shown.
var errOtherUser = shared.Errorf(shared.CodeConflict, "Somebody else is signed in by now. Go back to the program, and begin there again.")

// form reads what a page sent: the sealed request, which the signed-in user must have been shown.
func (h *Handlers) form(w http.ResponseWriter, r *http.Request) (typed url.Values, of asked, who *httpapi.Caller, err error) {
	typed, err = httpapi.Form(r)
	if err != nil {
		return nil, of, nil, err
	}
	if h.forms.OpenJSON(typed.Get("request"), &of) != nil {
		return nil, of, nil, errGone
	}
	h.KeepOpener(w, r, shared.PageContinue+of.Request)
	if h.Now().After(of.Until) {
		return nil, of, nil, errGone
	}
	who, err = h.caller(w, r)
	if err == nil && who.User.ID != of.User {
		err = errOtherUser
	}
	return typed, of, who, err
}

// decision is a form about a request that waits, as the user who was asked has sent it.
type decision struct {
	pending
	client Client
	who    *httpapi.Caller
	typed  url.Values
	scopes []string // that the user has read
}

// decided reads such a form for take. Whoever isn't signed in any more does that first.
func (h *Handlers) decided(take func(http.ResponseWriter, *http.Request, decision) error) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		typed, of, who, err := h.form(w, r)
		if err != nil && shared.CodeOf(err) != shared.CodeUnauthenticated {
			return err
		}
		p, c, gone := h.continued(r, of.Request)
		if gone != nil {
			return gone
		}
		if err != nil {
			return h.toSignIn(w, r, p)
		}
		return take(w, r, decision{p, c, who, typed, of.Scopes})
	}
}

// takeConsent takes the answer of the user: they let the program in, or go back without.
func (h *Handlers) takeConsent(w http.ResponseWriter, r *http.Request, d decision) error {
	p, c := d.pending, d.client
	if d.typed.Get("answer") != "allow" {
		return h.refusedTo(w, r, p, c, oauth("access_denied", "the user has cancelled"))
	}
	if !slices.Equal(d.scopes, p.Scopes) { // also the form of another page, which has none
		return errGone
	}
	p.allowed = true
	p.Prompt = slices.DeleteFunc(p.Prompt, func(prompt string) bool { return prompt == "consent" || prompt == "select_account" })
	if !c.FirstParty {
		err := h.Grants.Allow(r.Context(), d.who.Actor, c.allows(d.scopes), h.allowed(d.who, c)...)
		if err != nil {
			return err
		}
	}
	return h.refusedTo(w, r, p, c, h.decide(w, r, p, c))
}

// confirm takes a password with which a user confirms who they are, or leads to a provider for that.
func (h *Handlers) confirm(w http.ResponseWriter, r *http.Request, d decision) error {
	if provider := d.typed.Get("provider"); provider != "" {
		address, name, err := h.ConfirmAt(w, r, d.who, provider, d.continues())
		if err != nil {
			return h.askToConfirm(w, r, d.pending, d.client, d.who, err)
		}
		return h.Pages.Onward(w, r, Onward{Program: name, Address: address})
	}
	issued, err := h.Accounts.ConfirmPassword(r.Context(), d.who.Actor, d.typed.Get("password"))
	if shared.CodeOf(err) != "" {
		return h.askToConfirm(w, r, d.pending, d.client, d.who, err)
	}
	if err != nil {
		return err
	}
	h.SetSession(w, r, issued)
	http.Redirect(w, r, d.continues(), http.StatusSeeOther)
	return nil
}

// otherAccount signs the user out, and asks who uses the program, or the device.
func (h *Handlers) otherAccount(w http.ResponseWriter, r *http.Request) error {
	_, of, _, err := h.form(w, r)
	if err != nil && shared.CodeOf(err) != shared.CodeUnauthenticated {
		return err
	}
	next := ""
	if of.isOfDevice() {
		next = deviceAddress(of.Request)
	} else {
		p, _, gone := h.continued(r, of.Request)
		if gone != nil {
			return gone
		}
		next = p.continues()
	}
	if err == nil {
		if err := h.SignOut(w, r); err != nil {
			return err
		}
	}
	http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, next), http.StatusSeeOther)
	return nil
}
