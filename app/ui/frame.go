package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Frame is around every page: the product's name at the left, the user's name at the right,
// and the page below. While it isn't known yet who is signed in, User is nil. Its place is
// kept, so that nothing moves when the name comes.
type Frame struct {
	Skip    string // the text of the link to the content; "" while no language is known
	Product string // the program's name
	Icon    string // address of the product's icon
	Home    string // address behind the product's name
	User    app.UI // the [UserMenu]; nil keeps its place
	Bar     app.UI // a message above the page, such as a new version; nil for none
}

// MainID is the id of the page's main element.
const MainID = "main"

// With returns the frame around a page's content.
func (f Frame) With(content ...app.UI) app.UI {
	return app.Elem("div").Class("app").Body(
		app.Elem("a").Class("skip").Attr("href", "#"+MainID).Text(f.Skip),
		app.Elem("header").Class("top").Body(
			app.Elem("a").Class("brand").Attr("href", f.Home).Body(
				app.ElemSelfClosing("img").Attr("src", f.Icon).Attr("role", "presentation").Attr("width", 28).Attr("height", 28),
				app.Elem("span").Text(f.Product),
			),
			app.If(f.User != nil, func() app.UI { return f.User }).
				Else(func() app.UI { return app.Elem("div").Class("menu-place") }),
		),
		Slot(app.If(f.Bar != nil, func() app.UI { return f.Bar })),
		app.Elem("main").ID(MainID).TabIndex(-1).Body(content...),
	)
}

// FocusMain moves the keyboard focus to the page's content.
func FocusMain(ctx app.Context) { focus(ctx, MainID) }
