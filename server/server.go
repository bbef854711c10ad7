// Package server answers HTTP: the API under /api/v1/, the pages for people who aren't
// signed in (drawn by package server/internal/signinpages), and the app's pages for those
// who are.
//
// A handler decodes the request, calls a rule and responds. The rules are those of
// [account.Service], [passkey.Service], [session.Service] and [activity.Service]; each gets
// the [session.Actor] of the caller. Handlers stand on package server/internal/httpapi:
// gates, adapters, cookies, and the log of requests.
//
// The handlers of self-service are here, a file for each job. Administration (package
// server/internal/admin) and sign-in at OpenID providers ([federation.Handlers]) are
// features: structs with what they need, and a Mount. [New] lists what every request
// passes, innermost first. The server notices when a proxy in front breaks something
// (proxied.go), and package warning logs that for IT.
//
// Start with [New]. A program with users and sessions of its own implements a [Host];
// otherwise [Config] has Keypeg's local users. A program with routes of its own puts
// [Server.Protect] in front of them, and [UserFrom] returns the signed-in user. Call
// [Server.Close] last, before the store is closed.
package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/checks"
	"github.com/keypeg/keypeg/server/internal/clients"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Server is the http.Handler of one organisation. It is safe for concurrent use.
type Server struct {
	c           Config
	addresses   []Address // all, Address first
	cookies     httpapi.Cookies
	clients     httpapi.Clients
	answers     httpapi.Answers
	gates       httpapi.Gates
	people      people
	local       localUsers // with Accounts only
	sessions    *session.Service
	activity    *activity.Service
	passkeys    *passkey.Service // nil while passkeys are off
	signInPages *signinpages.Pages
	notices     httpapi.Notices
	federation  *federation.Handlers  // with Accounts only
	registry    *openid.Registry      // with Accounts only
	grants      *grant.Service        // with Accounts only
	provider    *openid.Handlers      // with Accounts only
	gateways    *forwardauth.Handlers // nil without gates
	embedded    *embed.Handlers       // with Embed only
	hooks       *embed.Hooks          // with Embed only
	handler     http.Handler
	api         http.Handler // without what is around it
	outward     http.Handler // with the headers of answers, but without the log
	patterns    []string     // of the API, for the test that holds openapi.yaml to them

	checks *checks.Checks // nil if nothing is examined

	streams    context.Context // ends with EndStreams
	endStreams context.CancelFunc
	// logNoFlush limits the log to one line about streams that can't work, because every
	// open page keeps asking.
	logNoFlush sync.Once
	health     *httpapi.Health
	doctorKey  []byte // with which keypeg doctor is answered; nil for nobody
}

// New returns a Server. Its error says what is wrong with the Config, or that the store
// can't be used.
func New(ctx context.Context, c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if c.Live == nil {
		c.Live = live.NewHub()
		c.Store = c.Live.Store(c.Store)
	}
	c.fill()

	s := newServer(c)
	s.health = httpapi.NewHealth(c.Store, c.Log, c.Now)
	s.streams, s.endStreams = context.WithCancel(context.WithoutCancel(ctx))
	open := s.openToLocalUsers
	if c.Embed != nil {
		s.openEmbedded()
	}
	if s.c.Host != nil {
		open = s.openToHostUsers
	}
	if err := open(ctx); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}

	s.api = s.routes()
	h := s.refuseCrossSite(s.api)
	h = limitBody(h)
	h = s.watchProxy(h)
	h = s.checkHost(h)
	h = s.secureHeaders(h)
	h = s.inFrontOfGates(h)
	s.outward = h
	h = s.examined(h)
	s.handler = s.watched(h)
	return s, nil
}

// newServer returns a Server without users.
func newServer(c Config) *Server {
	s := &Server{c: c, addresses: c.addresses(), cookies: httpapi.Cookies{Secure: c.Address.Secure}}
	s.clients = httpapi.NewClients(s.cookies, c.TrustedProxies)
	s.answers = httpapi.Answers{Log: c.Log, Refuse: s.refuse}
	return s
}

