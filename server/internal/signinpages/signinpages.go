// Package signinpages draws the pages for people who aren't signed in: to sign in, to use a
// link, to set up an installation, and to read why something was refused. They are plain
// HTML that is complete without a script, and small, so that nobody waits for a WebAssembly
// program before they are signed in.
//
// It decides nothing. Handlers in server fill [SignIn] and the like, and each page has a
// file. gomponents escapes every text and every attribute, but it doesn't know which
// attributes are addresses, so all addresses must be ours. One small module,
// web/static/signinpages.js, adds passkeys where the browser supports them.
package signinpages

import (
	"bytes"
	"net/http"

	"github.com/keypeg/keypeg/shared/message"
)

// Config is what all pages have in common.
type Config struct {
	Product     string
	Contact     string // whom people ask; without it, pages name IT in general
	ContactSaid bool   // the sentence of the page names the contact already
	PasskeysOn  bool
	PasswordsOn bool // some users may sign in with a password
	RPID        string
	Related     func() []Related         // the relying party ids, best first; nil if there is one
	StyleSheet  string                   // loaded after ours; "" for none
	Hosted      bool                     // in a host program, which has the pages to sign in and about passkeys
	Asset       func(name string) string // the address of a static file
}

// Related is a relying party id of an organisation with several addresses.
type Related struct {
	RPID   string
	Origin string // of the address where every browser uses its passkeys
}

// Pages draws the pages. It is safe for concurrent use.
type Pages struct {
	Config
}

// New returns Pages.
func New(c Config) *Pages { return &Pages{c} }

// write renders into memory first, so that a page is sent whole or not at all.
func (p *Pages) write(w http.ResponseWriter, status int, text *message.Catalogue, own content) error {
	var b bytes.Buffer
	if err := p.layout(text, own).Render(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}
