package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// line is a row of a list: a mark, a name with its facts, and at the end what can be done. It is
// a component, so that its handlers always act on the row that is shown.
type line struct {
	app.Compo

	Context Context
	ID      string // of the element
	Icon    string // in the mark; "" for the Initial
	Initial string // of a provider, whose logo isn't ours to draw; "" for no mark
	Kind    string // classes of the mark, such as "warn"
	Class   string // classes of the row: "picked", "lit"
	Level   string // of the heading, such as "h3"
	Name    string
	Tag     string // beside the name; "" for none
	Facts   []fact
	Why     string // why something can't be done; "" for nothing
	Failure error  // what was refused here
	Do      rowAction
	Then    rowAction
}

// fact is a text about something, with its exact form as a tooltip.
type fact struct{ text, exact string }

func factList(list []fact) app.UI {
	return app.Elem("ul").Class("facts").Body(app.Range(list).Slice(func(i int) app.UI {
		return app.Elem("li").Title(list[i].exact).Body(app.Elem("bdi").Text(list[i].text))
	}))
}

// facts returns facts without tooltips. It leaves out empty texts.
func facts(texts ...string) (list []fact) {
	for _, text := range texts {
		if text != "" {
			list = append(list, fact{text: text})
		}
	}
	return list
}

// rowAction is a button of a [line]. The zero value is none.
type rowAction struct {
	ID, Text string
	Label    string // for screen readers, who read it without the row
	Class    string // classes of the button, such as "danger"
	Href     string // makes a link of it
	Off      bool
	OffBy    string // the id of what says why it is off; "" is Why
	Do       func()
}

// CompoID makes the row of something else another component (go-app's DismountEnforcer), so that no button becomes another
// row's while it has the focus or is being pressed. A row that moves is made anew: [refocus] puts the focus back by id.
func (l *line) CompoID() string { return l.ID }

// Render implements app.Composer.
func (l *line) Render() app.UI {
	return app.Elem("li").ID(l.ID).Class("row", "line", l.Class).Body(
		app.If(l.Icon != "", func() app.UI { return app.Elem("span").Class("mark", l.Kind).Body(icon(l.Icon)) }).
			ElseIf(l.Initial != "", func() app.UI {
				return app.Elem("span").Class("mark").Aria("hidden", "true").Text(l.Initial)
			}),
		app.Elem("div").Class("row-text").Body(
			app.Elem(l.Level).Class("row-name").Body(
				app.Elem("bdi").Text(l.Name),
				app.If(l.Tag != "", func() app.UI { return app.Elem("span").Class("tag").Text(l.Tag) }),
			),
			app.If(len(l.Facts) > 0, func() app.UI { return factList(l.Facts) }),
			app.If(l.Why != "", func() app.UI { return app.Elem("p").ID(l.ID + "-why").Class("row-why").Text(l.Why) }),
			l.Context.notice(l.Failure),
		),
		app.If(l.Do.Text+l.Then.Text != "", func() app.UI {
			return app.Elem("div").Class("row-buttons").Body(l.button(l.Do, l.onDo), l.button(l.Then, l.onThen))
		}),
	)
}

func (l *line) button(a rowAction, on app.EventHandler) app.UI {
	return app.If(a.Href != "", func() app.UI {
		return app.Elem("a").ID(a.ID).Class("button small", a.Class).Attr("href", a.Href).Aria("label", a.Label).Text(a.Text)
	}).ElseIf(a.Text != "", func() app.UI {
		b := l.Context.button(a.ID, "small "+a.Class, a.Text, a.Off, on)
		if a.Label != "" {
			b = b.Aria("label", a.Label)
		}
		by := a.OffBy
		if l.Why != "" {
			by = l.ID + "-why"
		}
		if by != "" && a.Off {
			b = b.Aria("describedby", by)
		}
		return b
	})
}

func (l *line) onDo(app.Context, app.Event)   { l.Do.Do() }
func (l *line) onThen(app.Context, app.Event) { l.Then.Do() }
