// Package client speaks Keypeg's API: one method per endpoint, over a
// [Transport] that somebody else brings.
//
// In the browser that is fetch; in tests it is a real server. net/http stays
// out, because it would add megabytes to the WebAssembly program.
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

// Transport sends one request to the server that the page came from, with its
// cookies. A nil body sends none. An error means that no answer came, or none of the
// server's: a *[shared.Error] says more.
type Transport interface {
	Send(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
}

// Client calls the API. Its methods fail with a *[shared.Error]: what the server
// refused, [shared.CodeOffline] or [shared.CodeAway] when it could not be reached, or
// [shared.CodeInBetween] when something else answered, which is reported to the server too.
type Client struct {
	transport Transport
	reported  sync.Map // troubles, each told to the server once
}

// New returns a Client.
func New(t Transport) *Client { return &Client{transport: t} }

// call sends in (nil for no body) and decodes the answer.
func call[Out any](ctx context.Context, c *Client, method, path string, in any) (out Out, err error) {
	err = c.exchange(ctx, method, path, in, &out)
	return out, err
}

// exchange is what call does, once for all types: code that is made for each of them
// is paid for by everybody who loads the app.
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

// refusal reads a problem (RFC 9457), if it is one.
func refusal(status int, answer []byte) error {
	var problem shared.Problem
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Code == "" || problem.Detail == "" {
		return refusedBetween(status).Because(fmt.Errorf("status %d without a problem that we know", status))
	}
	refused := shared.Errorf(problem.Code, "%s", problem.Detail)
	refused.UnknownCredential = problem.UnknownCredential
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

// SignOut ends the session on the server, and returns where to end it at the OpenID
// provider too, if anywhere.
func (c *Client) SignOut(ctx context.Context) (shared.SignedOut, error) {
	return call[shared.SignedOut](ctx, c, "POST", shared.PathSignOut, nil)
}

// MakeRecoveryCodes returns new ones, in place of all that there were.
func (c *Client) MakeRecoveryCodes(ctx context.Context) (shared.RecoveryCodes, error) {
	return call[shared.RecoveryCodes](ctx, c, "POST", shared.PathRecoveryCodes, nil)
}

// MakePhoneLink returns a link with which the user adds a passkey on another device.
func (c *Client) MakePhoneLink(ctx context.Context) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathPhoneLink, nil)
}

// Users returns a page of the users whose names begin with find: the first for after
// "", else the one after the page whose Next this is. It is for administrators, as
// are the methods below it.
func (c *Client) Users(ctx context.Context, find, after string) (shared.Members, error) {
	path := shared.PathUsers + "?find=" + url.QueryEscape(find) + "&after=" + url.QueryEscape(after)
	return call[shared.Members](ctx, c, "GET", path, nil)
}

// Invite adds a user, and returns the link with which they choose how to sign in.
func (c *Client) Invite(ctx context.Context, who shared.Invite) (shared.Invited, error) {
	return call[shared.Invited](ctx, c, "POST", shared.PathUsers, who)
}

// InviteAgain returns a new link for a user who has no way in yet.
func (c *Client) InviteAgain(ctx context.Context, userID string) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathUser+userID+shared.PathInvitation, nil)
}

// MakeRecoveryLink returns a link for a user who has lost every way in.
func (c *Client) MakeRecoveryLink(ctx context.Context, userID string) (shared.EnrolmentLink, error) {
	return call[shared.EnrolmentLink](ctx, c, "POST", shared.PathUser+userID+shared.PathRecoveryLink, nil)
}

// WithdrawLinks makes a user's invitation and recovery link dead.
func (c *Client) WithdrawLinks(ctx context.Context, userID string) (shared.Member, error) {
	return call[shared.Member](ctx, c, "DELETE", shared.PathUser+userID+shared.PathLinks, nil)
}

// SetDisabled shuts a user out, or lets them in again.
func (c *Client) SetDisabled(ctx context.Context, userID string, disabled bool) (shared.Member, error) {
	return call[shared.Member](ctx, c, "PATCH", shared.PathUser+userID, shared.ChangeMember{Disabled: disabled})
}

// BeginLink returns where the user signs in to link a provider.
func (c *Client) BeginLink(ctx context.Context, providerID string) (shared.AtProvider, error) {
	return call[shared.AtProvider](ctx, c, "POST", shared.PathIdentity+providerID, nil)
}

// Unlink takes an identity away.
func (c *Client) Unlink(ctx context.Context, identityID string) error {
	_, err := call[nothing](ctx, c, "DELETE", shared.PathIdentity+identityID, nil)
	return err
}

// BeginSSOConfirmation returns where the user confirms at a provider. The browser
// comes back to next, a page of the app.
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

// Sessions returns where the user is signed in.
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

// Activity returns a page of what happened to the account. Before is the Next of
// the page before, or "".
func (c *Client) Activity(ctx context.Context, before string) (shared.Activity, error) {
	path := shared.PathActivity
	if before != "" {
		path += "?before=" + before
	}
	return call[shared.Activity](ctx, c, "GET", path, nil)
}

// Passkeys returns the user's own.
func (c *Client) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	return call[shared.PasskeyList](ctx, c, "GET", shared.PathPasskeys, nil)
}

// BeginRegistration is the first half of adding a passkey. Mediation is "" or
// "conditional".
func (c *Client) BeginRegistration(ctx context.Context, mediation string) (shared.Ceremony, error) {
	return call[shared.Ceremony](ctx, c, "POST", shared.PathRegisterBegin, shared.BeginRegistration{Mediation: mediation})
}

// FinishRegistration is the second half.
func (c *Client) FinishRegistration(ctx context.Context, answer shared.FinishRegistration) (shared.Passkey, error) {
	return call[shared.Passkey](ctx, c, "POST", shared.PathRegisterFinish, answer)
}

// RenamePasskey gives a passkey another name.
func (c *Client) RenamePasskey(ctx context.Context, id, name string) (shared.Passkey, error) {
	return call[shared.Passkey](ctx, c, "PATCH", shared.PathPasskey+id, shared.RenamePasskey{Name: name})
}

// RemovePasskey takes a passkey away and returns those that are left. With
// endSessions, the other sessions that began with it end too.
func (c *Client) RemovePasskey(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error) {
	path := shared.PathPasskey + id
	if endSessions {
		path += "?" + shared.QueryEndSessions
	}
	return call[shared.PasskeyList](ctx, c, "DELETE", path, nil)
}
