package server

import (
	"net/http"
	"net/url"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

func (s *Server) signInWithPassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.PasswordSignIn
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	issued, err := s.signInAs(r, request)
	if err != nil {
		return err
	}
	s.local.setSession(w, r, issued)
	return httpapi.Respond(w, http.StatusOK, shared.SignedIn{User: account.PublicUser(issued.User)})
}

func (s *Server) signInAs(r *http.Request, in shared.PasswordSignIn) (session.Issued, error) {
	who := s.local.visitor(r)
	who.Failed = in.Failed
	return s.c.Accounts.SignInWithPassword(r.Context(), who, account.PasswordSignIn{
		Name: in.Name, Password: in.Password, DeviceCookie: s.local.device.Of(r, in.Name),
	})
}

func (s *Server) beginSignIn(w http.ResponseWriter, r *http.Request) error {
	var request shared.BeginSignIn
	if err := httpapi.DecodeIfAny(r, &request); err != nil {
		return err
	}
	ceremony, err := s.passkeys.BeginSignIn(r.Context(), passkey.Browser{Binding: s.cookies.MarkBrowser(w, r)}, request.Mediation)
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishCeremony
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}

	browser := passkey.Browser{Binding: s.cookies.Browser(r)}
	var set sessionSetter
	visitor := s.people.visitor(r)
	visitor.Failed = answer.Failed
	err := s.passkeys.FinishSignIn(r.Context(), visitor, browser, answer, func(who session.Actor, with store.Passkey) (batch store.Batch, err error) {
		set, batch, err = s.people.signIn(r, who, with)
		return batch, err
	})
	if shared.CodeOf(err) == shared.CodeCeremonyRefused && len(r.Cookies()) == 0 {
		return s.cookieless(r).Because(err) // beginSignIn has set one
	}
	if err != nil {
		return err
	}
	who, err := set(w, r)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.SignedIn{User: who.Shown})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	next, err := s.endSessionOf(w, r)
	switch {
	case err != nil:
		return err
	case next != "":
		return httpapi.Respond(w, http.StatusOK, shared.SignedOut{Continue: next})
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// submitSignOut signs out without the app, which is still on its way.
func (s *Server) submitSignOut(w http.ResponseWriter, r *http.Request) error {
	next, err := s.endSessionOf(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if next != "" { // no redirect: a form of ours may not lead to another site
		w.Header().Set("Refresh", "0; url="+next)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(w, r, shared.PageSignIn, http.StatusSeeOther)
	return nil
}

// endSessionOf ends the session of a browser, and returns where its provider ends that of its own, or "".
// From then on the browser names nobody, unless its user wants to keep their name there. That holds without
// a session too: it may have ended before the sign-out arrived.
func (s *Server) endSessionOf(w http.ResponseWriter, r *http.Request) (next string, err error) {
	if !r.URL.Query().Has(shared.QueryKeepName) {
		s.local.device.Forget(w, r)
	}
	token := s.cookies.Value(r, httpapi.CookieSession)
	if token == "" {
		return "", nil
	}
	ended, err := s.sessions.SignOut(r.Context(), s.local.visitor(r), token)
	if err != nil {
		return "", err
	}
	s.cookies.Drop(w, httpapi.CookieSession)
	s.leaveReason(w, httpapi.Notice{Message: message.SignInPageIn(httpapi.Text(r)).SignedOut, Chosen: true})
	return s.federation.SignOutURL(r.Context(), ended), nil
}

// The sign-in page: a form that works without a script.

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	next := s.nextPage(w, r, r.FormValue("next"))
	program := s.provider.ProgramOf(r, next)
	r = httpapi.Preferring(r, program.Locales)
	if _, err := s.people.authenticate(r); err == nil {
		if what, refused := s.notices.Take(w, r); refused && !what.SignIn {
			s.refuse(w, r, &shared.Error{Code: what.Code, Message: what.Message})
			return nil
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	s.cookies.MarkBrowser(w, r)
	what, refused := s.notices.Take(w, r)
	if what.Code == shared.CodeUnauthenticated { // a reason, and no refusal
		page := s.signInPage(r, next, program, "")
		if !what.Chosen || page.Reason == "" {
			page.Reason = what.Message
		}
		if what.Resumes && next != shared.PageHome {
			page.Reason = message.Sentences(page.Reason, message.SignInPageIn(httpapi.Text(r)).GoOn)
		}
		return s.signInPages.SignIn(w, http.StatusOK, httpapi.Text(r), page)
	}
	page, code := s.signInPage(r, next, program, what.Code), http.StatusOK
	if refused {
		code = httpapi.Status(what.Code)
	}
	page.Refusal = what.Message
	return s.signInPages.SignIn(w, code, httpapi.Text(r), page)
}

// signInPage returns the content of the sign-in page, for a program that waits or none, after a refusal with this code
// or "".
func (s *Server) signInPage(r *http.Request, next string, program openid.Awaiting, refused shared.Code) signinpages.SignIn {
	page := signinpages.SignIn{Next: next, At: httpapi.WithNext(shared.PageSignIn, next), Providers: s.buttons(next, refused)}
	if user := s.local.known(r); !user.Disabled {
		page.Known = signinpages.Known{Name: user.Name, DisplayName: user.DisplayName}
	}
	if program.Name != "" {
		page.Reason = message.Fill(message.ProgramSessionsIn(httpapi.Text(r)).SignIn, "program", program.Name)
		if page.Name = program.Hint; program.Hint != "" && program.Hint != page.Known.Name {
			page.Known = signinpages.Known{}
		}
	}
	if title := s.gateways.TitleOf(next); title != "" {
		page.Reason = message.Fill(message.ProgramSessionsIn(httpapi.Text(r)).SignIn, "program", title)
	}
	if s.isFormer(r) {
		page.Reason = message.Fill(message.SignInPageIn(httpapi.Text(r)).Moving, "address", s.c.Address.Host)
	}
	return page
}

// forgetKnown takes the button *Not you?*.
func (s *Server) forgetKnown(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	s.local.device.Forget(w, r)
	http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, s.nextPage(w, r, typed.Get("next"))), http.StatusSeeOther)
	return nil
}

func (s *Server) submitSignIn(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	next := s.nextPage(w, r, typed.Get("next"))
	in := shared.PasswordSignIn{Name: typed.Get("name"), Password: typed.Get("password"), Failed: failedTries(typed)}

	issued, err := s.signInAs(r, in)
	if code := shared.CodeOf(err); code != "" {
		refusal := s.answers.Report(w, r, err)
		page := s.signInPage(r, next, s.provider.ProgramOf(r, next), refusal.Code)
		page.Name, page.Failed, page.Refusal = in.Name, in.Failed, refusal.Message
		if in.Name != page.Known.Name { // somebody else tries
			page.Known = signinpages.Known{}
		}
		return s.signInPages.SignIn(w, httpapi.Status(code), httpapi.Text(r), page)
	}
	if err != nil {
		return err
	}
	s.local.setSession(w, r, issued)
	s.toSignedIn(w, r, next)
	return nil
}

// failedTries reads what the page's script put into a form.
func failedTries(typed url.Values) (failed shared.FailedTries) {
	failed.UnmarshalJSON([]byte(typed.Get("failed"))) // never fails
	return failed
}

// toSignedIn redirects a browser that has just got its session. One that is known to keep our cookies goes
// on to its page at once, which saves a round trip; of another one [Server.showSignedIn] finds out.
func (s *Server) toSignedIn(w http.ResponseWriter, r *http.Request, next string) {
	if !s.cookies.AreKept(r) {
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignedIn, next), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, s.pastMove(r, next), http.StatusSeeOther)
}

// showSignedIn redirects to the page that somebody signed in for, or to the sign-in page
// with a notice of what was refused. A browser without either cookie got one a moment ago
// and didn't send it back; an empty sign-in page would not explain that.
func (s *Server) showSignedIn(w http.ResponseWriter, r *http.Request) error {
	next := s.nextPage(w, r, r.FormValue("next"))
	if s.cookies.Value(r, httpapi.CookieSession) != "" {
		http.Redirect(w, r, s.pastMove(r, next), http.StatusSeeOther)
		return nil
	}
	if s.notices.Has(r) {
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, next), http.StatusSeeOther)
		return nil
	}
	refusal := s.answers.Report(w, r, s.cookieless(r))
	page := s.signInPage(r, next, s.provider.ProgramOf(r, next), refusal.Code)
	page.Refusal = refusal.Message
	return s.signInPages.SignIn(w, httpapi.Status(refusal.Code), httpapi.Text(r), page)
}

// buttons returns the buttons of the providers, after a refusal with this code or "".
func (s *Server) buttons(next string, refused shared.Code) []signinpages.Provider {
	var list []signinpages.Provider
	for _, b := range s.federation.Buttons(next, refused) {
		list = append(list, signinpages.Provider{Name: b.Name, Button: b.Text, Address: b.Address})
	}
	return list
}
