package selfservice_test

import (
	"context"
	"encoding/json"
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// passkeys is one service for all pages of the program.
var passkeys = selfservice.New(confirm)

// confirm asks the program's own server to check the password of the signed-in user, and to
// count their session as fresh from then on.
func confirm(ctx context.Context, password string) error {
	body, err := json.Marshal(map[string]string{"password": password})
	if err != nil {
		return err
	}
	status, _, err := browser.Transport{}.Send(ctx, "POST", "/confirm", body)
	switch {
	case err != nil:
		return shared.Errorf(shared.CodeOffline, "The server can't be reached. Please try again.")
	case status != 204:
		return shared.Errorf(shared.CodeSignInRefused, "This password is not right.")
	}
	return nil
}

// tools is a page of the program's own.
type tools struct{ goapp.Compo }

func (p *tools) Render() goapp.UI {
	return goapp.Elem("header").Body(
		goapp.Elem("a").Attr("href", "/").Text("Tool crib"),
		&selfservice.Menu{
			Service:     passkeys,
			Items:       []ui.MenuItem{{ID: "tools", Label: "My tools", OnSelect: p.showMine}},
			SignOut:     p.leave,
			OnSignedOut: p.leave,
		},
	)
}

func (p *tools) showMine() { browser.Leave("/mine") }

func (p *tools) leave() { browser.Leave("/sign-in") }

// The user's name and its menu stand in the header of every page. There is only their place
// while the browser doesn't know who is signed in, and on the server, which draws the page
// before that.
func ExampleMenu() {
	fmt.Println(goapp.HTMLString(&tools{}))

	// Output:
	// <header>
	//   <a href="/">Tool crib</a>
	//   <div class="menu-place"></div>
	// </header>
}
