package server

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Config is what a [Server] needs: a Store, an Address, and either Accounts or a Host.
// [New] refuses fields that have no meaning beside those.
type Config struct {
	Store store.Store
	// Accounts are the rules of local users. A program with users of its own sets Host
	// instead.
	Accounts *account.Service
	Host     Host
	// Embed is a program in any language, in the place of a Host: it speaks to us over HTTP. See package embed. It
	// returns the program as IT has set it up now, because its secrets change. Nil is for none. App has the page in
	// the frame that its pages open, and Asset must be set.
	Embed func() embed.Program
	// ConfirmFor is how long a sign-in at the Host counts as a confirmation; 0 means 10
	// minutes. It is for a Host only, because Accounts have their own.
	ConfirmFor time.Duration
	// KeepEvents is how long activity keeps an event: see [activity.New]. It is for a Host only
	// too.
	KeepEvents time.Duration

	// Live gets notice of the changes that Store writes; see [live.Hub.Store]. Nil makes a
	// hub, for a Store to which nothing else writes.
	Live *live.Hub
	Now  store.Clock  // nil is time.Now
	Log  *slog.Logger // nil is slog.Default

	// Answered is told of each request when it is answered, but for health checks: for figures. It must be
	// quick. Nil tells nobody.
	Answered func(Answered)

	// TokenAnswered is told of each answer to a program that wants tokens, for figures, as Answered is.
	TokenAnswered func(TokenAnswered)

	// Warnings warns IT of proxies that break something. Nil makes one that writes to Log.
	Warnings *Warnings

	// Examine examines the installation for its administrators. Nil: nobody can ask for that. It is for Accounts
	// only.
	Examine Examine

	Address Address // from [ParseAddress]
	// Related are further addresses, up to [MaxRelated]: see [CheckRelated]. Links and mails lead to Address.
	Related []Related
	// TrustedProxies are the networks of our own proxies. X-Forwarded-For is believed from
	// them only.
	TrustedProxies []netip.Prefix
	Product        string // the name that people read, "Keypeg"
	Contact        string // whom users ask, in IT's words; may be empty

	MaxPasskeys int // per user; 0 means [passkey.DefaultMax]
	// AttestationRoots, if set, are the roots of the makers whose authenticators are
	// accepted.
	AttestationRoots *x509.CertPool

	// Providers are the OpenID providers at which people may sign in. Accounts has the same
	// ones. Like App they are for Accounts only, because a Host has its own.
	Providers []*federation.Provider

	// Clients are programs to which people sign in here, besides those that are registered while the
	// server runs. Each has been checked with [openid.Client.Check]. They are for Accounts only too.
	Clients []openid.Client
	// AnyClient also accepts programs that nobody has registered here, if their client_id is the address of a document
	// about them (OAuth Client ID Metadata Document). The server fetches it.
	AnyClient bool
	// PublicPrograms tells programs of ended sessions at public addresses only, except those of Clients. It is for servers
	// whose administrators aren't IT: they must not reach the network of this machine with an address that they register.
	PublicPrograms bool
	// Gates are the hosts of programs behind a proxy that asks here who may pass. See [ParseGate] and [CheckGates].
	Gates []forwardauth.Gate

	// App is the program that browsers load.
	App App
	// ManualPublic lets everybody read the pages below shared.PageManual. Without it only
	// signed-in users read them.
	ManualPublic bool
	// Asset returns the address of a static file by its name, such as "style.css". It is the URL
	// of what web.Open returns. Accounts need it.
	//
	// With a Host, it switches on "Add on my phone": a signed-in user shows a QR code, and their
	// phone makes a passkey on a small page of ours at [shared.PageHostEnrol]. The code works
	// once, for five minutes. The page has "icon.svg" above its title, in whose place a Host may
	// return the address of an icon of its own. With nil, users aren't offered that.
	Asset func(name string) string
	// StyleSheet is the path of a style sheet of the Host, which that page loads after ours:
	// it may set the custom properties that the manual lists. "" is for none.
	StyleSheet string
}

