// Package client calls Keypeg's API. A [Client] has one method for each endpoint, and sends
// its requests by a [Transport].
//
// In the browser the transport is fetch (browser.Transport); in tests it is a real server.
// This package doesn't import net/http, whose client would add 5 MB to the WebAssembly
// program.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/keypeg/keypeg/shared"
)

// Transport sends a request to the server that the page came from, with the page's cookies. A
// nil body sends none. An error means that no answer of the server came. If it is a
// *[shared.Error], its code says more.
type Transport interface {
	Send(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
}

// Client calls the API. Its methods fail with a *[shared.Error]. Its code is that of the
// server's refusal; [shared.CodeOffline] or [shared.CodeAway] if the server can't be reached;
// or [shared.CodeInBetween] if something else answered in the server's place, which is also
// reported to the server.
type Client struct {
	transport Transport
	reported  sync.Map // the troubles that the server knows of, since each is reported once
}

// New returns a Client.
func New(t Transport) *Client { return &Client{transport: t} }

// call sends in (nil for no body) and decodes the answer.
func call[Out any](ctx context.Context, c *Client, method, path string, in any) (out Out, err error) {
	err = c.exchange(ctx, method, path, in, &out)
	return out, err
}

// exchange does the work of call without a type parameter. The compiler makes code for each
// type of call, and everybody who loads the app pays for it.
func (c *Client) exchange(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding a request to %s: %w", path, err)
		}
		body = encoded
	}

	err := c.send(ctx, method, path, body, out)
	c.reports(ctx, err)
	return err
}

func (c *Client) send(ctx context.Context, method, path string, body []byte, out any) error {
	status, answer, err := c.transport.Send(ctx, method, path, body)
	if between, ok := errors.AsType[*shared.Error](err); ok {
		return between
	}
	if err != nil {
		return shared.Errorf(shared.CodeOffline, "The server can't be reached. Check your connection and try again.").Because(err)
	}
	if status >= 400 {
		return refusal(status, answer)
	}
	if status == 204 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return unreadable(answer).Because(fmt.Errorf("decoding the answer of %s: %w", path, err))
	}
	return nil
}

// refusal reads an answer of 400 and more: a problem of the server's (RFC 9457), or an answer
// of something in between.
func refusal(status int, answer []byte) error {
	var problem shared.Problem
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Code == "" || problem.Detail == "" {
		return refusedBetween(status).Because(fmt.Errorf("status %d without a problem that we know", status))
	}
	refused := shared.Errorf(problem.Code, "%s", problem.Detail)
	refused.UnknownCredential, refused.Faults = problem.UnknownCredential, problem.Faults
	return refused
}

type nothing struct{}

// Account returns who is signed in.
func (c *Client) Account(ctx context.Context) (shared.Account, error) {
	return call[shared.Account](ctx, c, "GET", shared.PathAccount, nil)
}

// SignInWithPassword begins a session.
func (c *Client) SignInWithPassword(ctx context.Context, name, password string) (shared.SignedIn, error) {
	return call[shared.SignedIn](ctx, c, "POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: name, Password: password})
}

// BeginSignIn is the first half of signing in with a passkey.
func (c *Client) BeginSignIn(ctx context.Context, mediation string) (shared.Ceremony, error) {
	return call[shared.Ceremony](ctx, c, "POST", shared.PathSignInBegin, shared.BeginSignIn{Mediation: mediation})
}

// FinishSignIn is the second half; a session begins.
func (c *Client) FinishSignIn(ctx context.Context, answer shared.FinishCeremony) (shared.SignedIn, error) {
	return call[shared.SignedIn](ctx, c, "POST", shared.PathSignInFinish, answer)
}

// SignOut ends the session on the server. It returns the address at which the OpenID provider
// ends its own session, or "". With keepName, the sign-in page goes on greeting the user in this browser.
func (c *Client) SignOut(ctx context.Context, keepName bool) (shared.SignedOut, error) {
	path := shared.PathSignOut
	if keepName {
		path += "?" + shared.QueryKeepName
	}
	return call[shared.SignedOut](ctx, c, "POST", path, nil)
}

// MakeRecoveryCodes returns new codes, which replace all earlier ones.
func (c *Client) MakeRecoveryCodes(ctx context.Context) (shared.RecoveryCodes, error) {
	return call[shared.RecoveryCodes](ctx, c, "POST", shared.PathRecoveryCodes, nil)
}

// MakePhoneLink returns a link with which the user adds a passkey on another device.
func (c *Client) MakePhoneLink(ctx context.Context) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathPhoneLink, nil)
}

// RemovePassword removes the user's password and ends their other sessions.
func (c *Client) RemovePassword(ctx context.Context) error {
	_, err := call[nothing](ctx, c, "DELETE", shared.PathPassword, nil)
	return err
}

