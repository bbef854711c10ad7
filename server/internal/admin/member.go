package admin

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// One user, with everything that can be done for them.

func (u Users) show(w http.ResponseWriter, r *http.Request) error {
	who, err := u.reader(r)
	if err != nil {
		return err
	}
	details, err := u.details(r.Context(), who)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, details)
}

// reader returns the actor for the user in the path, if the caller may read about that user.
func (u Users) reader(r *http.Request) (session.Actor, error) {
	who, err := u.actor(r)
	if err != nil {
		return session.Actor{}, err
	}
	return who, account.MayRead(who.By, who.User)
}

// names of rights, as the page reads them.
var mayNames = map[account.Right]string{account.RightRead: shared.MayRead, account.RightHelp: shared.MayHelp, account.RightManage: shared.MayManage}

func (u Users) details(ctx context.Context, who session.Actor) (details shared.MemberDetails, err error) {
	if details.Member, err = u.Accounts.MemberWithLink(ctx, who.User); err != nil {
		return details, err
	}
	details.May, details.RecoveryCodes = mayNames[account.MayWith(who.By, who.User)], len(who.User.RecoveryCodes)
	details.PasskeyList, details.IdentityList = []shared.MemberPasskey{}, []shared.Identity{}
	for _, p := range u.Passkeys(who).Passkeys {
		details.PasskeyList = append(details.PasskeyList, shared.MemberPasskey{
			ID: p.ID, Name: p.Name, Provider: p.Provider, Kind: p.Kind, Synced: p.Synced, Created: p.Created, LastUsed: p.LastUsed, OnlyMethod: p.OnlyMethod,
		})
	}
	details.IdentityList = append(details.IdentityList, u.Accounts.Identities(who)...)
	sessions, err := u.Accounts.Sessions().List(ctx, who)
	if err != nil {
		return details, err
	}
	details.Sessions = sessions.Sessions
	if details.InvitedBy, err = u.Accounts.DisplayNameOf(ctx, who.User.InvitedBy); err != nil {
		return details, err
	}
	details.LastAdministrator, err = u.Accounts.IsLastAdministrator(ctx, who.User)
	return details, err
}

func (u Users) activity(w http.ResponseWriter, r *http.Request) error {
	who, err := u.reader(r)
	if err != nil {
		return err
	}
	page, err := u.Accounts.Activity().List(r.Context(), who, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

func (u Users) change(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangeMember
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	who, err := u.actor(r)
	if err != nil {
		return err
	}
	user, err := u.Accounts.Change(r.Context(), who, request, false)
	if err != nil {
		return err
	}
	return u.respond(w, r, user)
}

func (u Users) remove(w http.ResponseWriter, r *http.Request) error {
	var request shared.RemoveMember
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	who, err := u.actor(r)
	if err != nil {
		return err
	}
	if err := u.Accounts.Remove(r.Context(), who, request.Name, false); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// takesAway does something for the user in the path, and answers with what is left of them.
func (u Users) takesAway(w http.ResponseWriter, r *http.Request, do func(context.Context, session.Actor) error) error {
	who, err := u.actor(r)
	if err != nil {
		return err
	}
	if err := do(r.Context(), who); err != nil {
		return err
	}
	return u.show(w, r)
}

func (u Users) removePasskey(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, func(ctx context.Context, who session.Actor) error {
		return u.Accounts.RemovePasskey(ctx, who, r.PathValue("passkey"))
	})
}

func (u Users) removePassword(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, u.Accounts.RemovePassword)
}

func (u Users) release(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, u.Accounts.ReleaseFor)
}

func (u Users) unlink(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, func(ctx context.Context, who session.Actor) error {
		return u.Accounts.UnlinkIdentity(ctx, who, r.PathValue("identity"))
	})
}

func (u Users) endSessions(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, u.Accounts.EndSessions)
}

func (u Users) endSession(w http.ResponseWriter, r *http.Request) error {
	return u.takesAway(w, r, func(ctx context.Context, who session.Actor) error {
		return u.Accounts.EndSession(ctx, who, r.PathValue("session"))
	})
}
