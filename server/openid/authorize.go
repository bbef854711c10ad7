package openid

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// authorize is the authorization endpoint. Whoever is signed in and has nothing to decide goes back to the program
// at once.
func (h *Handlers) authorize(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost {
		return h.comesByGet(w, r)
	}
	a, c, err := h.readAddress(r)
	keepOpener(w, a)
	if err == nil {
		err = h.decide(w, r, pending{request: a}, c)
	}
	return h.refusedTo(w, r, pending{request: a}, c, err)
}

// queryPosted is the parameter of an address that has a request which came by POST, sealed.
const queryPosted = "posted"

// comesByGet checks a request that came by POST, and makes the browser send it again by GET. A POST of another site comes
// without our cookies (RFC 6265bis, 5.6.7.1): it doesn't say who is signed in, nor which requests wait already. So it
// must set none either, or another site could fill a browser with them until no server takes its requests.
func (h *Handlers) comesByGet(w http.ResponseWriter, r *http.Request) error {
	sent, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	a, c, err := h.readRequest(r.Context(), sent)
	keepOpener(w, a)
	if err != nil {
		return h.refusedTo(w, r, pending{request: a}, c, err)
	}
	sealed, err := h.sealed(a)
	if err != nil {
		return h.refusedTo(w, r, pending{request: a}, c, err)
	}
	http.Redirect(w, r, PathAuthorize+"?"+url.Values{queryPosted: {sealed}}.Encode(), http.StatusSeeOther)
	return nil
}

// readAddress reads the request of an address. One that came by POST begins anew each time, as any other does: whoever
// has its address can't make an old sign-in count as one that it led to.
func (h *Handlers) readAddress(r *http.Request) (request, Client, error) {
	sent := r.URL.Query()
	if sent.Has("client_id") || !sent.Has(queryPosted) {
		return h.readRequest(r.Context(), sent)
	}
	a := h.opened(sent.Get(queryPosted))
	c, err := h.stillTaken(r.Context(), a)
	if err != nil {
		return request{}, c, err
	}
	a.Begun = h.begins()
	return a, c, nil
}

// goOn is where a request goes on that waited in the browser.
func (h *Handlers) goOn(w http.ResponseWriter, r *http.Request) error {
	h.KeepOpener(w, r, r.URL.Path)
	p, c, err := h.continued(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.refusedTo(w, r, p, c, h.decide(w, r, p, c))
}

// continued returns a request that waits in this browser, with its client as it is now.
func (h *Handlers) continued(r *http.Request, id string) (pending, Client, error) {
	p, err := h.pendingOf(r, id)
	if err != nil {
		return p, Client{}, err
	}
	c, err := h.stillTaken(r.Context(), p.request)
	return p, c, err
}

// stillTaken returns the client of a request that was checked before, which must be able to send it now.
func (h *Handlers) stillTaken(ctx context.Context, a request) (Client, error) {
	if a.Client == "" || h.Now().Sub(a.Begun) > requestLife {
		return Client{}, errGone
	}
	c, err := h.client(ctx, a.Client)
	if errors.Is(err, store.ErrNotFound) {
		return c, errUnknownClient
	}
	if err == nil && !c.RedirectAllowed(a.Redirect) { // any more
		return c, errWrongRedirect
	}
	return c, err
}

// refusedTo leads the browser back to the program with a refusal, if err is one that a program reads.
func (h *Handlers) refusedTo(w http.ResponseWriter, r *http.Request, p pending, c Client, err error) error {
	refused, is := errors.AsType[*oauthError](err)
	if !is || p.Redirect == "" {
		return err
	}
	h.Log.Info("an authorization request is refused", "request", httpapi.RequestID(r.Context()), "client", c.ID, "cause", refused)
	return h.leadBack(w, r, p, c, refusalOf(refused))
}

// leadBack sends the browser to the program with an answer. Behind one of our own forms that isn't a redirect: see
// signinpages.Onward.
func (h *Handlers) leadBack(w http.ResponseWriter, r *http.Request, p pending, c Client, values url.Values) error {
	h.done(w, p.id)
	w.Header().Set("Cache-Control", "no-store")
	values = h.with(p.request, values)
	if p.Posted {
		// This page has nothing but the form, which the program may answer by leading on to anywhere.
		w.Header().Set("Content-Security-Policy", formPolicy)
		return h.Pages.Onward(w, r, Onward{Program: c.Name, Address: p.Redirect, Posted: values})
	}
	address := p.address(values)
	if p.id == "" {
		w.Header().Set("Location", address) // as it was registered: http.Redirect would rewrite it
		w.WriteHeader(http.StatusFound)
		return nil
	}
	return h.Pages.Onward(w, r, Onward{Program: c.Name, Address: address})
}

// formPolicy is the policy of a page that sends its form to a program.
const formPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action http: https:; frame-ancestors 'none'"

// decide answers a request, or asks the user for what is missing.
func (h *Handlers) decide(w http.ResponseWriter, r *http.Request, p pending, c Client) error {
	r = httpapi.Preferring(r, strings.Fields(p.Locales))
	silent := p.prompts("none")
	who, err := h.caller(w, r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		if silent {
			return oauth("login_required", "nobody is signed in")
		}
		return h.toSignIn(w, r, p)
	}
	if err != nil {
		return err
	}
	switch {
	case p.Subject != "" && p.Subject != h.subject(c, who.User.ID):
		return oauth("login_required", "somebody else is signed in than id_token_hint says")
	case !c.Admits(who.User):
		return oauth("access_denied", "the user is in no group that may use this client")
	}
	if need := h.missing(p.request, who); need != nil {
		if silent {
			return need
		}
		return h.askToConfirm(w, r, p, c, who, nil)
	}
	asks, err := h.asks(r, p, c, who)
	if err != nil {
		return err
	}
	if asks.needed {
		if silent {
			return oauth("consent_required", "the user must be asked first")
		}
		return h.askForConsent(w, r, p, c, who, asks)
	}
	return h.answerWithCode(w, r, p, c, who)
}

// caller returns who is signed in.
func (h *Handlers) caller(w http.ResponseWriter, r *http.Request) (*httpapi.Caller, error) {
	who, err := h.Gates.Authenticate(r)
	if err == nil && h.Gates.Admitted != nil {
		h.Gates.Admitted(w, r, who)
	}
	return who, err
}

// toSignIn sends the browser to the sign-in page, which leads back to the request.
func (h *Handlers) toSignIn(w http.ResponseWriter, r *http.Request, p pending) error {
	p, err := h.waits(w, r, p)
	if err != nil {
		return err
	}
	http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, p.continues()), http.StatusSeeOther)
	return nil
}