// ChangeProfile changes what is set of the user's own account.
func (c *Client) ChangeProfile(ctx context.Context, change shared.ChangeProfile) error {
	_, err := call[nothing](ctx, c, "PATCH", shared.PathProfile, change)
	return err
}

// Release lets sign-in methods be added to the user's account again, where that was stopped.
func (c *Client) Release(ctx context.Context) error {
	_, err := call[nothing](ctx, c, "DELETE", shared.PathHold, nil)
	return err
}

// SendVerification sends the user the mail with which they verify their e-mail address once more.
func (c *Client) SendVerification(ctx context.Context) error {
	_, err := call[nothing](ctx, c, "POST", shared.PathVerification, nil)
	return err
}

// Export returns everything that is kept about the user.
func (c *Client) Export(ctx context.Context) (json.RawMessage, error) {
	return call[json.RawMessage](ctx, c, "POST", shared.PathExport, nil)
}

// Users returns a page of the users that a query selects. It is for people with a role, as the
// methods up to [Client.RemoveMember] are.
func (c *Client) Users(ctx context.Context, query shared.MembersQuery) (shared.Members, error) {
	return call[shared.Members](ctx, c, "GET", shared.PathUsers+query.String(), nil)
}

// Member returns everything of a user.
func (c *Client) Member(ctx context.Context, userID string) (shared.MemberDetails, error) {
	return call[shared.MemberDetails](ctx, c, "GET", shared.PathUser+url.PathEscape(userID), nil)
}

// MemberActivity returns a page of what happened to a user, as [Client.Activity] does.
func (c *Client) MemberActivity(ctx context.Context, userID, before string) (shared.Activity, error) {
	return call[shared.Activity](ctx, c, "GET", shared.PathUser+url.PathEscape(userID)+shared.PathActivityOf+"?before="+url.QueryEscape(before), nil)
}

// ChangeMember changes what is set.
func (c *Client) ChangeMember(ctx context.Context, userID string, change shared.ChangeMember) (shared.Member, error) {
	return call[shared.Member](ctx, c, "PATCH", shared.PathUser+userID, change)
}

// RemoveMemberPasskey takes a passkey away from a user.
func (c *Client) RemoveMemberPasskey(ctx context.Context, userID, passkeyID string) (shared.MemberDetails, error) {
	return call[shared.MemberDetails](ctx, c, "DELETE", shared.PathUser+userID+shared.PathPasskeysOf+passkeyID, nil)
}

// RemoveMemberPassword removes the password of a user.
func (c *Client) RemoveMemberPassword(ctx context.Context, userID string) (shared.MemberDetails, error) {
	return call[shared.MemberDetails](ctx, c, "DELETE", shared.PathUser+userID+shared.PathPasswordOf, nil)
}

// UnlinkMember removes an identity of a user.
func (c *Client) UnlinkMember(ctx context.Context, userID, identityID string) (shared.MemberDetails, error) {
	return call[shared.MemberDetails](ctx, c, "DELETE", shared.PathUser+userID+shared.PathIdentitiesOf+identityID, nil)
}

// EndMemberSessions ends one session of a user, or all for "".
func (c *Client) EndMemberSessions(ctx context.Context, userID, sessionID string) (shared.MemberDetails, error) {
	path := shared.PathUser + userID + shared.PathSessionsOf
	if sessionID != "" {
		path += "/" + sessionID
	}
	return call[shared.MemberDetails](ctx, c, "DELETE", path, nil)
}

// RemoveMember removes a user for ever. Name is their user name, typed by whoever does it.
func (c *Client) RemoveMember(ctx context.Context, userID, name string) error {
	_, err := call[nothing](ctx, c, "POST", shared.PathUser+userID+shared.PathRemoval, shared.RemoveMember{Name: name})
	return err
}

// Invite adds a user, and returns the link with which they choose how to sign in.
func (c *Client) Invite(ctx context.Context, who shared.Invite) (shared.Invited, error) {
	return call[shared.Invited](ctx, c, "POST", shared.PathUsers, who)
}

// ImportUsers invites the people of a table. A dry run only says what is wrong with it.
func (c *Client) ImportUsers(ctx context.Context, people shared.ImportUsers) (shared.ImportedUsers, error) {
	return call[shared.ImportedUsers](ctx, c, "POST", shared.PathImport, people)
}

// InviteAgain returns a new link for a user who has no sign-in method yet.
func (c *Client) InviteAgain(ctx context.Context, userID string) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathUser+userID+shared.PathInvitation, nil)
}

// InviteAgainByMail sends such a link to the user's address.
func (c *Client) InviteAgainByMail(ctx context.Context, userID string) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathUser+userID+shared.PathInvitation, shared.InviteAgain{Mail: true})
}

