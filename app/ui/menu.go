package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// MenuItem is a line of a [UserMenu]: a link to a page of the app, or a command.
type MenuItem struct {
	ID       string // unique in the menu; also the element's id, "menu-"+ID
	Label    string // its text
	Icon     string // "key", "browser", "list", "people", "phone", "install", "out", or "" for none
	Href     string // a page, or "" with OnSelect
	OnSelect func() // what to do; nil does nothing

	// Lang is set for a line that chooses a language. The Label is in that language.
	Lang    string
	Checked bool // the language is the chosen one
}

// UserMenu is the signed-in user's name, and the menu that a click on it opens.
//
// Keyboard, after the menu button pattern of the ARIA Authoring Practices: Enter,
// Space or Down opens it on its first line and Up on its last, arrows, Home and
// End move, Escape closes it and Tab leaves it.
type UserMenu struct {
	app.Compo

	Name  string     // the user's, on the button
	Label string     // the menu's accessible name
	Items []MenuItem // its lines, from top to bottom

	state menuState
	line  int // the one with the focus, while the menu is open
	self  app.Context
}

// OnMount keeps the component's own context. The context of an event ends with its element,
// and the lines of the menu are removed when one of them is chosen.
func (m *UserMenu) OnMount(ctx app.Context) { m.self = ctx }

type menuState int

const (
	menuClosed menuState = iota
	menuOpen
)

// MenuSignOut is the ID of the line that signs out, and MenuSignOutKeep of the one that keeps the user's
// name in the browser.
const (
	MenuSignOut     = "sign-out"
	MenuSignOutKeep = "sign-out-keep"
)

// menuButtonID is where the focus returns when a panel closes.
const menuButtonID = "user-menu-button"

// FocusUserMenu moves the keyboard focus to the user's name.
func FocusUserMenu(ctx app.Context) { focus(ctx, menuButtonID) }

// Render implements app.Composer.
func (m *UserMenu) Render() app.UI {
	open := m.state == menuOpen
	return app.Elem("div").Class("menu").OnKeyDown(m.onKey).Body(
		app.Elem("button").ID(menuButtonID).Attr("type", "button").Class("button menu-button").
			Aria("haspopup", "menu").Aria("expanded", strconv.FormatBool(open)).Aria("controls", "user-menu").
			OnClick(m.onButton).
			Body(app.Elem("span").Class("menu-name").Text(m.Name), icon("down")),
		app.If(open, func() app.UI {
			return app.Elem("div").Body(
				// It covers the page, so that a click anywhere closes the menu.
				app.Elem("div").Class("menu-behind").OnClick(m.onOutside),
				app.Elem("ul").ID("user-menu").Class("menu-list").Attr("role", "menu").Aria("label", m.Label).Body(
					app.Range(m.Items).Slice(func(i int) app.UI {
						return &menuLine{Item: m.Items[i], OnChosen: m.chosen}
					}),
				),
			)
		}),
	)
}

func (m *UserMenu) onButton(_ app.Context, _ app.Event) {
	if m.state == menuOpen {
		m.close()
		return
	}
	m.open(0)
}

func (m *UserMenu) onOutside(app.Context, app.Event) { m.close() }

func (m *UserMenu) open(line int) {
	m.state = menuOpen
	m.keepInPage()
	m.focusLine(line)
}

// keepInPage opens the list to the other side where it would reach beyond the page. A host
// program may put the name anywhere.
func (m *UserMenu) keepInPage() {
	m.self.Defer(func(app.Context) {
		list := app.Window().GetElementByID("user-menu")
		if !list.Truthy() {
			return
		}
		place := list.Call("getBoundingClientRect")
		if place.Get("left").Float() < 0 || place.Get("right").Float() > app.Window().Get("innerWidth").Float() {
			list.Get("classList").Call("add", "menu-list-turned")
		}
	})
}

func (m *UserMenu) close() {
	m.state = menuClosed
	FocusUserMenu(m.self)
}

// chosen closes the menu and does what the item says. A page that opens takes the focus
// itself.
func (m *UserMenu) chosen(item MenuItem) {
	if item.Href != "" {
		m.state = menuClosed
		return
	}
	m.close()
	notify(item.OnSelect)
}

func (m *UserMenu) focusLine(line int) {
	n := len(m.Items)
	if n == 0 {
		return
	}
	m.line = (line + n) % n
	focus(m.self, "menu-"+m.Items[m.line].ID)
}

func (m *UserMenu) onKey(_ app.Context, e app.Event) {
	key := e.Get("key").String()
	if m.state == menuClosed {
		switch key {
		case "ArrowDown":
			e.PreventDefault()
			m.open(0)
		case "ArrowUp":
			e.PreventDefault()
			m.open(-1)
		}
		return
	}

	switch key {
	case "ArrowDown":
		e.PreventDefault()
		m.focusLine(m.line + 1)
	case "ArrowUp":
		e.PreventDefault()
		m.focusLine(m.line - 1)
	case "Home":
		e.PreventDefault()
		m.focusLine(0)
	case "End":
		e.PreventDefault()
		m.focusLine(-1)
	case "Escape":
		e.PreventDefault()
		m.close()
	case "Tab":
		m.state = menuClosed
	}
}

func (i MenuItem) content() []app.UI {
	picture := i.Icon
	if i.Lang != "" {
		picture = "check"
	}
	return []app.UI{app.If(picture != "", func() app.UI { return icon(picture) }), app.Elem("span").Text(i.Label)}
}

// menuLine is a line of the menu. It is a component, so that its handler always acts on the
// item that is shown.
type menuLine struct {
	app.Compo

	Item     MenuItem
	OnChosen func(MenuItem)
}

func (l *menuLine) Render() app.UI {
	id := "menu-" + l.Item.ID
	if l.Item.Lang != "" {
		return app.Elem("li").Attr("role", "none").Class("menu-language").Body(
			app.Elem("button").ID(id).Attr("type", "button").Class("menu-line").Attr("role", "menuitemradio").TabIndex(-1).
				Aria("checked", strconv.FormatBool(l.Item.Checked)).Lang(l.Item.Lang).
				OnClick(l.onClick).Body(l.Item.content()...),
		)
	}
	content := l.Item.content()
	return app.Elem("li").Attr("role", "none").Body(
		app.If(l.Item.Href != "", func() app.UI {
			return app.Elem("a").ID(id).Class("menu-line").Attr("role", "menuitem").TabIndex(-1).
				Attr("href", l.Item.Href).OnClick(l.onClick).Body(content...)
		}).Else(func() app.UI {
			return app.Elem("button").ID(id).Attr("type", "button").Class("menu-line").Attr("role", "menuitem").TabIndex(-1).
				OnClick(l.onClick).Body(content...)
		}),
	)
}

func (l *menuLine) onClick(app.Context, app.Event) { l.OnChosen(l.Item) }
