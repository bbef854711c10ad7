package ui_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// signInPage is a page of the program's own.
type signInPage struct{ goapp.Compo }

func (p *signInPage) Render() goapp.UI {
	return goapp.Elem("main").Body(
		goapp.Elem("h1").Text("Tool crib"),
		&ui.SignInPanel{
			Context:    selfservice.Context(&message.English, shared.Account{}),
			Service:    selfservice.New(nil),
			Password:   p.signIn,
			OnSignedIn: func() { browser.Leave("/") },
		},
	)
}

// signIn asks the program's own server, which begins a session. A *shared.Error is shown as it
// is. Without a Password, the form would have no text boxes for name and password.
func (p *signInPage) signIn(ctx context.Context, name, password string) error {
	return shared.Errorf(shared.CodeSignInRefused, "The name or the password is not right.")
}

// The form is a part of a page of the program's own, below the title.
func ExampleSignInPanel() {
	markup := goapp.HTMLString(&signInPage{})
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(markup, " ")
	fmt.Println(strings.Join(strings.Fields(text), " "))

	// Output: Tool crib User name Password Sign in or Sign in with a passkey
}
