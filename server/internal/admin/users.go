// Package admin has the handlers with which people who have a role care for others: they list and
// search users (list.go), export and import them (export.go, importing.go), invite people and help those who have lost all sign-in methods (links.go),
// and change a user (member.go). Package account has the rules, and says what each role may do for
// which user.
package admin

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Users serves an organisation's users to people with a role.
type Users struct {
	Accounts *account.Service
	// Passkeys describes the passkeys of the actor's user.
	Passkeys func(session.Actor) shared.PasskeyList
	Gates    httpapi.Gates
	// Link returns a new link with its address and QR code.
	Link func(account.Link) (shared.EnrolmentLink, error)
	// EnrolURL returns the address of a new link with this token.
	EnrolURL func(token string) string
}

// Mount names the routes. What gives or takes something away requires a recent confirmation, but for
// ending links and sessions: that must be quick.
func (u Users) Mount(api func(pattern string, h httpapi.Handler)) {
	const (
		administrator, helper, auditor = shared.RoleAdministrator, shared.RoleHelper, shared.RoleAuditor
		user                           = shared.PathUser + "{id}"
	)
	reads := func(h httpapi.Handler) httpapi.Handler { return u.Gates.Role(h, administrator, helper, auditor) }
	helps := func(h httpapi.Handler) httpapi.Handler { return u.Gates.ConfirmedRole(h, administrator, helper) }
	ends := func(h httpapi.Handler) httpapi.Handler { return u.Gates.Role(h, administrator, helper) }
	manages := func(h httpapi.Handler) httpapi.Handler { return u.Gates.ConfirmedRole(h, administrator) }

	api("GET "+shared.PathUsers, reads(u.list))
	api("GET "+shared.PathRollout, u.Gates.Role(u.rollout, administrator, auditor))
	api("GET "+shared.PathRolloutExport, u.Gates.Role(u.exportRollout, administrator, auditor))
	api("GET "+shared.PathUsersExport, reads(u.export))
	api("GET "+user, reads(u.show))
	api("GET "+user+shared.PathActivityOf, reads(u.activity))

	api("POST "+shared.PathUsers, helps(u.invite))
	api("PATCH "+user, helps(u.change)) // a helper disables and enables
	api("POST "+user+shared.PathInvitation, helps(u.inviteAgain))
	api("POST "+user+shared.PathRecoveryLink, helps(u.makeRecoveryLink))
	api("DELETE "+user+shared.PathPasskeysOf+"{passkey}", helps(u.removePasskey))

	api("DELETE "+user+shared.PathLinks, ends(u.withdrawLinks))
	api("DELETE "+user+shared.PathSessionsOf, ends(u.endSessions))
	api("DELETE "+user+shared.PathSessionsOf+"/{session}", ends(u.endSession))

	api("DELETE "+user+shared.PathPasswordOf, manages(u.removePassword))
	api("DELETE "+user+shared.PathIdentitiesOf+"{identity}", manages(u.unlink))
	api("DELETE "+user+shared.PathHoldOf, manages(u.release))
	api("POST "+user+shared.PathRemoval, manages(u.remove))
	api("POST "+shared.PathImport, manages(u.importUsers))
}

// actingFor returns the actor for a user: whoever sends the request. For an invitation the user is
// the zero user.
func (u Users) actingFor(r *http.Request, user store.User) session.Actor {
	caller, who := httpapi.CallerOf(r), u.Accounts.Actor(user)
	who.Client, who.By = caller.Client, caller.User
	return who
}

// actor is actingFor for the user in the path.
func (u Users) actor(r *http.Request) (session.Actor, error) {
	user, err := u.Accounts.UserByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return session.Actor{}, err
	}
	return u.actingFor(r, user), nil
}

// respond answers with the current state of a user.
func (u Users) respond(w http.ResponseWriter, r *http.Request, user store.User) error {
	member, err := u.Accounts.MemberWithLink(r.Context(), user)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, member)
}
