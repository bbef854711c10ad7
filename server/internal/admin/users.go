// Package admin has the handlers for administrators: they list users, invite people,
// disable and enable users, and make links for users who have lost all sign-in methods.
// Package account has the rules.
package admin

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Users serves an organisation's users to its administrators.
type Users struct {
	Accounts *account.Service
	Gates    httpapi.Gates
	// Link returns a new link with its address and QR code.
	Link func(account.Link) (shared.EnrolmentLink, error)
}

// Mount names the routes. All are for administrators, and those that give or take something
// away require a recent confirmation.
func (u Users) Mount(api func(pattern string, h httpapi.Handler)) {
	sees, does := u.Gates.Administrator, u.Gates.ConfirmedAdministrator
	api("GET "+shared.PathUsers, sees(u.list))
	api("POST "+shared.PathUsers, does(u.invite))
	api("PATCH "+shared.PathUser+"{id}", does(u.change))
	api("POST "+shared.PathUser+"{id}"+shared.PathInvitation, does(u.inviteAgain))
	api("POST "+shared.PathUser+"{id}"+shared.PathRecoveryLink, does(u.makeRecoveryLink))
	api("DELETE "+shared.PathUser+"{id}"+shared.PathLinks, sees(u.withdrawLinks))
}

// actingFor returns the actor for a user: the administrator who sends the request. For an
// invitation the user is the zero user.
func (u Users) actingFor(r *http.Request, user store.User) session.Actor {
	administrator, who := httpapi.CallerOf(r), u.Accounts.Actor(user)
	who.Client, who.By = administrator.Client, administrator.User.ID
	return who
}

// member describes a user for an administrator.
func (u Users) member(ctx context.Context, user store.User) (shared.Member, error) {
	member := u.Accounts.Member(user)
	until, err := u.Accounts.LinkUntil(ctx, user)
	member.LinkUntil = until
	return member, err
}

// respond answers with the current state of a user.
func (u Users) respond(w http.ResponseWriter, r *http.Request, user store.User) error {
	member, err := u.member(r.Context(), user)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, member)
}

func (u Users) list(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	users, next, err := u.Accounts.FindUsers(r.Context(), query.Get("find"), query.Get("after"))
	if err != nil {
		return err
	}
	page := shared.Members{Users: make([]shared.Member, len(users)), Next: next}
	for i, user := range users {
		if page.Users[i], err = u.member(r.Context(), user); err != nil {
			return err
		}
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

func (u Users) invite(w http.ResponseWriter, r *http.Request) error {
	var request shared.Invite
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	user, link, err := u.Accounts.Invite(r.Context(), u.actingFor(r, store.User{}), request)
	if err != nil {
		return err
	}
	public, err := u.Link(link)
	if err != nil {
		return err
	}
	member, err := u.member(r.Context(), user)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusCreated, shared.Invited{User: member, Link: public})
}

func (u Users) change(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangeMember
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	if r.PathValue("id") == httpapi.CallerOf(r).User.ID {
		return shared.Errorf(shared.CodeConflict, "You can't disable your own account.")
	}
	user, err := u.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	change := u.Accounts.Enable
	if request.Disabled {
		change = u.Accounts.Disable
	}
	if err := change(r.Context(), u.actingFor(r, user)); err != nil {
		return err
	}
	user.Disabled = request.Disabled
	return u.respond(w, r, user)
}

// linkFor makes a link for the user in the path.
func (u Users) linkFor(r *http.Request, give func(context.Context, session.Actor) (account.Link, error)) (shared.EnrolmentLink, error) {
	user, err := u.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return shared.EnrolmentLink{}, err
	}
	link, err := give(r.Context(), u.actingFor(r, user))
	if err != nil {
		return shared.EnrolmentLink{}, err
	}
	return u.Link(link)
}

func (u Users) inviteAgain(w http.ResponseWriter, r *http.Request) error {
	link, err := u.linkFor(r, u.Accounts.InviteAgain)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, link)
}

func (u Users) makeRecoveryLink(w http.ResponseWriter, r *http.Request) error {
	link, err := u.linkFor(r, u.Accounts.NewRecoveryLink)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, link)
}

// withdrawLinks requires no confirmation: it must be quick, and it takes nothing else away.
func (u Users) withdrawLinks(w http.ResponseWriter, r *http.Request) error {
	user, err := u.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if _, err := u.Accounts.WithdrawLinks(r.Context(), u.actingFor(r, user)); err != nil {
		return err
	}
	return u.respond(w, r, user)
}
