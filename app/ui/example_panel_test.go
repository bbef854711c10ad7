package ui_test

import (
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// settings is a page with a button in the place of selfservice.Menu. It opens and closes the
// panel, and the panel does the rest.
type settings struct {
	goapp.Compo

	passkeys *selfservice.Service
	account  shared.Account // as passkeys.Account returned it, in OnMount
	open     bool
	count    int
}

func (p *settings) Render() goapp.UI {
	return goapp.Elem("main").Body(
		goapp.Elem("button").OnClick(func(goapp.Context, goapp.Event) { p.open = true }).Text("Passkeys"),
		goapp.If(p.open, func() goapp.UI {
			return &ui.PasskeysPanel{
				Context:   selfservice.Context(&message.English, p.account),
				Service:   p.passkeys,
				Confirms:  p.passkeys,
				OnClose:   func() { p.open = false },
				OnChanged: func(list shared.PasskeyList) { p.count = len(list.Passkeys) },
			}
		}),
	)
}

// The panel is open for as long as its parent renders it.
func ExamplePasskeysPanel() {
	page := &settings{passkeys: selfservice.New(nil)}
	fmt.Println(strings.Contains(goapp.HTMLString(page), "<dialog"))
	page.open = true
	fmt.Println(strings.Contains(goapp.HTMLString(page), "<dialog"))

	// Output:
	// false
	// true
}