// MakeRecoveryLink returns a link for a user who has lost every sign-in method.
func (c *Client) MakeRecoveryLink(ctx context.Context, userID string) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathUser+userID+shared.PathRecoveryLink, nil)
}

// WithdrawLinks ends a user's invitation and recovery link.
func (c *Client) WithdrawLinks(ctx context.Context, userID string) (shared.Member, error) {
	return call[shared.Member](ctx, c, "DELETE", shared.PathUser+userID+shared.PathLinks, nil)
}

// ReleaseMember lets sign-in methods be added for a user again, where that was stopped.
func (c *Client) ReleaseMember(ctx context.Context, userID string) (shared.MemberDetails, error) {
	return call[shared.MemberDetails](ctx, c, "DELETE", shared.PathUser+userID+shared.PathHoldOf, nil)
}

// SetDisabled disables or enables a user.
func (c *Client) SetDisabled(ctx context.Context, userID string, disabled bool) (shared.Member, error) {
	return call[shared.Member](ctx, c, "PATCH", shared.PathUser+userID, shared.ChangeMember{Disabled: &disabled})
}

// BeginLink returns the address at which the user signs in to link a provider.
func (c *Client) BeginLink(ctx context.Context, providerID string) (shared.AtProvider, error) {
	return call[shared.AtProvider](ctx, c, "POST", shared.PathIdentity+providerID, nil)
}

// Unlink removes an identity.
func (c *Client) Unlink(ctx context.Context, identityID string) error {
	_, err := call[nothing](ctx, c, "DELETE", shared.PathIdentity+identityID, nil)
	return err
}

// BeginSSOConfirmation returns the address at which the user confirms at a provider. The
// browser comes back to next, a page of the app.
func (c *Client) BeginSSOConfirmation(ctx context.Context, providerID, next string) (shared.AtProvider, error) {
	return call[shared.AtProvider](ctx, c, "POST", shared.PathConfirmSSO+providerID, shared.BeginSSOConfirmation{Next: next})
}

