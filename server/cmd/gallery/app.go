package main

import (
	"net/http"
	"regexp"
	"strings"
	"sync"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
	g "maragu.dev/gomponents"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// appPages are the app's pages.
func appPages(files *web.Files) []exhibit {
	deps := pages.Deps{Product: product, Icon: files.URL("icon.svg")}
	return drawn(files, func(text *message.Catalogue) []ui.State { return pages.States(deps, text) })
}

// components are the parts of the pages, and the components for host programs.
func components(files *web.Files) []exhibit {
	return drawn(files, func(text *message.Catalogue) []ui.State {
		states := ui.States(text)
		for i := range states {
			states[i].UI = inPlace(states[i], text, files)
		}
		return states
	})
}

// drawn makes an exhibit of each state.
func drawn(files *web.Files, states func(*message.Catalogue) []ui.State) (exhibits []exhibit) {
	all := shelf{states: states, made: map[*message.Catalogue][]ui.State{}}
	for i, state := range states(&message.English) {
		exhibits = append(exhibits, exhibit{state.Name, func(w http.ResponseWriter, text *message.Catalogue, dir string) error {
			return writePage(w, page(files, text.Lang, dir, written(all.take(text, i))))
		}})
	}
	return exhibits
}

// shelf has the states in each language. A component can't be drawn twice, so each is taken once, and all of
// a language are made again for one that has been taken. To make only one would take as long.
type shelf struct {
	states func(*message.Catalogue) []ui.State

	mu   sync.Mutex
	made map[*message.Catalogue][]ui.State
}

func (s *shelf) take(text *message.Catalogue, i int) goapp.UI {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.made[text]
	if made == nil || made[i].UI == nil {
		made = s.states(text)
		s.made[text] = made
	}
	component := made[i].UI
	made[i].UI = nil
	return component
}

// inPlace puts a component into the markup around it in the app.
func inPlace(state ui.State, text *message.Catalogue, files *web.Files) goapp.UI {
	frame := ui.Frame{Skip: text.Shell.SkipToMain, Product: product, Icon: files.URL("icon.svg"), Home: shared.PageHome}
	spoken := goapp.H1().Class("spoken").Text(state.Name)
	switch {
	case strings.HasPrefix(state.Name, "frame-"):
		return state.UI
	case state.Name == "message": // a page, with a heading of its own
		return frame.With(state.UI)
	}
	switch component := state.UI.(type) {
	case *ui.UserMenu:
		frame.User = component
		return frame.With(spoken)
	case *ui.SignInPanel: // a host's page has it in a card
		return frame.With(goapp.Div().Class("page").Body(goapp.Section().Class("card").Body(goapp.H1().Text(text.SignIn.Submit), component)))
	case *ui.MethodsCard, *ui.ProfileCard, *ui.ProgramsPart, *ui.HintCard:
		return frame.With(spoken, goapp.Div().Class("page").Body(component))
	case *ui.SessionsPanel:
		return inPage(frame, spoken, component.All, component)
	case *ui.ActivityPanel:
		if component.Bare { // an [ui.ActivityDialog] has the heading
			return frame.With(spoken, goapp.Div().Class("page").Body(goapp.H2().ID("activity-title").Text(text.Activity.Title), component))
		}
		return inPage(frame, spoken, component.All, component)
	case *ui.UsersPanel, *ui.UserPage, *ui.EventsPage, *ui.RolloutPage, *ui.ChecksPage, *ui.ClientsPage: // pages, with headings of their own
		return frame.With(component)
	default:
		return frame.With(spoken, component)
	}
}

// inPage puts a panel into the frame. With an address of a page with more, it is a part of a page.
func inPage(frame ui.Frame, spoken goapp.UI, all string, panel goapp.UI) goapp.UI {
	if all == "" {
		return frame.With(panel)
	}
	return frame.With(spoken, goapp.Div().Class("page").Body(panel))
}

// written returns the markup of a component as it is in the browser, where go-app sets
// properties. go-app leaves out the value "true" in markup, which ARIA needs, and keeps
// "false", which means true for HTML's own attributes.
func written(component goapp.UI) g.Node {
	markup, err := pages.HTML(component)
	if err != nil {
		panic(err) // a fault of ours
	}
	markup = ariaTrue.ReplaceAllString(markup, `$1="true"$2`)
	return g.Raw(htmlFalse.ReplaceAllString(markup, ""))
}

var ariaTrue = regexp.MustCompile(`(aria-[a-z]+)(?:="")?( |>)`)

var htmlFalse = regexp.MustCompile(` (disabled|readonly|required|checked|selected|open|autofocus)="false"`)
