package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A link with which a user of a host adds a passkey on a phone: what [account.Service.NewPhoneLink]
// is for Keypeg's own users. Its page is below the path of the API, because that is all that a host
// has mounted.

// hostLink is what the store has of a link. The record of its user may not exist yet.
type hostLink struct {
	Hash store.Hash `json:"hash"` // of the token
	User string     `json:"user"` // the host's id
}

// hostLinks has at most one entry for each user: a new link replaces the earlier one. The owner is
// the user's record, and the key is "".
var hostLinks = store.Collection[hostLink]{Name: "host-phone-link"}

// hostLinkLife is how long a link works.
const hostLinkLife = 5 * time.Minute

// phoneLinks reports whether this server makes links for phones.
func (s *Server) phoneLinks() bool {
	return s.passkeys != nil && (s.c.Host == nil || s.c.Asset != nil)
}

func (s *Server) hostPhoneRoutes(mux *http.ServeMux, api func(pattern string, h httpapi.Handler)) {
	api("POST "+shared.PathPhoneLink, s.gates.Confirmed(s.makeHostLink))
	api("POST "+shared.PathEnrolBegin, s.beginHostEnrolment)
	api("POST "+shared.PathEnrolFinish, s.finishHostEnrolment)
	mux.Handle("GET "+shared.PageHostEnrol, s.answers.Page(s.showHostEnrol))
	mux.Handle("GET "+shared.PageHostEnrolled, s.answers.Page(s.showEnrolled))
}

func (s *Server) makeHostLink(w http.ResponseWriter, r *http.Request) error {
	who := httpapi.CallerOf(r)
	link := account.Link{Token: who.User.ID + "." + rand.Text(), Expires: s.c.Now().Add(hostLinkLife)}
	err := s.c.Store.Apply(r.Context(), store.Batch{hostLinks.Put(store.Entry[hostLink]{
		Owner: who.User.ID, Value: hostLink{store.HashOf(link.Token), who.Shown.ID},
		Version: store.AnyVersion, Expires: link.Expires,
	})})
	if err != nil {
		return fmt.Errorf("storing a link for a phone: %w", err)
	}
	public, err := s.publicLink(link)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, public)
}

// hostEnrolment is a link that a browser has opened. Whoever has it acts for its user.
type hostEnrolment struct {
	who  *httpapi.Caller
	link store.Entry[hostLink]
}

// goneLink is the refusal of a link that can't be used. It doesn't say why.
func goneLink(cause error) error { return account.Enrolment{Kind: store.MethodPhoneLink}.Gone(cause) }

// hostEnrolment returns the link with this token, without using it.
func (s *Server) hostEnrolment(r *http.Request, token string) (hostEnrolment, error) {
	users, id := s.people.(hostUsers), strings.Split(token, ".")[0]
	if !store.IsUserID(id) {
		return hostEnrolment{}, goneLink(errors.New("no link looks like this"))
	}
	link, err := hostLinks.Get(r.Context(), s.c.Store, id, "")
	if errors.Is(err, store.ErrNotFound) || err == nil && link.Value.Hash != store.HashOf(token) {
		return hostEnrolment{}, goneLink(errors.New("no such link"))
	}
	if err != nil {
		return hostEnrolment{}, fmt.Errorf("looking up a link for a phone: %w", err)
	}
	known, err := users.activeUser(r.Context(), link.Value.User)
	if shared.CodeOf(err) != "" {
		return hostEnrolment{}, goneLink(err)
	}
	if err != nil {
		return hostEnrolment{}, err
	}
	record, err := users.record(r.Context(), known.ID)
	if err != nil {
		return hostEnrolment{}, fmt.Errorf("loading the passkeys of a user: %w", err)
	}
	return hostEnrolment{users.signedIn(HostSession{}, known, record, users.clients.Of(r)), link}, nil
}

