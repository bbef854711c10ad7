// Package signinpages draws the pages for people who aren't signed in: to sign in, to use a
// link, to set an installation up, and to read why something was refused. They are plain
// HTML, complete without a script, and small, so that nobody waits for a WebAssembly program
// before they are signed in.
//
// It draws and decides nothing: handlers in server fill [SignIn] and its like,
// and each page is a file. gomponents escapes every text and every value of an
// attribute, but it doesn't know which of them are addresses: those are ours.
// One small module, web/static/signinpages.js, adds passkeys where the browser can use
// them.
package signinpages

import (
	"bytes"
	"net/http"

	"github.com/keypeg/keypeg/shared/message"
)

// Config is what every page shows.
type Config struct {
	Product     string
	Contact     string // "" has the pages say it in general
	ContactSaid bool   // the page says it by itself
	PasskeysOn  bool
	PasswordsOn bool // somebody signs in with one
	RPID        string
	Asset       func(name string) string // the address of a static file
}

// Pages draws them. It is safe for concurrent use.
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