// Answered is a request that was answered. It has nothing that the client wrote.
type Answered struct {
	Pattern string // of the route, or "" if there is none, or if it is a file
	Status  int
	Code    shared.Code // of the refusal, or ""
	Took    time.Duration
}

// TokenAnswered is an answer to a program that wants tokens.
type TokenAnswered struct {
	Client string // its id; "" if it didn't prove who it is, and "document" if nobody has registered it
	Grant  string // "authorization_code", "refresh_token", "device_code" or "other"
	Error  string // "" for tokens
}

// App is the program in the browser, as it is served. Its handlers get GET and HEAD only.
type App struct {
	// Pages are the addresses of its pages. They are for signed-in users. Others are sent
	// to the sign-in page, which leads back.
	Pages []shared.PagePattern
	// Page draws each of the Pages, without a user's data. It draws [shared.PageShell] for
	// everybody.
	Page http.Handler
	// Draw draws one of the Pages with the data of the user who sent a request, which ask gets. Nil: the
	// program draws all.
	Draw func(r *http.Request, page *url.URL, ask Ask) (shared.DrawnPage, error)
	// Files are the other files that a browser loads, by http.ServeMux pattern without a
	// method. The manual is among them.
	Files map[string]http.Handler
}

// hasManual reports whether the manual is among the files.
func (a App) hasManual() bool {
	for pattern := range a.Files {
		if strings.HasPrefix(pattern, shared.PageManual) {
			return true
		}
	}
	return false
}

// check refuses a Config that can't work, or of which a part would be ignored.
func (c Config) check() error {
	hosted := c.Host != nil || c.Embed != nil
	switch {
	case c.Store == nil:
		return errors.New("there must be a Store")
	case c.Host != nil && c.Embed != nil || (c.Accounts == nil) != hosted:
		return errors.New("either Accounts, Host or Embed must be set")
	case c.Embed != nil && c.Asset == nil:
		return errors.New("with Embed, Asset must be set")
	case c.Address.Origin == "" || c.Address.Host == "" || c.Address.RPID == "":
		return errors.New("there must be an Address, from ParseAddress")
	case !hosted && c.Asset == nil:
		return errors.New("with Accounts, Asset must be set")
	case !hosted && c.ConfirmFor != 0:
		return errors.New("with Accounts, ConfirmFor is theirs: set it in account.Config")
	case !hosted && c.KeepEvents != 0:
		return errors.New("with Accounts, KeepEvents is theirs: set it in account.Config")
	case c.KeepEvents != 0 && (c.KeepEvents < store.ShortestKept || c.KeepEvents > store.EventsKept):
		return errors.New("KeepEvents must be from store.ShortestKept to store.EventsKept")
	case c.StyleSheet != "" && (!hosted || c.Asset == nil):
		return errors.New("StyleSheet is for a Host, and for the page that Asset switches on")
	case (c.App.Pages == nil) != (c.App.Page == nil):
		return errors.New("App.Page draws App.Pages: set both or none")
	case c.ManualPublic && !c.App.hasManual():
		return errors.New("ManualPublic is about the manual: App.Files must have it")
	case hosted && c.Examine != nil:
		return errors.New("with a Host, Examine means nothing")
	case hosted && c.Clients != nil:
		return errors.New("with a Host, Clients mean nothing: people sign in there, and not here")
	case hosted && (c.Providers != nil || c.Gates != nil) || c.Host != nil && (c.App.Pages != nil || c.App.Files != nil):
		return errors.New("with a Host, Providers, Gates and App mean nothing: sign-in and pages are its own")
	}
	if err := CheckGates(c.Gates, c.addresses()...); err != nil {
		return fmt.Errorf("a gate can't be served: %w", err)
	}
	if err := openid.CheckConfigured(c.Clients); err != nil {
		return err
	}
	return CheckRelated(c.Address, c.Related)
}

// fill sets the defaults.
func (c *Config) fill() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Warnings == nil {
		c.Warnings = NewWarnings(c.Log, c.Now)
	}
}