// openToLocalUsers prepares for local users.
func (s *Server) openToLocalUsers(ctx context.Context) (err error) {
	for _, p := range s.c.Providers {
		own := p.Config()
		if known, found := s.c.Accounts.Provider(own.ID); !found || known.Issuer != own.Issuer {
			return fmt.Errorf("the provider %s isn't one of Accounts", own.ID)
		}
	}
	device, err := httpapi.NewDeviceCookies(ctx, s.c.Store, s.cookies)
	if err != nil {
		return err
	}
	key, err := store.SecretOrNew(ctx, s.c.Store, secretFederation, seal.KeySize)
	if err != nil {
		return err
	}
	if s.notices, err = httpapi.NewNotices(key, s.cookies); err != nil {
		return err
	}
	if s.doctorKey, err = store.SecretOrNew(ctx, s.c.Store, probe.SecretName, probe.KeySize); err != nil {
		return err
	}
	s.sessions, s.activity = s.c.Accounts.Sessions(), s.c.Accounts.Activity()
	s.local = localUsers{cookies: s.cookies, clients: s.clients, store: s.c.Store, accounts: s.c.Accounts, device: device, now: s.c.Now}
	s.people = s.local
	if err := s.openRegistry(ctx); err != nil {
		return err
	}
	if err := s.openGrants(ctx); err != nil {
		return err
	}
	if err := s.openPasskeys(ctx); err != nil {
		return err
	}
	s.gates = httpapi.Gates{Authenticate: s.people.authenticate, Admitted: s.sessionUsed, Refused: s.sessionEnded, Fresh: s.sessions.Fresh}
	s.federation, err = federation.NewHandlers(key, federation.Handlers{
		Providers: s.c.Providers, Accounts: s.c.Accounts,
		Gates: s.gates, Answers: s.answers, Cookies: s.cookies, Notices: s.notices, Pages: s.c.App.Pages, Now: s.c.Now, Log: s.c.Log, Origin: s.c.Address.Origin,
		Visitor: s.local.visitor, SetSession: s.local.setSession,
		Leads: func(w http.ResponseWriter, r *http.Request, next string) { s.provider.KeepOpener(w, r, next) }, // which isn't made yet
	})
	if err != nil {
		return err
	}
	s.signInPages = signinpages.New(signinpages.Config{
		Product: s.c.Product, Contact: s.c.Contact,
		PasskeysOn: !s.c.Accounts.Policy().PasskeysOff, PasswordsOn: s.c.Accounts.Policy().TakesPasswords(), RPID: s.c.Address.RPID, Related: s.relatedPages(), Asset: s.c.Asset,
	})
	if err := s.openProvider(ctx); err != nil {
		return err
	}
	s.openGates()
	return nil
}

// openToHostUsers prepares for users of a host. The host has their sessions; s.sessions
// only decides whether a confirmation is recent enough.
func (s *Server) openToHostUsers(ctx context.Context) error {
	s.activity = activity.New(s.c.Store, s.c.KeepEvents, s.c.Log)
	s.c.Store = s.activity.Store()
	s.sessions = session.New(session.Config{Store: s.c.Store, Now: s.c.Now, Log: s.c.Log, ConfirmFor: s.c.ConfirmFor})
	if err := s.openPasskeys(ctx); err != nil {
		return err
	}
	if s.c.Embed != nil {
		if err := s.openIntroductions(ctx); err != nil {
			return err
		}
	}
	key, err := store.SecretOrNew(ctx, s.c.Store, secretHandles, handleKeyBytes)
	if err != nil {
		return err
	}
	s.people = hostUsers{
		clients: s.clients, host: s.c.Host, store: s.c.Store, passkeys: s.passkeys, now: s.c.Now, log: s.c.Log, handleKey: key,
		policy: PolicyAt(policy.Policy{Elsewhere: true}, s.c.Address, s.c.Related),
	}
	s.gates = httpapi.Gates{Authenticate: s.people.authenticate, Fresh: s.sessions.Fresh}
	if s.c.Asset != nil {
		s.signInPages = signinpages.New(signinpages.Config{
			Product: s.c.Product, Contact: s.c.Contact, PasskeysOn: true, RPID: s.c.Address.RPID, Related: s.relatedPages(), Asset: s.c.Asset, Hosted: true, StyleSheet: s.c.StyleSheet,
		})
	}
	return nil
}

