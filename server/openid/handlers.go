package openid

import (
	"context"
	"log/slog"
	"net/http"

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
	page("POST "+shared.PageConsent, h.decided(h.takeConsent))
	page("POST "+shared.PageConfirmForm, h.decided(h.confirm))
	page("POST "+shared.PageOtherAccount, h.otherAccount)
	page("GET "+PathSignOut, h.signOut)
	page("POST "+PathSignOut, h.signOut)
	page("GET "+shared.PageDevice, h.showDevice)
	page("POST "+shared.PageDevice, h.takeDeviceCode)
	page("POST "+shared.PageDeviceAnswer, h.answerDevice)
}
