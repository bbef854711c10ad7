package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Tab is a page of a part of the app that has several.
type Tab struct {
	Label, Href string
	Current     bool // the page at the address is this one, or is below it
}

// Tabs returns the row of links to such pages, which stands above each of them. The label is for
// screen readers. The row wraps where it is wider than the screen, so that the current page is never out of sight.
func Tabs(label string, tabs []Tab) app.UI {
	return app.Elem("nav").Class("tabs").Aria("label", label).Body(app.Range(tabs).Slice(func(i int) app.UI {
		link := app.Elem("a").Attr("href", tabs[i].Href).Text(tabs[i].Label)
		if tabs[i].Current {
			link = link.Aria("current", "page")
		}
		return link
	}))
}
