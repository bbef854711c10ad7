package openid

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Handlers are the endpoints of the provider, and the pages that lead to them. [NewHandlers] makes them.
type Handlers struct {
	Issuer    string // the origin of the organisation's address
	Store     store.Store
	Registry  *Registry
	Grants    *grant.Service
	Keys      *Keys
	Accounts  *account.Service
	Languages []string // of our pages
	// AnyClient accepts clients that nobody has registered, by the document at the address that is their id.
	AnyClient bool
	// PublicPrograms tells programs of ended sessions at public addresses only, except those of the configuration file:
	// whoever registers the others must not reach the network of this machine.
	PublicPrograms bool

	Gates   httpapi.Gates
	Answers httpapi.Answers
	Cookies httpapi.Cookies
	Now     store.Clock
	Log     *slog.Logger
	Pages   Pages

	// SetSession sets the cookie of an issued session.
	SetSession func(http.ResponseWriter, *http.Request, session.Issued)
	// SignOut ends the session of a browser.
	SignOut func(http.ResponseWriter, *http.Request) error
	// ConfirmAt returns the address at an identity provider where a user confirms who they are, and its name.
	// Afterwards the browser goes on at next.
	ConfirmAt func(w http.ResponseWriter, r *http.Request, who *httpapi.Caller, provider, next string) (address, name string, err error)
	// Answered is told of each answer of the token endpoint, for figures.
	Answered func(client, grantType, refused string)

	requests, forms, pushed, devices *seal.Sealer
	pairwise                         []byte
	outward                          *http.Client // to addresses that IT has registered
	outwardPublic                    *http.Client // to public addresses that somebody else has registered
	documents                        *documents
	polls                            *polls
}

// secretHandlers is the name of the key that seals what browsers and devices keep, and secretPairwise that of the one
// that makes pairwise subjects: it must never change.
const (
	secretHandlers = "openid-request-key"
	secretPairwise = "openid-pairwise-key"
)

