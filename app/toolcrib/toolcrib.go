// Package toolcrib is the browser's part of the tool crib: a small program with users,
// passwords and pages of its own that builds Keypeg in. It is an example for developers who
// want to do the same. The server's part is server/cmd/toolcrib.
//
// In both parts, keypeg.go has all that builds Keypeg in. The other files use a few more
// packages of Keypeg, in whose place a program could have its own; the manual lists them.
package toolcrib

import (
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
)

// The pages.
const (
	PageTools  = "/"
	PageSignIn = "/sign-in"
)

// Contact is whom people ask.
const Contact = "the keeper of the crib"

// The paths of the crib's own API. Each answers JSON; a refusal is a [Refusal].
const (
	PathCrib    = "/crib"          // GET answers a [Crib]
	PathSignIn  = "/crib/sign-in"  // POST takes a [Password]
	PathConfirm = "/crib/confirm"  // POST takes a [Password] without a name
	PathSignOut = "/crib/sign-out" // POST
	PathBorrow  = "/crib/borrow"   // POST takes a [Choice] of a tool and answers a [Crib]
	PathReturn  = "/crib/return"   // the same
	PathRemove  = "/crib/remove"   // the keeper's POST takes a [Choice] of a person and answers a [Crib]
)

// Crib is what a person sees of the crib.
type Crib struct {
	Me     Person   `json:"me"`
	Tools  []Tool   `json:"tools"`
	People []Person `json:"people,omitempty"` // for the keeper
}

// Person is somebody who may borrow tools.
type Person struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // which they also type to sign in
	Keeper bool   `json:"keeper"`
}

// Tool is a tool of the crib.
type Tool struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Holder string    `json:"holder,omitempty"` // the id of the person who has it; "" while it is in the crib
	With   string    `json:"with,omitempty"`   // the name of that person
	Since  time.Time `json:"since,omitzero"`
}

// Password is what somebody types to sign in, or to confirm who they are.
type Password struct {
	Name     string `json:"name,omitempty"`
	Password string `json:"password"`
}

// Choice is the tool or the person that a request is about.
type Choice struct {
	ID string `json:"id"`
}

// Refusal says in a sentence why a request was refused.
type Refusal struct {
	Sentence string `json:"sentence"`
}

// Routes registers the pages, in the browser and on the server.
func Routes() {
	goapp.Route(PageTools, func() goapp.Composer { return &toolsPage{} })
	goapp.Route(PageSignIn, func() goapp.Composer { return &signInPage{} })
}
