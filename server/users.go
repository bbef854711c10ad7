package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// What administrators do for others. Everything else here is a user's own.

// administrator lets a handler run for administrators only. It stands inside
// signedIn.
func (s *Server) administrator(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !caller(r).User.Admin {
			return shared.Errorf(shared.CodeNotAllowed, "This is for administrators.")
		}
		return h(w, r)
	}
}

// actingFor is the administrator who sends the request, in the place of a user. Of one who is
// to be invited, it is the zero user.
func (s *Server) actingFor(r *http.Request, user store.User) session.Actor {
	administrator, who := caller(r), s.Accounts.Actor(user)
	who.Client, who.By = administrator.Client, administrator.User.DisplayName
	return who
}

// publicMember is what an administrator sees of a user.
func (s *Server) publicMember(ctx context.Context, u store.User) (shared.Member, error) {
	methods := s.Accounts.MethodsOf(u)
	until, err := s.Accounts.LinkUntil(ctx, u)
	return shared.Member{
		User: publicUser(u), HasPassword: methods.HasPassword, Passkeys: methods.Passkeys, Identities: methods.Identities,
		Invited: methods.Invited, Created: u.Created, LinkUntil: until,
	}, err
}

// respondMember answers with a user as they are now.
func (s *Server) respondMember(w http.ResponseWriter, r *http.Request, user store.User) error {
	member, err := s.publicMember(r.Context(), user)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, member)
}

func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	users, next, err := s.Accounts.FindUsers(r.Context(), query.Get("find"), query.Get("after"))
	if err != nil {
		return err
	}
	page := shared.Members{Users: make([]shared.Member, len(users)), Next: next}
	for i, user := range users {
		if page.Users[i], err = s.publicMember(r.Context(), user); err != nil {
			return err
		}
	}
	return respond(w, http.StatusOK, page)
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	var request shared.Invite
	if err := decode(r, &request); err != nil {
		return err
	}
	user, link, err := s.Accounts.Invite(r.Context(), s.actingFor(r, store.User{}), request)
	if err != nil {
		return err
	}
	public, err := s.publicLink(link)
	if err != nil {
		return err
	}
	member, err := s.publicMember(r.Context(), user)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, shared.Invited{User: member, Link: public})
}

func (s *Server) changeMember(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangeMember
	if err := decode(r, &request); err != nil {
		return err
	}
	if r.PathValue("id") == caller(r).User.ID {
		return shared.Errorf(shared.CodeConflict, "You can't disable your own account.")
	}
	user, err := s.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	change := s.Accounts.Enable
	if request.Disabled {
		change = s.Accounts.Disable
	}
	if err := change(r.Context(), s.actingFor(r, user)); err != nil {
		return err
	}
	user.Disabled = request.Disabled
	return s.respondMember(w, r, user)
}

// linkFor makes a link for the user whom the path names.
func (s *Server) linkFor(r *http.Request, give func(context.Context, session.Actor) (account.Link, error)) (shared.EnrolmentLink, error) {
	user, err := s.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return shared.EnrolmentLink{}, err
	}
	link, err := give(r.Context(), s.actingFor(r, user))
	if err != nil {
		return shared.EnrolmentLink{}, err
	}
	return s.publicLink(link)
}

func (s *Server) inviteAgain(w http.ResponseWriter, r *http.Request) error {
	link, err := s.linkFor(r, s.Accounts.InviteAgain)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, link)
}

func (s *Server) makeRecoveryLink(w http.ResponseWriter, r *http.Request) error {
	link, err := s.linkFor(r, s.Accounts.NewRecoveryLink)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, link)
}

// withdrawLinks asks for no confirmation: whoever takes a link back is in a hurry, and takes
// nothing else.
func (s *Server) withdrawLinks(w http.ResponseWriter, r *http.Request) error {
	user, err := s.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if _, err := s.Accounts.WithdrawLinks(r.Context(), s.actingFor(r, user)); err != nil {
		return err
	}
	return s.respondMember(w, r, user)
}
