// Package door renders the front door: the pages for people who aren't signed
// in. They are plain HTML, complete without a script, and small, because
// whoever stands outside shall not wait for a WebAssembly program.
//
// It draws and decides nothing: handlers in server fill [SignIn] and its like,
// and html/template escapes all that came from outside. One small module,
// web/static/door.js, adds passkeys where the browser can use them.
package door

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

//go:embed *.html
var sources embed.FS

// Config is what every page of the door shows.
type Config struct {
	Product     string
	Contact     string
	PasskeysOn  bool
	PasswordsOn bool // somebody signs in with one
	RPID        string
	Asset       func(name string) string // the address of a static file
}

// Door draws the pages. It is safe for concurrent use.
type Door struct {
	Config
	pages map[string]*template.Template
}

// New returns a Door.
func New(c Config) *Door {
	functions := template.FuncMap{
		"asset": c.Asset,
		"fill":  message.Fill,
	}
	d := &Door{Config: c, pages: map[string]*template.Template{}}
	for _, page := range []string{"signin.html", "setup.html", "recovery.html", "enrol.html", "enrolled.html", "refusal.html"} {
		d.pages[page] = template.Must(template.New(page).Funcs(functions).ParseFS(sources, "layout.html", page))
	}
	return d
}

// SignIn is what the sign-in page shows.
type SignIn struct {
	Name    string // what was typed before
	Next    string // the page of the app to go to
	Refusal string // why the last attempt failed, or ""

	Providers []Provider
}

// Provider is a button that leads to an OpenID provider.
type Provider struct {
	Name    string
	Button  string // its text; "" for ours
	Address string
}

// SignIn writes the sign-in page.
func (d *Door) SignIn(w http.ResponseWriter, status int, text *message.Catalogue, page SignIn) error {
	return d.write(w, status, "signin.html", text, page)
}

// Setup is what the set-up page shows.
type Setup struct {
	Name, DisplayName string // what was typed before
	Refusal           string
}

// Setup writes the page that makes the first administrator.
func (d *Door) Setup(w http.ResponseWriter, status int, text *message.Catalogue, page Setup) error {
	return d.write(w, status, "setup.html", text, page)
}

// Recovery is what the page for recovery codes shows.
type Recovery struct {
	Name    string // what was typed before
	Refusal string
}

// Recovery writes the page for who has lost every other way in.
func (d *Door) Recovery(w http.ResponseWriter, status int, text *message.Catalogue, page Recovery) error {
	return d.write(w, status, "recovery.html", text, page)
}

// Enrol is what the page of an enrolment link shows.
type Enrol struct {
	Kind              store.Method // MethodInvitation, MethodRecoveryLink or MethodPhoneLink
	Name, DisplayName string       // the user's
	TakesPassword     bool
	Refusal           string
}

// Title is the page's, in a reader's language.
func (e Enrol) Title(text *message.Catalogue) string {
	switch e.Kind {
	case store.MethodInvitation:
		return message.Fill(text.Door.InvitationTitle, "name", e.DisplayName)
	case store.MethodRecoveryLink:
		return text.Door.WayBackTitle
	default:
		return text.Door.PhoneTitle
	}
}

// Lead says what the link is good for.
func (e Enrol) Lead(text *message.Catalogue, product string) string {
	lead := map[store.Method]string{
		store.MethodInvitation: text.Door.InvitationLead, store.MethodRecoveryLink: text.Door.WayBackLead, store.MethodPhoneLink: text.Door.PhoneLead,
	}[e.Kind]
	if e.Kind == store.MethodInvitation && !e.TakesPassword {
		lead = text.Door.InvitationPasskey
	}
	return message.Fill(lead, "product", product, "user", e.Name)
}

// Enrol writes the page on which the bearer of a link adds a way in.
func (d *Door) Enrol(w http.ResponseWriter, status int, text *message.Catalogue, page Enrol) error {
	return d.write(w, status, "enrol.html", text, page)
}

// Enrolled writes the page that follows it.
func (d *Door) Enrolled(w http.ResponseWriter, text *message.Catalogue) error {
	return d.write(w, http.StatusOK, "enrolled.html", text, nil)
}

// Refusal writes a page that says why something can't be done.
func (d *Door) Refusal(w http.ResponseWriter, status int, text *message.Catalogue, sentence string) {
	if err := d.write(w, status, "refusal.html", text, sentence); err != nil {
		http.Error(w, sentence, status)
	}
}

// view is what the templates see.
type view struct {
	*Door
	Text  *message.Catalogue
	Paths paths
	Page  any
}

// paths are the addresses that the pages and their script need, so that they are
// named in shared only.
type paths struct {
	SignIn, Setup, Recovery, Enrol, Enrolled string

	SignInBegin, SignInFinish, EnrolBegin, EnrolFinish string
}

var doorPaths = paths{
	shared.PageSignIn, shared.PageSetup, shared.PageRecovery, shared.PageEnrol, shared.PageEnrolled,
	shared.PathSignInBegin, shared.PathSignInFinish, shared.PathEnrolBegin, shared.PathEnrolFinish,
}

// write renders into memory first, so that a page is sent whole or not at all.
func (d *Door) write(w http.ResponseWriter, status int, name string, text *message.Catalogue, page any) error {
	var b bytes.Buffer
	if err := d.pages[name].ExecuteTemplate(&b, "layout.html", view{d, text, doorPaths, page}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}