// openPasskeys prepares for ceremonies, unless IT has switched passkeys off.
func (s *Server) openPasskeys(ctx context.Context) (err error) {
	var rules policy.Policy
	if s.c.Accounts != nil {
		rules = s.c.Accounts.Policy()
	}
	if rules.PasskeysOff {
		return nil
	}
	s.passkeys, err = passkey.New(ctx, passkey.Config{
		Activity: s.activity, Now: s.c.Now,
		RPID: s.c.Address.RPID, RPName: s.c.Product, Origin: s.c.Address.Origin, Max: s.c.MaxPasskeys,
		AttestationRoots: s.c.AttestationRoots, Verification: rules.Verification, Related: s.c.relatedPasskeys(),
	})
	if err != nil {
		return err
	}
	held, err := store.AreSignalsHeld(ctx, s.c.Store)
	if err != nil {
		return fmt.Errorf("looking whether password managers may be told: %w", err)
	}
	if held {
		s.c.Log.Warn("password managers get no signal when a passkey is removed, because this database was restored or copied",
			"mend", "once it is the complete and only one, run keypeg signals on")
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// CheckProviders warns IT of identity providers at which nobody can sign in. It asks each
// of them, and returns when all have answered.
func (s *Server) CheckProviders(ctx context.Context) {
	federation.CheckAll(ctx, s.c.Log, s.c.Providers)
}

// Drain makes [shared.PathHealth] and [shared.PathReady] report that this node is about to
// stop, and closes connections after their next answer. All requests are still served.
func (s *Server) Drain() { s.health.Drain() }

// Close writes the failed attempts of the last seconds. Call it when no request runs any
// more, and before the Store is closed.
func (s *Server) Close(ctx context.Context) {
	if s.checks != nil {
		s.checks.Close()
	}
	s.activity.Close(ctx)
}

// secretFederation is the name of the key that seals what a browser keeps during a sign-in
// at a provider, and the notices of [httpapi.Notices].
const secretFederation = "sso-key"

// pathAPI is the prefix of every path of the API, in every version.
const pathAPI = "/api/"

// routes returns all routes for local users, and the routes about passkeys for users of a
// host.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, path := range []string{shared.PathHealth, shared.PathReady} {
		mux.Handle("GET "+path, s.health)
	}
	api := func(pattern string, h httpapi.Handler) {
		s.patterns = append(s.patterns, pattern)
		mux.Handle(pattern, s.answers.API(h))
	}
	s.passkeyRoutes(api)
	if len(s.c.Related) > 0 {
		mux.Handle("GET "+shared.PathRelatedOrigins, s.answers.API(s.listRelatedOrigins))
	}
	if s.c.Host == nil {
		page := func(pattern string, h httpapi.Handler) { mux.Handle(pattern, s.answers.Page(h)) }
		s.accountRoutes(api)
		s.pageRoutes(mux, page)
		s.wellKnown(mux, page)
		s.federation.Mount(api, page)
		s.provider.Mount(mux, page)
		if s.gateways != nil {
			s.gateways.Mount(page)
		}
		admin.Users{Accounts: s.c.Accounts, Passkeys: s.passkeys.List, Gates: s.gates, Link: s.publicLink, EnrolURL: s.c.Address.EnrolURL}.Mount(api)
		if s.c.Examine != nil {
			s.mountChecks(api)
		}
		s.programs().Mount(api)
		clients.Clients{Registry: s.registry, Issuer: s.c.Address.Origin, Gates: s.gates}.Mount(api)
		audit.Log{Store: s.c.Store, Now: s.c.Now, Gates: s.gates}.Mount(api)
		api(pathAPI, s.noSuchPath(mux))
	} else {
		if s.phoneLinks() {
			s.hostPhoneRoutes(mux, api)
		}
		if s.embedded != nil {
			s.embedded.Mount(api)
			s.panelRoutes(mux)
		}
		api("/", s.noSuchPath(mux))
	}
	return mux
}

func (s *Server) passkeyRoutes(api func(pattern string, h httpapi.Handler)) {
	api("GET "+shared.PathAccount, s.gates.SignedIn(s.getAccount))
	api("GET "+shared.PathCredentialScript, s.credentialScript())
	api("POST "+shared.PathSignInBegin, s.withPasskeys(s.beginSignIn))
	api("POST "+shared.PathSignInFinish, s.withPasskeys(s.finishSignIn))
	api("POST "+shared.PathConfirmBegin, s.withPasskeys(s.gates.SignedIn(s.beginConfirmation)))
	api("POST "+shared.PathConfirmFinish, s.withPasskeys(s.gates.SignedIn(s.finishConfirmation)))
	api("GET "+shared.PathPasskeys, s.withPasskeys(s.gates.SignedIn(s.listPasskeys)))
	api("PATCH "+shared.PathPasskey+"{id}", s.withPasskeys(s.gates.SignedIn(s.renamePasskey)))
	api("DELETE "+shared.PathPasskey+"{id}", s.withPasskeys(s.gates.Confirmed(s.removePasskey)))
	api("POST "+shared.PathPasskey+"{id}"+shared.PathTryBeginOf, s.withPasskeys(s.gates.SignedIn(s.beginTrial)))
	api("POST "+shared.PathPasskey+"{id}"+shared.PathTryFinishOf, s.withPasskeys(s.gates.SignedIn(s.finishTrial)))
	api("POST "+shared.PathRegisterBegin, s.withPasskeys(s.gates.Confirmed(s.beginRegistration)))
	api("POST "+shared.PathRegisterFinish, s.withPasskeys(s.gates.Confirmed(s.finishRegistration)))
	api("GET "+shared.PathLive, s.gates.SignedIn(s.live))
	api("GET "+shared.PathActivity, s.gates.SignedIn(s.listActivity))
	api("POST "+shared.PathTrouble, s.takeTroubleReport)
}

