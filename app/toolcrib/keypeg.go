package toolcrib

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var passkeys = selfservice.New(confirm)

// menu is the person's name at the top right.
func (p *toolsPage) menu() goapp.UI {
	return &selfservice.Menu{Service: passkeys, SignOut: p.signOut, OnSignedOut: p.signedOut}
}

// offer offers a passkey to a person who has none.
func (p *toolsPage) offer() goapp.UI { return &selfservice.Offer{Service: passkeys} }

// form is the sign-in form.
func (p *signInPage) form() goapp.UI {
	return &ui.SignInPanel{
		Context: selfservice.Context(&message.English, shared.Account{Contact: Contact}), Service: passkeys,
		Password: signIn, OnSignedIn: p.signedIn,
	}
}
