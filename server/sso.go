package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Sign-in at OpenID providers: authorization requests, and the callback with its response.
// What the browser keeps in between is in sso_trips.go.

// provider finds a provider by its id in the path.
func (s *Server) provider(r *http.Request) (*sso.Provider, error) {
	at := slices.IndexFunc(s.SSO, func(p *sso.Provider) bool { return p.ID == r.PathValue("provider") })
	if at < 0 {
		return nil, shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	return s.SSO[at], nil
}

// leave begins an authorization request, sets its cookie, and returns the address at the
// provider that the browser is to go to.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, p *sso.Provider, t trip, how sso.How) (address string, err error) {
	address, t.Pending, err = p.Begin(r.Context(), how)
	if err != nil {
		return "", s.warned(r, p, err)
	}
	sealed, err := pack(s.travel.trips, t)
	if err != nil {
		return "", err
	}
	s.forgetTrips(w, r)
	s.cookies.Set(w, tripCookie(t.State), sealed, tripLife)
	return address, nil
}

// warned warns IT of a sign-in that fails at a provider. What a browser brought is told by
// its code alone; the line of the same request quotes it.
func (s *Server) warned(r *http.Request, p *sso.Provider, err error) error {
	if r.Context().Err() == nil { // else it may be that nobody waited
		s.travel.warnings.Tell(s.Log.With("request", httpapi.RequestID(r.Context())), p, err)
	}
	return err
}

// queryChoose in the address of a provider's button lets the provider ask which
// account is meant: the one that it would take by itself was refused.
const queryChoose = "choose"