// NewHandlers completes Handlers with the keys in the store.
func NewHandlers(ctx context.Context, h Handlers) (*Handlers, error) {
	key, err := store.SecretOrNew(ctx, h.Store, secretHandlers, seal.KeySize)
	if err != nil {
		return nil, err
	}
	if h.pairwise, err = store.SecretOrNew(ctx, h.Store, secretPairwise, 32); err != nil {
		return nil, err
	}
	for _, sealed := range []struct {
		into    **seal.Sealer
		purpose string
	}{{&h.requests, "keypeg request 1"}, {&h.forms, "keypeg program form 1"}, {&h.pushed, "keypeg pushed 1"}, {&h.devices, "keypeg device 1"}} {
		if *sealed.into, err = seal.New(key, sealed.purpose); err != nil {
			return nil, err
		}
	}
	h.outward = &http.Client{Timeout: tellWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	h.outwardPublic = publicClient(tellWithin)
	h.documents, h.polls = newDocuments(h.Now), newPolls()
	return &h, nil
}

// CrossSite are the patterns of requests that may come from other sites: no cookie decides about them, or what they
// change is asked about first.
var CrossSite = []string{
	"POST " + PathAuthorize, "POST " + PathToken, "POST " + PathUserInfo, "POST " + PathRevoke, "POST " + PathIntrospect,
	"POST " + PathPush, "POST " + PathDevice, "POST " + PathSignOut,
}

// Mount names the routes: those of programs, and those of pages.
func (h *Handlers) Mount(mux *http.ServeMux, page func(pattern string, h httpapi.Handler)) {
	program := func(pattern string, handle httpapi.Handler) { mux.Handle(pattern, h.program(handle)) }
	for _, path := range []string{PathDiscovery, pathMetadata} {
		program("GET "+path, h.discovery)
	}
	program("GET "+pathWebFinger, h.webFinger)
	program("GET "+PathKeys, h.publicKeys)
	program("POST "+PathToken, h.token)
	program("GET "+PathUserInfo, h.userinfo)
	program("POST "+PathUserInfo, h.userinfo)
	program("POST "+PathRevoke, h.revoke)
	program("POST "+PathIntrospect, h.introspect)
	program("POST "+PathPush, h.push)
	program("POST "+PathDevice, h.beginDevice)
	for _, path := range []string{PathToken, PathUserInfo, PathRevoke, PathKeys, PathDiscovery, pathMetadata, PathDevice, PathPush} {
		mux.HandleFunc("OPTIONS "+path, preflight)
	}

	page("GET "+PathAuthorize, h.authorize)
	page("POST "+PathAuthorize, h.authorize)
	page("GET "+shared.PageContinue+"{id}", h.goOn)
	page("POST "+shared.PageConsent, h.takeConsent)
	page("POST "+shared.PageConfirmForm, h.confirm)
	page("POST "+shared.PageOtherAccount, h.otherAccount)
	page("GET "+PathSignOut, h.signOut)
	page("POST "+PathSignOut, h.signOut)
	page("GET "+shared.PageDevice, h.showDevice)
	page("POST "+shared.PageDevice, h.takeDeviceCode)
	page("POST "+shared.PageDeviceAnswer, h.answerDevice)
}

// client returns a client by its id. It fails with [store.ErrNotFound].
func (h *Handlers) client(ctx context.Context, id string) (Client, error) {
	if len(id) > mostClientID {
		return Client{}, store.ErrNotFound
	}
	if isDocument(id) && h.AnyClient {
		return h.documents.client(ctx, id)
	}
	c, err := h.Registry.Client(ctx, id)
	if errors.Is(err, store.ErrInvalid) {
		return c, store.ErrNotFound // an id that no key can be
	}
	return c, err
}

const mostClientID = 512

// ProgramOf returns the name of the program for which somebody signs in, with the user name that it has guessed and
// the languages that it wants, if next is where a request goes on that waits in this browser.
func (h *Handlers) ProgramOf(r *http.Request, next string) (name, hint, locales string) {
	id, is := cutContinue(next)
	if !is {
		return "", "", ""
	}
	p, c, err := h.continued(r, id)
	if err != nil {
		return "", "", ""
	}
	return c.Name, p.Hint, p.Locales
}

// allowed returns the event of a user who lets a program in.
func (h *Handlers) allowed(who *httpapi.Caller, c Client) []store.Op {
	event := who.Event(shared.EventProgramAllowed, h.Now())
	event.Program = c.Name
	return []store.Op{store.AddEvent{Event: event}}
}

// allows is what a user allows the client.
func (c Client) allows(scopes []string) grant.Allowed {
	return grant.Allowed{Program: grant.Client + c.ID, Scopes: scopes, Registered: c.Created}
}

// isOf refuses what was given to another client, or to one that had the id before: IT has removed that since, and what
// users had allowed it isn't allowed to the new one.
func (c Client) isOf(program string, since time.Time) error {
	if program != grant.Client+c.ID || since.Before(c.Created) {
		return fmt.Errorf("%w: it is for %s, and not for this client", grant.ErrInvalid, program)
	}
	return nil
}

// admitted refuses tokens for a user who may not use the program.
func (c Client) admitted(user store.User) error {
	if !c.Admits(user) {
		return fmt.Errorf("%w: the user is in no group that may use the client", grant.ErrInvalid)
	}
	return nil
}

// counted tells of an answer of the token endpoint. What strangers write is no name of a figure.
func (h *Handlers) counted(c Client, kind string, err error) {
	grantType := "other"
	switch kind {
	case "authorization_code", "refresh_token":
		grantType = kind
	case grantDevice:
		grantType = "device_code"
	}
	code := ""
	switch refused, is := errors.AsType[*oauthError](err); {
	case is:
		code = refused.code
	case errors.Is(err, grant.ErrInvalid):
		code = "invalid_grant"
	case err != nil:
		code = "server_error"
	}
	client := c.ID
	if isDocument(client) {
		client = "document"
	}
	h.Answered(client, grantType, code)
}