// waits makes a request wait, unless it does.
func (h *Handlers) waits(w http.ResponseWriter, r *http.Request, p pending) (pending, error) {
	if p.id != "" {
		return p, nil
	}
	return h.wait(w, r, p.request)
}

// missing returns why the user must confirm who they are, as a refusal for programs that don't want them to be
// asked. It is nil if the last confirmation is enough.
func (h *Handlers) missing(a request, who *httpapi.Caller) error {
	at := who.Session.Authenticated
	if acr, _ := ContextOf(who.Session.Proof, who.User); !meets(acr, a.ACR) {
		return oauth("unmet_authentication_requirements", "the user hasn't signed in in the way that acr_values asks for")
	}
	if at.After(a.Begun) {
		return nil // the request itself led to it
	}
	if a.prompts("login") || a.MaxAge != nil && h.Now().Sub(at) > time.Duration(*a.MaxAge)*time.Second {
		return oauth("login_required", "the user must confirm who they are")
	}
	return nil
}

// consent is what a program asks for.
type consent struct {
	needed   bool
	eachTime bool     // whatever was allowed before
	scopes   []string // that were allowed before
	again    bool     // the program was let in before
}

// asks compares what a program asks for with what the user has allowed. A program for which another one could pass itself
// off gets nothing without the user seeing it.
func (h *Handlers) asks(r *http.Request, p pending, c Client, who *httpapi.Caller) (consent, error) {
	is := consent{scopes: p.Scopes, again: true, eachTime: c.anotherMayGet(p.Redirect)}
	is.needed = is.eachTime && !p.allowed || p.prompts("consent") || p.prompts("select_account")
	if c.FirstParty {
		return is, nil
	}
	before, err := h.Grants.Program(r.Context(), who.User.ID, grant.Client+c.ID, c.Created)
	if err != nil {
		return consent{}, err
	}
	is.scopes, is.again = before.Allowed, before.Allowed != nil
	is.needed = is.needed || slices.ContainsFunc(p.Scopes, func(scope string) bool { return !slices.Contains(before.Allowed, scope) })
	return is, nil
}

// answerWithCode gives the program a code. It writes nothing: the exchange does.
func (h *Handlers) answerWithCode(w http.ResponseWriter, r *http.Request, p pending, c Client, who *httpapi.Caller) error {
	code, err := h.Grants.Code(who.Actor, grant.Code{
		Program: grant.Client + c.ID, Name: c.Name, Scopes: p.Scopes, Redirect: store.HashOf(p.Redirect).String(), Bound: p.Challenge, Nonce: p.Nonce,
		Lasting: slices.Contains(p.Scopes, shared.ScopeOffline), Told: c.BackChannel != "",
	})
	if err != nil {
		return err
	}
	return h.leadBack(w, r, p, c, url.Values{"code": {code}})
}
