// Package pages has the pages of Keypeg's program in the browser: everything that a signed-in
// user sees.
//
// A page is a row of the table in table.go, and a file of its own with its content. [Routes]
// registers all pages with go-app, and [AccountRoutes] those that every user needs: there is a
// program in the browser for each. The server draws the same pages, without a user for the layout and
// with one for [Draw], so that they can be read before the program is there. [Patterns] returns their
// addresses for the server.
//
// One component, shell, is around every page. It knows who is signed in, and is responsible
// for navigation, title, menu and messages about the whole program. A page lays out components
// of package ui, and decides nothing about passkeys.
package pages

import (
	"regexp"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/shared"
)

// Deps is what the pages need from outside.
type Deps struct {
	Transport     client.Transport
	Authenticator ceremony.Authenticator
	Product       string // the installation's name, until the account is loaded
	Icon          string // address of its icon
	Contact       string // whom to ask, until the account is loaded
}

// InBrowser returns the dependencies of the app in a browser. Product, icon and contact come
// from the environment that the server sends with the page.
func InBrowser() Deps {
	return Deps{
		Transport: browser.Transport{}, Authenticator: browser.Authenticator{},
		Product: goapp.Getenv(EnvProduct), Icon: goapp.Getenv(EnvIcon), Contact: goapp.Getenv(EnvContact),
	}
}

// The app's environment, which the server sends with the page. All of it is public.
const (
	EnvProduct = "KEYPEG_APP_PRODUCT"
	EnvIcon    = "KEYPEG_APP_ICON"
	// EnvContact is set by boot.js from the page, since a server with several organisations
	// has several.
	EnvContact = "KEYPEG_APP_CONTACT"
	// EnvLanguages is a list of [Language] in JSON.
	EnvLanguages = "KEYPEG_APP_LANGUAGES"
)

// AccountRoutes registers the pages of one's own account with go-app, and the page in the frame of another program.
func AccountRoutes(d Deps) {
	goapp.Route(shared.PagePanel, func() goapp.Composer { return newPanelPage(d, newLanguages(d.Transport).speech()) })
	routes(d, account())
}

// Routes registers every page with go-app.
func Routes(d Deps) { routes(d, table()) }

func routes(d Deps, pages []page) {
	self := newSelf(d)
	languages := newLanguages(d.Transport)
	opened := false // a page of this program was shown
	newShell := func() goapp.Composer {
		if goapp.IsClient { // a server draws for many at once
			opened = true
		}
		return &shell{self: self, deps: d, pages: pages, speech: languages.speech()}
	}
	goapp.Route(shared.PageShell, newShell)
	for _, p := range pages {
		if p.content == nil {
			continue
		}
		before, _, hasParameter := strings.Cut(string(p.pattern), "{")
		if hasParameter {
			goapp.RouteWithRegexp("^"+regexp.QuoteMeta(before), newShell) // which looks at the rest
			continue
		}
		goapp.Route(before, newShell)
	}
	goapp.RouteWithRegexp(".", func() goapp.Composer {
		return &elsewhere{deps: d, speech: languages.speech(), followed: opened}
	})
}

// Patterns are the addresses of all pages.
func Patterns() (patterns []shared.PagePattern) {
	for _, p := range table() {
		if p.content != nil {
			patterns = append(patterns, p.pattern)
		}
	}
	return patterns
}

// Kept are the addresses of the pages of one's own account, which the service worker opens without the
// server.
func Kept() (addresses []string) {
	for _, p := range account() {
		if p.content != nil {
			addresses = append(addresses, string(p.pattern))
		}
	}
	return addresses
}

// IsAdministration reports whether the page at a path is one of administration, which only the
// program with all pages has.
func IsAdministration(path string) bool {
	return slices.ContainsFunc(administration(), func(p page) bool {
		_, matches := p.pattern.Match(path)
		return matches
	})
}