// ConfirmWithPassword proves again who the user is.
func (c *Client) ConfirmWithPassword(ctx context.Context, password string) (shared.Confirmed, error) {
	return call[shared.Confirmed](ctx, c, "POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})
}

// BeginConfirmation is the first half of confirming with a passkey.
func (c *Client) BeginConfirmation(ctx context.Context) (shared.Ceremony, error) {
	return call[shared.Ceremony](ctx, c, "POST", shared.PathConfirmBegin, nil)
}

// FinishConfirmation is the second half.
func (c *Client) FinishConfirmation(ctx context.Context, answer shared.FinishCeremony) (shared.Confirmed, error) {
	return call[shared.Confirmed](ctx, c, "POST", shared.PathConfirmFinish, answer)
}

// ChangePassword gives the user another password and ends their other sessions.
func (c *Client) ChangePassword(ctx context.Context, password string) error {
	_, err := call[nothing](ctx, c, "POST", shared.PathPassword, shared.ChangePassword{Password: password})
	return err
}

// Sessions returns the user's sessions.
func (c *Client) Sessions(ctx context.Context) (shared.SessionList, error) {
	return call[shared.SessionList](ctx, c, "GET", shared.PathSessions, nil)
}

// EndSession ends one session and returns those that are left.
func (c *Client) EndSession(ctx context.Context, id string) (shared.SessionList, error) {
	return call[shared.SessionList](ctx, c, "DELETE", shared.PathSession+id, nil)
}

// EndOtherSessions ends every session but this one.
func (c *Client) EndOtherSessions(ctx context.Context) (shared.SessionList, error) {
	return call[shared.SessionList](ctx, c, "POST", shared.PathEndOthers, nil)
}

// Programs returns the other programs that the user signs in to.
func (c *Client) Programs(ctx context.Context) (shared.ProgramList, error) {
	return call[shared.ProgramList](ctx, c, "GET", shared.PathPrograms, nil)
}

// EndProgram ends a program of the user, and returns those that are left.
func (c *Client) EndProgram(ctx context.Context, id string) (shared.ProgramList, error) {
	return call[shared.ProgramList](ctx, c, "DELETE", shared.PathProgram+url.PathEscape(id), nil)
}

// Clients returns the programs that sign users in here. It is for administrators and auditors.
func (c *Client) Clients(ctx context.Context) (shared.ClientList, error) {
	return call[shared.ClientList](ctx, c, "GET", shared.PathClients, nil)
}

// AddClient registers one, and returns it with its secret. It is for administrators, as the next methods are.
func (c *Client) AddClient(ctx context.Context, add shared.AddClient) (shared.RegisteredClient, error) {
	return call[shared.RegisteredClient](ctx, c, "POST", shared.PathClients, add)
}

// ChangeClient changes the settings of one.
func (c *Client) ChangeClient(ctx context.Context, id string, change shared.ChangeClient) (shared.Client, error) {
	return call[shared.Client](ctx, c, "PATCH", shared.PathClient+url.PathEscape(id), change)
}

// RotateClient gives one a new secret.
func (c *Client) RotateClient(ctx context.Context, id string, rotate shared.RotateClient) (shared.RegisteredClient, error) {
	return call[shared.RegisteredClient](ctx, c, "POST", shared.PathClient+url.PathEscape(id)+shared.PathRotateOf, rotate)
}

// ClientText returns the settings of a program itself, by a preset, without its secret. Auditors may read it too.
func (c *Client) ClientText(ctx context.Context, id, preset string) (shared.ClientText, error) {
	query := url.Values{"preset": {preset}}
	return call[shared.ClientText](ctx, c, "GET", shared.PathClient+url.PathEscape(id)+shared.PathTextOf+"?"+query.Encode(), nil)
}

// RemoveClient removes one.
func (c *Client) RemoveClient(ctx context.Context, id string) error {
	_, err := call[nothing](ctx, c, "DELETE", shared.PathClient+url.PathEscape(id), nil)
	return err
}

// Events returns a page of what happened in the organisation. It is for administrators and auditors.
func (c *Client) Events(ctx context.Context, query shared.AuditQuery) (shared.AuditPage, error) {
	return call[shared.AuditPage](ctx, c, "GET", shared.PathAudit+"?"+query.Values().Encode(), nil)
}

// Rollout says how far the organisation has come with passkeys. It is for administrators and auditors.
func (c *Client) Rollout(ctx context.Context) (shared.Rollout, error) {
	return call[shared.Rollout](ctx, c, "GET", shared.PathRollout, nil)
}

// Checks returns what the examination of the installation has found so far. It is for administrators.
func (c *Client) Checks(ctx context.Context) (shared.Checks, error) {
	return call[shared.Checks](ctx, c, "POST", shared.PathChecks, nil)
}

// JudgeBrowser says what is wrong with what a browser sees: a [shared.Observed] in JSON.
func (c *Client) JudgeBrowser(ctx context.Context, observed json.RawMessage) (shared.Checks, error) {
	return call[shared.Checks](ctx, c, "POST", shared.PathChecksBrowser, observed)
}

// Activity returns a page of what happened to the account. Before is the Next of
// the page before, or "".
func (c *Client) Activity(ctx context.Context, before string) (shared.Activity, error) {
	path := shared.PathActivity
	if before != "" {
		path += "?before=" + before
	}
	return call[shared.Activity](ctx, c, "GET", path, nil)
}

// Passkeys returns the user's passkeys.
func (c *Client) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	return call[shared.PasskeyList](ctx, c, "GET", shared.PathPasskeys, nil)
}

// BeginRegistration is the first half of adding a passkey.
func (c *Client) BeginRegistration(ctx context.Context, request shared.BeginRegistration) (shared.Ceremony, error) {
	return call[shared.Ceremony](ctx, c, "POST", shared.PathRegisterBegin, request)
}

// FinishRegistration is the second half.
func (c *Client) FinishRegistration(ctx context.Context, answer shared.FinishRegistration) (shared.Passkey, error) {
	return call[shared.Passkey](ctx, c, "POST", shared.PathRegisterFinish, answer)
}

// BeginTrial is the first half of trying whether a passkey works.
func (c *Client) BeginTrial(ctx context.Context, id string) (shared.Ceremony, error) {
	return call[shared.Ceremony](ctx, c, "POST", shared.PathPasskey+id+shared.PathTryBeginOf, nil)
}

// FinishTrial is the second half.
func (c *Client) FinishTrial(ctx context.Context, id string, answer shared.FinishCeremony) (shared.Passkey, error) {
	return call[shared.Passkey](ctx, c, "POST", shared.PathPasskey+id+shared.PathTryFinishOf, answer)
}

// RenamePasskey gives a passkey another name.
func (c *Client) RenamePasskey(ctx context.Context, id, name string) (shared.Passkey, error) {
	return call[shared.Passkey](ctx, c, "PATCH", shared.PathPasskey+id, shared.RenamePasskey{Name: name})
}

// RemovePasskey removes a passkey and returns those that are left. With endSessions, the
// other sessions that began with it end too.
func (c *Client) RemovePasskey(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error) {
	path := shared.PathPasskey + id
	if endSessions {
		path += "?" + shared.QueryEndSessions
	}
	return call[shared.PasskeyList](ctx, c, "DELETE", path, nil)
}