func (s *Server) accountRoutes(api func(pattern string, h httpapi.Handler)) {
	api("POST "+shared.PathSignInPassword, s.signInWithPassword)
	api("POST "+shared.PathSignInRecovery, s.signInWithRecoveryCode)
	api("POST "+shared.PathSignOut, s.signOut)
	api("POST "+shared.PathConfirmPassword, s.gates.SignedIn(s.confirmPassword))
	api("POST "+shared.PathRecoveryCodes, s.gates.Confirmed(s.makeRecoveryCodes))
	api("PATCH "+shared.PathProfile, s.gates.Confirmed(s.changeProfile))
	api("POST "+shared.PathVerification, s.gates.SignedIn(s.sendVerification))
	api("DELETE "+shared.PathHold, s.gates.Confirmed(s.releaseAccount))
	api("POST "+shared.PathExport, s.gates.Confirmed(s.exportAccount))
	api("POST "+shared.PathPassword, s.gates.Confirmed(s.changePassword))
	api("DELETE "+shared.PathPassword, s.gates.Confirmed(s.removePassword))
	api("POST "+shared.PathPhoneLink, s.withPasskeys(s.gates.Confirmed(s.makePhoneLink)))
	api("POST "+shared.PathEnrolBegin, s.withPasskeys(s.beginEnrolment))
	api("POST "+shared.PathEnrolFinish, s.withPasskeys(s.finishEnrolment))
	api("GET "+shared.PathSessions, s.gates.SignedIn(s.listSessions))
	api("DELETE "+shared.PathSession+"{id}", s.gates.SignedIn(s.endSession))
	api("POST "+shared.PathEndOthers, s.gates.SignedIn(s.endOtherSessions))
}

func (s *Server) pageRoutes(mux *http.ServeMux, page func(pattern string, h httpapi.Handler)) {
	page("GET "+shared.PageSignIn, s.showSignIn)
	page("POST "+shared.PageSignIn, s.submitSignIn)
	page("POST "+shared.PageSignOut, s.submitSignOut)
	page("POST "+shared.PageNotYou, s.forgetKnown)
	page("POST "+shared.PageLanguage, s.chooseLanguage)
	page("GET "+shared.PageSignedIn, s.showSignedIn)
	page("GET "+shared.FileScriptless, s.showScriptless)
	if s.passkeys != nil {
		page("GET "+shared.PageAbout, s.showAbout)
	}
	page("GET "+shared.PageRecovery, s.showRecovery)
	page("POST "+shared.PageRecovery, s.submitRecovery)
	page("GET "+shared.PageEnrol, s.showEnrol)
	page("POST "+shared.PageEnrol, s.submitEnrol)
	page("GET "+shared.PageEnrolled, s.showEnrolled)
	page("GET "+shared.PageVerify, s.showVerify)
	page("POST "+shared.PageVerify, s.submitVerify)
	page("GET "+shared.PageVerified, s.showVerified)
	page("GET "+shared.PageNotMe, s.showNotMe)
	page("POST "+shared.PageNotMe, s.submitNotMe)
	page("GET "+shared.PageHeld, s.showHeld)
	page("GET "+shared.PageRelease, s.showRelease)
	if len(s.c.Related) > 0 {
		page("GET "+shared.PageMoved, s.showMoved)
		page("POST "+shared.PageMoved, s.submitMoved)
	}
	page("GET "+shared.PageSetup, s.showSetup)
	page("POST "+shared.PageSetup, s.submitSetup)
	for _, pattern := range s.c.App.Pages {
		address := string(pattern)
		if pattern == shared.PageHome {
			address = "/{$}" // "/" alone would take every path
		}
		page("GET "+address, s.appPage(pattern))
	}
	if s.c.App.Draw != nil {
		mux.Handle("GET "+shared.PathDrawn, s.answers.API(s.gates.SignedIn(s.draw)))
	}
	if s.c.App.Page != nil {
		mux.Handle("GET "+shared.PageShell, s.c.App.Page)
	}
	for pattern, h := range s.c.App.Files {
		if strings.HasPrefix(pattern, shared.PageManual) && !s.c.ManualPublic {
			page("GET "+pattern, s.forSignedIn(h))
			continue
		}
		mux.Handle("GET "+pattern, h)
	}
	page("/", s.noSuchPath(mux))
}
