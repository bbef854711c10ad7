package toolcrib

import (
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// toolsPage shows the tools and who has them; to the keeper, also the people.
type toolsPage struct {
	goapp.Compo

	self    goapp.Context
	state   pageState
	crib    Crib
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
	p.ask("GET", PathCrib, nil)
}

// ask does something at the server and shows what is there then.
func (p *toolsPage) ask(method, path string, in any) {
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
		goapp.If(p.refusal != "", func() goapp.UI {
			return goapp.P().Class("notice notice-bad").Attr("role", "alert").Text(p.refusal)
		}),
		goapp.If(p.state == pageLoading, func() goapp.UI {
			return goapp.P().Class("quiet").Attr("role", "status").Text("Loading…")
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
	)
}

func (p *toolsPage) renderPeople() goapp.UI {
	return goapp.Section().Class("stack").Body(
		goapp.H2().Text("People"),
		goapp.Ul().Class("crib-rows").Body(
			goapp.Range(p.crib.People).Slice(func(i int) goapp.UI {
				person := p.crib.People[i]
				row := &row{ID: "person-" + person.ID, Title: person.Name, Working: p.state == pageWorking, OnClick: p.remove, Choice: person.ID}
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

func (p *toolsPage) borrow(id string)    { p.ask("POST", PathBorrow, Choice{id}) }
func (p *toolsPage) bringBack(id string) { p.ask("POST", PathReturn, Choice{id}) }
func (p *toolsPage) remove(id string)    { p.ask("POST", PathRemove, Choice{id}) }

func (p *toolsPage) signOut() {
	p.self.Async(func() {
		// Only who has ended the session on the server has signed out.
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

// row is a tool or a person. It is a component, so that its button always acts on what is
// shown.
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
		goapp.Span().Class("quiet").Text(r.Fact),
		goapp.If(r.Button != "", func() goapp.UI {
			return goapp.Button().Type("button").Class("button small").Disabled(r.Working).
				Aria("label", r.Button+": "+r.Title).OnClick(r.onClick).Text(r.Button)
		}),
	)
}

func (r *row) onClick(goapp.Context, goapp.Event) { r.OnClick(r.Choice) }
