package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Hint is advice about passkeys, with a button to add one.
type Hint struct {
	ID               string // of its row; "ID-add" and "ID-not-now" are the buttons
	Title, Lead, Add string
	NotNow           string // the text of the button that puts the hint away
	Primary          bool   // the button is the page's main one
	OnNotNow         func()
}

// HintCard shows a [Hint] by itself. In Keypeg's own pages it is a row of [MethodsCard].
type HintCard struct {
	app.Compo

	Context Context // required
	Hint    Hint    // required
	OnAdd   func()
}

// Render implements app.Composer.
func (c *HintCard) Render() app.UI {
	row := (&MethodsCard{Context: c.Context, Hint: c.Hint, OnAdd: c.OnAdd}).renderHint()
	row.Level = "h2" // below the title of a page
	return app.Elem("ul").Class("rows").Body(row)
}
