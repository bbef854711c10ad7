// Package toolcrib is the browser's half of the tool crib: a small program with people,
// passwords and pages of its own that has taken Keypeg in, as an example for those who
// want to do the same. The other half is server/cmd/toolcrib.
//
// What takes Keypeg in stands in keypeg.go, here and there. The manual lists what else of
// Keypeg the rest uses, for which it could have something of its own.
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

// Crib is what a person sees of it.
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

// Tool is one of the crib's.
type Tool struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Holder string    `json:"holder,omitempty"` // the id of who has it, or "" while it is in the crib
	With   string    `json:"with,omitempty"`   // the holder's name
	Since  time.Time `json:"since,omitzero"`
}

// Password is what somebody types to sign in, or to confirm who they are.
type Password struct {
	Name     string `json:"name,omitempty"`
	Password string `json:"password"`
}

// Choice is the tool or the person that something is done with.
type Choice struct {
	ID string `json:"id"`
}

// Refusal says in a sentence why something wasn't done.
type Refusal struct {
	Sentence string `json:"sentence"`
}

// Routes registers the pages, in the browser and on the server.
func Routes() {
	goapp.Route(PageTools, func() goapp.Composer { return &toolsPage{} })
	goapp.Route(PageSignIn, func() goapp.Composer { return &signInPage{} })
}
