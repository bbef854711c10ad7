package toolcrib

import (
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// toolsPage shows the tools and who has them. The keeper also sees the people.
type toolsPage struct {
	goapp.Compo

	self    goapp.Context
	state   pageState
	crib    Crib
	leaving Person // the person whose removal is asked about; the zero Person for nobody
	refusal string
}

type pageState int

const (
	pageLoading pageState = iota
	pageReady
	pageWorking
)

// OnNav names the page.
func (p *toolsPage) OnNav(ctx goapp.Context) { ctx.Page().SetTitle("Tools · Tool crib") }

// OnMount loads the tools.
func (p *toolsPage) OnMount(ctx goapp.Context) {
	p.self = ctx
	p.ask("GET", PathCrib, nil, "")
}

// ask sends a request to the server and shows the crib that it answers. Then it gives the
// keyboard focus to an element, since a button loses it while it is disabled.
func (p *toolsPage) ask(method, path string, in any, focusID string) {
	if p.state == pageWorking {
		return
	}
	if p.state == pageReady {
		p.state = pageWorking
	}
	p.refusal = ""
	p.self.Async(func() {
		crib, err := call[Crib](p.self, method, path, in)
		p.self.Dispatch(func(goapp.Context) {
			p.state = pageReady
			switch {
			case shared.IsSignedOut(err):
				p.signedOut()
			case err != nil:
				p.refuse(err)
			default:
				p.crib = crib
			}
			focus(p.self, focusID)
		})
	})
}

func (p *toolsPage) refuse(err error) {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		p.refusal = refusal.Message
	}
}

// Render implements go-app's Composer.
func (p *toolsPage) Render() goapp.UI {
	return frame(p.menu(),
		goapp.H1().Text("Tools"),
		p.offer(),
		goapp.If(p.refusal != "", func() goapp.UI {
			return goapp.P().Class("crib-notice").Attr("role", "alert").Text(p.refusal)
		}),
		goapp.If(p.state == pageLoading, func() goapp.UI {
			return goapp.P().Class("crib-quiet").Attr("role", "status").Text("Loading…")
		}),
		goapp.Ul().Class("crib-rows").Body(
			goapp.Range(p.crib.Tools).Slice(func(i int) goapp.UI {
				tool := p.crib.Tools[i]
				row := &row{ID: "tool-" + tool.ID, Title: tool.Name, Working: p.state == pageWorking, OnClick: p.borrow, Choice: tool.ID}
				switch tool.Holder {
				case "":
					row.Fact, row.Button = "In the crib", "Borrow"
				case p.crib.Me.ID:
					row.Fact, row.Button, row.OnClick = "You have it", "Bring back", p.bringBack
				default:
					row.Fact = tool.With + " has it"
				}
				return row
			}),
		),
		goapp.If(p.crib.Me.Keeper, p.renderPeople),
		goapp.If(p.leaving.ID != "", func() goapp.UI {
			return &removal{Person: p.leaving, OnCancel: p.keep, OnRemove: p.remove}
		}),
	)
}

func (p *toolsPage) renderPeople() goapp.UI {
	return goapp.Section().Class("crib-people").Body(
		goapp.H2().ID(peopleID).TabIndex(-1).Text("People"),
		goapp.Ul().Class("crib-rows").Body(
			goapp.Range(p.crib.People).Slice(func(i int) goapp.UI {
				person := p.crib.People[i]
				row := &row{ID: "person-" + person.ID, Title: person.Name, Working: p.state == pageWorking, OnClick: p.askRemoval, Choice: person.ID}
				if person.Keeper {
					row.Fact = "Keeper"
				} else {
					row.Button = "Remove"
				}
				return row
			}),
		),
	)
}

func (p *toolsPage) borrow(id string)    { p.ask("POST", PathBorrow, Choice{id}, toolButton(id)) }
func (p *toolsPage) bringBack(id string) { p.ask("POST", PathReturn, Choice{id}, toolButton(id)) }

func (p *toolsPage) askRemoval(id string) {
	for _, person := range p.crib.People {
		if person.ID == id {
			p.leaving = person
		}
	}
}

func (p *toolsPage) keep() {
	focus(p.self, personButton(p.leaving.ID))
	p.leaving = Person{}
}

func (p *toolsPage) remove() {
	id := p.leaving.ID
	p.leaving = Person{}
	p.ask("POST", PathRemove, Choice{id}, peopleID)
}

// peopleID is the element that gets the keyboard focus when a person's row is removed.
const peopleID = "people"

func toolButton(id string) string   { return "tool-" + id + "-button" }
func personButton(id string) string { return "person-" + id + "-button" }

func (p *toolsPage) signOut() {
	p.self.Async(func() {
		// A person has signed out only when the server has ended the session.
		_, err := call[nothing](p.self, "POST", PathSignOut, nil)
		p.self.Dispatch(func(goapp.Context) {
			if err != nil && !shared.IsSignedOut(err) {
				p.refuse(err)
				return
			}
			p.signedOut()
		})
	})
}

func (p *toolsPage) signedOut() { browser.Leave(PageSignIn) }

// row is a tool or a person. It is a component, so that its button always acts on the row that
// is shown.
type row struct {
	goapp.Compo

	ID, Title, Fact string
	Button          string // "" for none
	Choice          string
	Working         bool
	OnClick         func(choice string)
}

// Render implements go-app's Composer.
func (r *row) Render() goapp.UI {
	return goapp.Li().ID(r.ID).Body(
		goapp.Span().Class("crib-title").Text(r.Title),
		goapp.If(r.Fact != "", func() goapp.UI { return goapp.Span().Class("crib-quiet").Text(r.Fact) }),
		goapp.If(r.Button != "", func() goapp.UI {
			return goapp.Button().ID(r.ID+"-button").Type("button").Class("crib-button").Disabled(r.Working).
				Aria("label", r.Button+": "+r.Title).OnClick(r.onClick).Text(r.Button)
		}),
	)
}

func (r *row) onClick(goapp.Context, goapp.Event) { r.OnClick(r.Choice) }
