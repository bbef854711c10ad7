package federation

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Handlers let people sign in at the providers, link their identities there with their
// account, and confirm there. They make authorization requests, and take the responses at
// the callback. What the browser keeps in between is in authorization.go. [NewHandlers]
// makes them.
type Handlers struct {
	Providers []*Provider
	Accounts  *account.Service // knows the same providers

	Gates   httpapi.Gates
	Answers httpapi.Answers
	Cookies httpapi.Cookies
	Notices httpapi.Notices
	Pages   httpapi.Pages // which a sign-in may lead to
	Now     store.Clock
	Log     *slog.Logger
	Origin  string // of our address

	// Visitor is the actor of a request to sign in. It has no user yet.
	Visitor func(*http.Request) session.Actor
	// SetSession sets the cookie of an issued session.
	SetSession func(http.ResponseWriter, *http.Request, session.Issued)
	// Leads prepares an answer on the way to a page of ours: see [openid.Handlers.KeepOpener].
	Leads func(w http.ResponseWriter, r *http.Request, next string)

	seal     *seal.Sealer
	warnings warnings
}

// NewHandlers completes Handlers with the key that seals authorization requests.
func NewHandlers(key []byte, h Handlers) (*Handlers, error) {
	sealer, err := seal.New(key, format)
	h.seal, h.warnings = sealer, newWarnings(h.Now)
	return &h, err
}

// CallbackPattern is the pattern of the callbacks, each of which is a redirect URI.
const CallbackPattern = shared.PageSSO + "{provider}" + shared.PageSSOAnswer

// Mount names the routes: those of the API, and those to which browsers are redirected.
func (h *Handlers) Mount(api, page func(pattern string, h httpapi.Handler)) {
	api("POST "+shared.PathConfirmSSO+"{provider}", h.Gates.SignedIn(h.beginConfirmation))
	api("POST "+shared.PathIdentity+"{provider}", h.Gates.Confirmed(h.beginLink))
	api("DELETE "+shared.PathIdentity+"{id}", h.Gates.Confirmed(h.unlink))
	page("GET "+shared.PageSSO+"{provider}", h.beginSignIn)
	page("GET "+CallbackPattern, h.callback)
	page("POST "+CallbackPattern, h.refusePosted)
}

