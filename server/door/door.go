// Package door renders the front door: the pages for people who aren't signed
// in. They are plain HTML, complete without a script, and small, because
// whoever stands outside shall not wait for a WebAssembly program.
//
// It draws and decides nothing: handlers in server fill [SignIn] and its like,
// and each page is a file. gomponents escapes every text and every value of an
// attribute, but it doesn't know which of them are addresses: those are ours.
// One small module, web/static/door.js, adds passkeys where the browser can use
// them.
package door

import (
	"bytes"
	"net/http"

	"github.com/keypeg/keypeg/shared/message"
)

// Config is what every page of the door shows.
type Config struct {
	Product     string
	Contact     string // "" has the pages say it in general
	ContactSaid bool   // the page says it by itself
	PasskeysOn  bool
	PasswordsOn bool // somebody signs in with one
	RPID        string
	Asset       func(name string) string // the address of a static file
}

// Door draws the pages. It is safe for concurrent use.
type Door struct {
	Config
}

// New returns a Door.
func New(c Config) *Door { return &Door{c} }

// write renders into memory first, so that a page is sent whole or not at all.
func (d *Door) write(w http.ResponseWriter, status int, text *message.Catalogue, own content) error {
	var b bytes.Buffer
	if err := d.layout(text, own).Render(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}