// goToProvider is the button of the sign-in page.
func (s *Server) goToProvider(w http.ResponseWriter, r *http.Request) error {
	p, err := s.provider(r)
	if err != nil {
		return err
	}
	next := nextPage(r.FormValue("next"))
	if _, err := s.people.authenticate(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	how := sso.Silently
	if r.URL.Query().Has(queryChoose) {
		how = sso.Choosing
	}
	address, err := s.leave(w, r, p, trip{Purpose: toSignIn, Next: next}, how)
	if err != nil {
		return s.backToSignIn(w, r, trip{Purpose: toSignIn, Next: next}, err)
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

func (s *Server) beginLink(w http.ResponseWriter, r *http.Request) error {
	return s.leaveSignedIn(w, r, trip{Purpose: toLink, Next: shared.PageHome})
}

func (s *Server) beginSSOConfirmation(w http.ResponseWriter, r *http.Request) error {
	var request shared.BeginSSOConfirmation
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	return s.leaveSignedIn(w, r, trip{Purpose: toConfirm, Next: nextPage(request.Next)})
}

// leaveSignedIn answers with the address for the app to go to.
func (s *Server) leaveSignedIn(w http.ResponseWriter, r *http.Request, t trip) error {
	p, err := s.provider(r)
	if err != nil {
		return err
	}
	t.UserID = httpapi.CallerOf(r).User.ID
	how := sso.Silently
	if t.Purpose == toConfirm {
		how = sso.Afresh
	}
	address, err := s.leave(w, r, p, t, how)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.AtProvider{URL: address})
}

// pageCallback is the pattern of the callbacks, each of which is a redirect URI.
const pageCallback = shared.PageSSO + "{provider}" + shared.PageSSOAnswer

// comeBack is the callback: it takes the authorization response that a browser brings.
func (s *Server) comeBack(w http.ResponseWriter, r *http.Request) error {
	p, err := s.provider(r)
	if err != nil {
		return err
	}
	t, err := s.tripOf(r)
	if err != nil {
		return s.unexpected(w, r, p, err)
	}
	identity, err := p.Finish(r.Context(), t.Pending, r.URL.Query())
	if err == nil {
		s.travel.warnings.Works(p)
		err = s.arrive(w, r, t, s.asserted(p, t, identity))
	}
	s.warned(r, p, err)
	if shared.CodeOf(err) != shared.CodeProviderUnavailable { // else they may come again by Back
		s.cookies.Drop(w, tripCookie(t.State))
	}
	if err != nil {
		return s.backToSignIn(w, r, t, err)
	}
	http.Redirect(w, r, t.Next, http.StatusSeeOther)
	return nil
}

func (s *Server) asserted(p *sso.Provider, t trip, identity sso.Identity) account.Asserted {
	rules, _ := s.Accounts.Provider(p.ID) // New has checked that it is there
	return account.Asserted{
		Provider: rules, Subject: identity.Subject, Claims: identity.Claims, Spent: t.Ticket(),
		Described: described(identity.Description),
		Describe: func(ctx context.Context) (account.Described, error) {
			said, err := identity.Describe(ctx)
			return described(said), err
		},
	}
}

func described(said sso.Description) account.Described {
	return account.Described{Name: said.Name, Email: said.Email, Verified: said.EmailVerified}
}

// refusePosted is for a provider that answers by POST, which no other site may do here. It
// tells people and IT what is wrong, and neither reads the answer nor changes anything.
func (s *Server) refusePosted(_ http.ResponseWriter, r *http.Request) error {
	p, err := s.provider(r)
	if err != nil {
		return err
	}
	return s.warned(r, p, p.AnsweredByPOST())
}

// unexpected is for an answer that the browser waits for no more, or never has: mostly of
// somebody who went back by the browser's button after they had signed in. Anybody can send
// one, so IT isn't warned of what it says; but of an empty one in a browser that waits for
// an answer of p.
func (s *Server) unexpected(w http.ResponseWriter, r *http.Request, p *sso.Provider, err error) error {
	answer := r.URL.Query()
	if code := answer.Get("error"); code != "" && !answer.Has("state") { // some refuse without it
		err = p.Declined(code, answer.Get("error_description"))
	}
	if len(answer) == 0 && s.waitsFor(r, p) {
		err = s.warned(r, p, p.AnsweredEmpty())
	}
	return s.backToSignIn(w, r, trip{Purpose: toSignIn, Next: shared.PageHome}, err)
}

// arrive does what somebody went to the provider for.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, t trip, asserted account.Asserted) error {
	if t.Purpose == toSignIn {
		issued, err := s.Accounts.SignInWithIdentity(r.Context(), s.local.visitor(r), asserted)
		if err != nil {
			return err
		}
		s.local.admit(w, r, issued)
		return nil
	}

	who, err := s.people.authenticate(r)
	if err != nil {
		return err
	}
	if who.User.ID != t.UserID {
		return shared.Errorf(shared.CodeSSORefused, "This sign-in was begun in another browser, or too long ago. Please try again.").
			Because(errors.New("somebody else is signed in now"))
	}
	if t.Purpose == toLink {
		return s.Accounts.LinkIdentity(r.Context(), who.Actor, asserted)
	}
	issued, err := s.Accounts.ConfirmIdentity(r.Context(), who.Actor, asserted)
	if err != nil {
		return err
	}
	s.local.admit(w, r, issued)
	return nil
}

// backToSignIn shows a refusal at the sign-in page, or on a page of its own to
// somebody who is signed in. Who wanted to sign in, and is by now, is led on: another
// tab was faster. What isn't a refusal stays a fault.
//
// A trip whose cookie was opened tells that cookies come back. Without one they may be blocked,
// or a proxy may drop them, and then so they do with the sentence: [Server.showSignedIn]
// finds that out.
func (s *Server) backToSignIn(w http.ResponseWriter, r *http.Request, t trip, err error) error {
	if shared.CodeOf(err) == "" {
		return err
	}
	refusal := s.answers.Report(w, r, err)
	if _, err := s.people.authenticate(r); err == nil && t.Purpose == toSignIn {
		http.Redirect(w, r, t.Next+fragmentAfter(r), http.StatusSeeOther)
		return nil
	}
	sealed, err := pack(s.travel.said, said{refusal.Code, refusal.Message, t.Purpose == toSignIn})
	if err != nil {
		return err
	}
	s.cookies.Set(w, cookieSaid, sealed, saidLife)
	to := shared.PageSignIn
	if t.State == "" {
		to = shared.PageSignedIn
	}
	http.Redirect(w, r, withNext(to, t.Next)+fragmentAfter(r), http.StatusSeeOther)
	return nil
}

// fragmentAfter is an empty fragment after a callback without a query: the answer may be in
// the fragment, and browsers carry one along to an address that has none of its own (RFC
// 9110, 10.2.2).
func fragmentAfter(r *http.Request) string {
	if r.URL.RawQuery == "" && strings.HasSuffix(r.URL.Path, shared.PageSSOAnswer) {
		return "#"
	}
	return ""
}

// said is a refusal that is shown on the next page.
type said struct {
	Code    shared.Code `json:"c"`
	Message string      `json:"m"`
	SignIn  bool        `json:"s,omitempty"` // it is of a sign-in, and of no interest to the signed-in
}

// heard returns what the page before wanted to say, once; nothing mostly.
func (s *Server) heard(w http.ResponseWriter, r *http.Request) (said, bool) {
	var what said
	sealed := s.cookies.Value(r, cookieSaid)
	if sealed == "" {
		return what, false
	}
	s.cookies.Drop(w, cookieSaid)
	return what, unpack(s.travel.said, sealed, &what) == nil
}

// providerButtons are those of the sign-in page, after a refusal or without one.
func (s *Server) providerButtons(next string, refused shared.Code) []door.Provider {
	query := url.Values{}
	if next != shared.PageHome {
		query.Set("next", next)
	}
	if refused == shared.CodeNoAccount {
		query.Set(queryChoose, "")
	}
	var buttons []door.Provider
	for _, p := range s.SSO {
		address := shared.PageSSO + p.ID
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		buttons = append(buttons, door.Provider{Name: p.Name, Button: p.Button, Address: address})
	}
	return buttons
}

func (s *Server) unlinkIdentity(w http.ResponseWriter, r *http.Request) error {
	if err := s.Accounts.UnlinkIdentity(r.Context(), httpapi.CallerOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// signOutAt is where a browser ends its session at the provider that it signed in
// at, or "".
func (s *Server) signOutAt(r *http.Request, session store.Session) string {
	at := slices.IndexFunc(s.SSO, func(p *sso.Provider) bool { return session.Provider != "" && p.ID == session.Provider })
	if at < 0 {
		return ""
	}
	return s.SSO[at].SignOutURL(r.Context(), s.Address.Origin+shared.PageSignIn)
}