// provider finds a provider by its id in the path.
func (h *Handlers) provider(r *http.Request) (*Provider, error) {
	at := slices.IndexFunc(h.Providers, func(p *Provider) bool { return p.c.ID == r.PathValue("provider") })
	if at < 0 {
		return nil, shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	return h.Providers[at], nil
}

// begin makes an authorization request, sets its cookie, and returns the address at the
// provider to which the browser goes.
func (h *Handlers) begin(w http.ResponseWriter, r *http.Request, p *Provider, a authorization, how prompting) (address string, err error) {
	address, a.pendingRequest, err = p.begin(r.Context(), how)
	if err != nil {
		return "", h.warned(r, p, err)
	}
	sealed, err := h.seal.SealJSON(a)
	if err != nil {
		return "", err
	}
	h.makeRoom(w, r)
	h.Cookies.Set(w, cookieOf(a.State), sealed, requestLife)
	return address, nil
}

// warned warns IT of a failure, and returns it. A warning names what a browser brought by
// its code alone; the log's line of the same request quotes it.
func (h *Handlers) warned(r *http.Request, p *Provider, err error) error {
	if r.Context().Err() == nil { // otherwise it may have failed because nobody waited
		h.warnings.warn(h.Log.With("request", httpapi.RequestID(r.Context())), p, err)
	}
	return err
}

// queryChoose in the address of a provider's button makes the provider ask which account to
// use, because the one that it would use by itself was refused.
const queryChoose = "choose"

// beginSignIn is the address of a provider's button on the sign-in page.
func (h *Handlers) beginSignIn(w http.ResponseWriter, r *http.Request) error {
	p, err := h.provider(r)
	if err != nil {
		return err
	}
	if !h.isHere(r) { // the provider leads back to the main address, where the cookie must be
		http.Redirect(w, r, h.Origin+r.URL.RequestURI(), http.StatusSeeOther)
		return nil
	}
	next := h.Pages.Next(r.FormValue("next"))
	h.Leads(w, r, next)
	if _, err := h.Gates.Authenticate(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	how := silently
	if r.URL.Query().Has(queryChoose) {
		how = choosing
	}
	address, err := h.begin(w, r, p, authorization{Purpose: toSignIn, Next: next}, how)
	if err != nil {
		return h.backToSignIn(w, r, authorization{Purpose: toSignIn, Next: next}, err)
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// isHere reports whether a browser is at the main address of an organisation that may have several.
func (h *Handlers) isHere(r *http.Request) bool { return strings.HasSuffix(h.Origin, "://"+r.Host) }

// elsewhere refuses what works at the main address alone.
func (h *Handlers) elsewhere() error {
	return shared.Errorf(shared.CodeWrongHost, "This works at %s only. Please sign in there.", h.Origin).
		Because(errors.New("the provider leads back to the main address"))
}

func (h *Handlers) beginLink(w http.ResponseWriter, r *http.Request) error {
	caller := httpapi.CallerOf(r)
	if err := caller.MayAddMethod(caller.User, h.Now()); err != nil {
		return err // before the user has gone to the provider
	}
	return h.beginSignedIn(w, r, authorization{Purpose: toLink, Next: shared.PageHome})
}

func (h *Handlers) beginConfirmation(w http.ResponseWriter, r *http.Request) error {
	var request shared.BeginSSOConfirmation
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	return h.beginSignedIn(w, r, authorization{Purpose: toConfirm, Next: h.Pages.Next(request.Next)})
}

// ConfirmAt begins the confirmation of a signed-in user at a provider. It returns the address there, to which the browser
// must be led, and the provider's name. Afterwards the browser goes on at next, a page of ours.
func (h *Handlers) ConfirmAt(w http.ResponseWriter, r *http.Request, who *httpapi.Caller, provider, next string) (address, name string, err error) {
	at := slices.IndexFunc(h.Providers, func(p *Provider) bool { return p.c.ID == provider })
	if at < 0 {
		return "", "", shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	if !h.isHere(r) {
		return "", "", h.elsewhere()
	}
	p := h.Providers[at]
	address, err = h.begin(w, r, p, authorization{Purpose: toConfirm, UserID: who.User.ID, Next: h.Pages.Next(next)}, afresh)
	return address, p.c.Name, err
}

// beginSignedIn answers with the address at the provider, to which the app goes.
func (h *Handlers) beginSignedIn(w http.ResponseWriter, r *http.Request, a authorization) error {
	p, err := h.provider(r)
	if err != nil {
		return err
	}
	if !h.isHere(r) {
		return h.elsewhere()
	}
	a.UserID = httpapi.CallerOf(r).User.ID
	how := silently
	if a.Purpose == toConfirm {
		how = afresh
	}
	address, err := h.begin(w, r, p, a, how)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.AtProvider{URL: address})
}

// callback is the redirect URI. It takes the authorization response that a browser brings.
func (h *Handlers) callback(w http.ResponseWriter, r *http.Request) error {
	p, err := h.provider(r)
	if err != nil {
		return err
	}
	a, err := h.requestOf(r)
	if err != nil {
		return h.unexpected(w, r, p, err)
	}
	h.Leads(w, r, a.Next)
	identity, err := p.finish(r.Context(), a.pendingRequest, r.URL.Query())
	if err == nil {
		h.warnings.works(p)
		err = h.carryOut(w, r, a, h.claims(p, a, identity))
	}
	h.warned(r, p, err)
	if shared.CodeOf(err) != shared.CodeProviderUnavailable { // otherwise the person may try again with Back
		h.Cookies.Drop(w, cookieOf(a.State))
	}
	if err != nil {
		return h.backToSignIn(w, r, a, err)
	}
	http.Redirect(w, r, a.Next, http.StatusSeeOther)
	return nil
}

// claims are what an authorization response proves of the person who brought it.
func (h *Handlers) claims(p *Provider, a authorization, identity person) account.Claims {
	rules, _ := h.Accounts.Provider(p.c.ID) // server.New has checked that it is there
	return account.Claims{
		Provider: rules, Subject: identity.Subject, Profile: identity.Profile, IDToken: identity.Claims,
		UserInfo: identity.UserInfo, SpendTicket: a.spend(),
	}
}

// refusePosted refuses a response by POST. No other site may send a POST here, so it
// doesn't read the response and changes nothing. It tells people and IT what is wrong.
func (h *Handlers) refusePosted(_ http.ResponseWriter, r *http.Request) error {
	p, err := h.provider(r)
	if err != nil {
		return err
	}
	return h.warned(r, p, p.answeredByPOST())
}

// unexpected refuses a response for which the browser doesn't wait: mostly after the person
// went back in the browser after signing in. Anybody can send one, so IT isn't warned of
// what it says. IT is warned of an empty response to a browser that waits for one of p.
func (h *Handlers) unexpected(w http.ResponseWriter, r *http.Request, p *Provider, err error) error {
	answer := r.URL.Query()
	if code := answer.Get("error"); code != "" && !answer.Has("state") { // some refuse without it
		err = p.declined(code, answer.Get("error_description"))
	}
	if len(answer) == 0 && h.waitsFor(r, p) {
		err = h.warned(r, p, p.answeredEmpty())
	}
	return h.backToSignIn(w, r, authorization{Purpose: toSignIn, Next: shared.PageHome}, err)
}

// carryOut does what the authorization request was for: it signs in, links or confirms.
func (h *Handlers) carryOut(w http.ResponseWriter, r *http.Request, a authorization, claims account.Claims) error {
	if a.Purpose == toSignIn {
		issued, err := h.Accounts.SignInWithIdentity(r.Context(), h.Visitor(r), claims)
		if err != nil {
			return err
		}
		h.SetSession(w, r, issued)
		return nil
	}

	who, err := h.Gates.Authenticate(r)
	if err != nil {
		return err
	}
	if who.User.ID != a.UserID {
		return shared.Errorf(shared.CodeSSORefused, "This sign-in was begun in another browser, or too long ago. Please try again.").
			Because(errors.New("somebody else is signed in now"))
	}
	if a.Purpose == toLink {
		return h.Accounts.LinkIdentity(r.Context(), who.Actor, claims)
	}
	issued, err := h.Accounts.ConfirmIdentity(r.Context(), who.Actor, claims)
	if err != nil {
		return err
	}
	h.SetSession(w, r, issued)
	return nil
}

// backToSignIn shows a refusal on the sign-in page, or on a page of its own to a signed-in
// user. If the person wanted to sign in and is signed in by now, because another tab was
// faster, it leads them on. An error without a code stays a fault.
//
// If the cookie of the authorization request was opened, the browser sends cookies back.
// Otherwise cookies may be blocked, or a proxy may drop them, and then the notice is lost
// too. The page [shared.PageSignedIn] finds that out.
func (h *Handlers) backToSignIn(w http.ResponseWriter, r *http.Request, a authorization, err error) error {
	if shared.CodeOf(err) == "" {
		return err
	}
	refusal := h.Answers.Report(w, r, err)
	if _, err := h.Gates.Authenticate(r); err == nil && a.Purpose == toSignIn {
		http.Redirect(w, r, a.Next+fragmentAfter(r), http.StatusSeeOther)
		return nil
	}
	notice := httpapi.Notice{Code: refusal.Code, Message: refusal.Message, SignIn: a.Purpose == toSignIn}
	if err := h.Notices.Set(w, notice); err != nil {
		return err
	}
	to := shared.PageSignIn
	if a.State == "" {
		to = shared.PageSignedIn
	}
	http.Redirect(w, r, httpapi.WithNext(to, a.Next)+fragmentAfter(r), http.StatusSeeOther)
	return nil
}

// fragmentAfter returns an empty fragment after a callback without a query. The response
// may be in the fragment, and browsers keep a fragment for an address that has none of its
// own (RFC 9110, 10.2.2).
func fragmentAfter(r *http.Request) string {
	if r.URL.RawQuery == "" && strings.HasSuffix(r.URL.Path, shared.PageSSOAnswer) {
		return "#"
	}
	return ""
}

// Button leads from the sign-in page to a provider.
type Button struct {
	Name    string // of the provider
	Text    string // on the button; "" for the usual text
	Address string
}

// Buttons returns the buttons for the sign-in page, after a refusal with this code or "".
func (h *Handlers) Buttons(next string, refused shared.Code) []Button {
	query := url.Values{}
	if next != shared.PageHome {
		query.Set("next", next)
	}
	if refused == shared.CodeNoAccount {
		query.Set(queryChoose, "")
	}
	var buttons []Button
	for _, p := range h.Providers {
		address := shared.PageSSO + p.c.ID
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		buttons = append(buttons, Button{Name: p.c.Name, Text: p.c.Button, Address: address})
	}
	return buttons
}

func (h *Handlers) unlink(w http.ResponseWriter, r *http.Request) error {
	if err := h.Accounts.UnlinkIdentity(r.Context(), httpapi.CallerOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// SignOutURL returns the address that ends a session at the provider where its user signed
// in, or "".
func (h *Handlers) SignOutURL(ctx context.Context, session store.Session) string {
	at := slices.IndexFunc(h.Providers, func(p *Provider) bool { return session.Provider != "" && p.c.ID == session.Provider })
	if at < 0 {
		return ""
	}
	return h.Providers[at].SignOutURL(ctx, h.Origin+shared.PageSignIn)
}
