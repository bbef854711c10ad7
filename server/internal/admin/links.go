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
	member, err := u.Accounts.MemberWithLink(r.Context(), user)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusCreated, shared.Invited{User: member, Link: public})
}

// makeLink answers with a new link for the user in the path.
func (u Users) makeLink(w http.ResponseWriter, r *http.Request, give func(context.Context, session.Actor) (account.Link, error)) error {
	who, err := u.actor(r)
	if err != nil {
		return err
	}
	link, err := give(r.Context(), who)
	if err != nil {
		return err
	}
	public, err := u.Link(link)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, public)
}

func (u Users) inviteAgain(w http.ResponseWriter, r *http.Request) error {
	var request shared.InviteAgain
	if err := httpapi.DecodeIfAny(r, &request); err != nil {
		return err
	}
	return u.makeLink(w, r, func(ctx context.Context, who session.Actor) (account.Link, error) {
		return u.Accounts.InviteAgain(ctx, who, request.Mail)
	})
}

func (u Users) makeRecoveryLink(w http.ResponseWriter, r *http.Request) error {
	return u.makeLink(w, r, u.Accounts.NewRecoveryLink)
}

func (u Users) withdrawLinks(w http.ResponseWriter, r *http.Request) error {
	who, err := u.actor(r)
	if err != nil {
		return err
	}
	if _, err := u.Accounts.WithdrawLinks(r.Context(), who); err != nil {
		return err
	}
	return u.respond(w, r, who.User)
}