func (s *Server) openedHostLink(r *http.Request) (hostEnrolment, error) {
	return s.hostEnrolment(r, s.cookies.Value(r, cookieEnrol))
}

func (s *Server) showHostEnrol(w http.ResponseWriter, r *http.Request) error {
	if token := r.URL.Query().Get("token"); token != "" {
		e, err := s.hostEnrolment(r, token)
		if err != nil {
			return err
		}
		s.cookies.MarkBrowser(w, r)
		s.cookies.Set(w, cookieEnrol, token, e.link.Expires.Sub(s.c.Now()))
		http.Redirect(w, r, shared.PageHostEnrol+openedLink, http.StatusSeeOther)
		return nil
	}
	if s.lostCookie(r, cookieEnrol) {
		return s.cookieless(r)
	}
	e, err := s.openedHostLink(r)
	if err != nil {
		return err
	}
	return s.signInPages.Enrol(w, http.StatusOK, httpapi.Text(r), signinpages.Enrol{
		Kind: store.MethodPhoneLink, Name: e.who.Shown.Name, DisplayName: e.who.Shown.DisplayName,
	})
}

// browserOfHostLink binds a ceremony to the link that the browser has opened.
func (s *Server) browserOfHostLink(r *http.Request) passkey.Browser {
	return passkey.Browser{Binding: store.HashOf(s.cookies.Value(r, cookieEnrol)), Text: httpapi.Text(r)}
}

func (s *Server) beginHostEnrolment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.openedHostLink(r)
	if err != nil {
		return err
	}
	who := e.who.Actor
	who.User.Name, who.User.DisplayName = e.who.Shown.Name, e.who.Shown.DisplayName
	ceremony, err := s.passkeys.BeginRegistration(r.Context(), who, s.browserOfHostLink(r), shared.BeginRegistration{})
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishHostEnrolment(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishEnrolment
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}
	if answer.Password != "" {
		return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(errors.New("a password by a phone link"))
	}
	e, err := s.openedHostLink(r)
	if err != nil {
		return err
	}
	who := e.who.Actor
	who.Failed = answer.Failed
	// The batch that adds the passkey uses the link: of any number of requests, on any number of
	// nodes, one can.
	added, err := s.passkeys.FinishRegistration(r.Context(), who, s.browserOfHostLink(r), answer.FinishRegistration, func(*store.User) (store.Batch, error) {
		used := who.Event(shared.EventLinkUsed, s.c.Now())
		used.Method = store.MethodPhoneLink
		return store.Batch{hostLinks.Remove(e.link), store.AddEvent{Event: used}}, nil
	})
	if hostLinks.Changed(err) || errors.Is(err, store.ErrNotFound) { // used by another request, or the user was removed
		return goneLink(err)
	}
	if err != nil {
		return err
	}
	if err := s.people.added(r.Context(), *e.who); err != nil {
		return err
	}
	s.cookies.Drop(w, cookieEnrol)
	return httpapi.Respond(w, http.StatusCreated, added)
}

// EndPhoneLink ends the link with which a host's user could add a passkey on a phone at this
// moment, if there is one. Call it whenever the host ends the user's sessions, such as after a new
// password: an intruder in one of them may have made the link, and would get a passkey with it.
// Without this call the link ends after five minutes. It ends by itself when the user removes a
// passkey together with its sessions, and with [Server.RemovePasskeys].
func (s *Server) EndPhoneLink(ctx context.Context, hostID string) error {
	return s.people.(hostUsers).endLink(ctx, recordID(hostID))
}

// endLink ends the link of a user whose sessions end, if there is one.
func (u hostUsers) endLink(ctx context.Context, recordID string) error {
	end := hostLinks.Remove(store.Entry[hostLink]{Owner: recordID, Version: store.AnyVersion})
	if err := u.store.Apply(context.WithoutCancel(ctx), store.Batch{end}); err != nil {
		return fmt.Errorf("ending a link for a phone: %w", err)
	}
	return nil
}
