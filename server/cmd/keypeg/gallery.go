package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/app"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// The gallery shows every component in every state, to those who work on them.
// The server draws it, without the app: what is to be seen is markup and style.
//
// The query chooses the language (lang=de) and the direction (dir=rtl); light or
// dark is the browser's.

const galleryPath = "/gallery"

// exhibit is one state, as a page of its own.
type exhibit struct {
	Name string
	draw func(text *message.Catalogue) g.Node // nil for a page of the door
}

func gallery(files *web.Files, product string) http.Handler {
	var exhibits []exhibit
	config := door.Config{Product: product, Contact: "IT desk, phone 1234", PasskeysOn: true, RPID: "localhost", Asset: files.URL}
	passkeysOnly := door.New(config)
	config.PasswordsOn = true
	doors := doorStates(door.New(config), passkeysOnly)
	for _, name := range slices.Sorted(maps.Keys(doors)) {
		exhibits = append(exhibits, exhibit{Name: name})
	}
	deps := app.Deps{Product: product, Icon: files.URL("icon.svg")}
	for i, state := range app.States(deps, &message.English) {
		exhibits = append(exhibits, exhibit{Name: state.Name, draw: func(text *message.Catalogue) g.Node {
			return written(app.States(deps, text)[i].UI)
		}})
	}
	for i, state := range ui.States(&message.English) {
		exhibits = append(exhibits, exhibit{Name: state.Name, draw: func(text *message.Catalogue) g.Node {
			return written(inPlace(ui.States(text)[i], text, files, product))
		}})
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := message.Choose(r.FormValue("lang"))
		// An exhibit stands in a frame of the index.
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("Content-Security-Policy", strings.Replace(w.Header().Get("Content-Security-Policy"),
			"frame-ancestors 'none'", "frame-ancestors 'self'; frame-src 'self'", 1))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")

		name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, galleryPath), "/")
		if name == "" {
			galleryIndex(files, exhibits, r.URL.RawQuery).Render(w)
			return
		}
		if write := doors[name]; write != nil {
			if err := write(w, text); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		at := slices.IndexFunc(exhibits, func(e exhibit) bool { return e.Name == name })
		if at < 0 {
			http.NotFound(w, r)
			return
		}
		dir := "ltr"
		if r.FormValue("dir") == "rtl" {
			dir = "rtl"
		}
		exhibitPage(files, text.Lang, dir, exhibits[at].draw(text)).Render(w)
	})
}

// written is a component's markup as it is in the browser, where go-app sets
// properties. In writing it leaves out the value "true", which ARIA needs, and
// keeps "false", which for HTML's own attributes means true.
func written(component goapp.UI) g.Node {
	markup := ariaTrue.ReplaceAllString(goapp.HTMLString(component), `$1="true"$2`)
	return g.Raw(htmlFalse.ReplaceAllString(markup, ""))
}

var ariaTrue = regexp.MustCompile(`(aria-[a-z]+)(?:="")?( |>)`)

var htmlFalse = regexp.MustCompile(` (disabled|readonly|required|checked|autofocus)="false"`)

// inPlace puts a component where it stands in the app.
func inPlace(state ui.State, text *message.Catalogue, files *web.Files, product string) goapp.UI {
	component := state.UI
	frame := ui.Frame{Skip: text.Shell.SkipToMain, Product: product, Icon: files.URL("icon.svg"), Home: shared.PageHome}
	if menu, ok := component.(*ui.UserMenu); ok {
		frame.User = menu
		return frame.With(goapp.H1().Class("spoken").Text(state.Name))
	}
	if _, ok := component.(goapp.HTMLDiv); ok { // a frame itself
		return component
	}
	if panel, ok := component.(*ui.SignInPanel); ok { // which a host's page has in a card of its own
		return frame.With(goapp.Div().Class("page").Body(goapp.Section().Class("card").Body(goapp.H1().Text(text.SignIn.Submit), panel)))
	}
	switch component.(type) {
	case *ui.SessionsPanel, *ui.ActivityPanel, goapp.HTMLSection: // pages, with headings of their own
		return frame.With(component)
	default:
		return frame.With(goapp.H1().Class("spoken").Text(state.Name), component)
	}
}

// doorStates write the door's pages, by name.
func doorStates(d, passkeysOnly *door.Door) map[string]func(http.ResponseWriter, *message.Catalogue) error {
	wrong := shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right.")
	nothing := shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	return map[string]func(http.ResponseWriter, *message.Catalogue) error{
		"door-sign-in": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.SignIn(w, http.StatusOK, text, door.SignIn{Next: "/"})
		},
		"door-sign-in-refused": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.SignIn(w, http.StatusOK, text, door.SignIn{Next: "/", Name: "ann", Refusal: text.Refusal(wrong)})
		},
		"door-sign-in-providers": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.SignIn(w, http.StatusOK, text, door.SignIn{Next: "/", Providers: []door.Provider{{Name: "Google", Address: "#google"}, {Name: "Acme", Button: "Acme staff", Address: "#acme"}}})
		},
		"door-sign-in-passkeys-only": func(w http.ResponseWriter, text *message.Catalogue) error {
			return passkeysOnly.SignIn(w, http.StatusOK, text, door.SignIn{Next: "/", Providers: []door.Provider{{Name: "Google", Address: "#google"}}})
		},
		"door-setup-passkeys-only": func(w http.ResponseWriter, text *message.Catalogue) error {
			return passkeysOnly.Setup(w, http.StatusOK, text, door.Setup{})
		},
		"door-invitation-passkeys-only": func(w http.ResponseWriter, text *message.Catalogue) error {
			return passkeysOnly.Enrol(w, http.StatusOK, text, door.Enrol{Kind: store.MethodInvitation, Name: "carl", DisplayName: "Carl Carpenter"})
		},
		"door-setup": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.Setup(w, http.StatusOK, text, door.Setup{})
		},
		"door-setup-refused": func(w http.ResponseWriter, text *message.Catalogue) error {
			blank := shared.Errorf(shared.CodeInvalidName, "Please enter a name.")
			return d.Setup(w, http.StatusOK, text, door.Setup{Name: "ann", Refusal: text.Refusal(blank), Refused: "display-name"})
		},
		"door-recovery": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.Recovery(w, http.StatusOK, text, door.Recovery{})
		},
		"door-invitation": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.Enrol(w, http.StatusOK, text, door.Enrol{Kind: store.MethodInvitation, Name: "carl", DisplayName: "Carl Carpenter", TakesPassword: true})
		},
		"door-way-back": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.Enrol(w, http.StatusOK, text, door.Enrol{Kind: store.MethodRecoveryLink, Name: "ann", TakesPassword: true})
		},
		"door-phone": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.Enrol(w, http.StatusOK, text, door.Enrol{Kind: store.MethodPhoneLink, Name: "ann"})
		},
		"door-session-ended": func(w http.ResponseWriter, text *message.Catalogue) error {
			return d.SignIn(w, http.StatusOK, text, door.SignIn{Next: "/", Reason: text.Door.SessionEnded})
		},
		"door-enrolled": func(w http.ResponseWriter, text *message.Catalogue) error { return d.Enrolled(w, text, false) },
		"door-refusal": func(w http.ResponseWriter, text *message.Catalogue) error {
			d.Refusal(w, http.StatusOK, text, door.Refusal{Sentence: text.Refusal(nothing)})
			return nil
		},
		"door-refusal-signed-in": func(w http.ResponseWriter, text *message.Catalogue) error {
			d.Refusal(w, http.StatusOK, text, door.Refusal{Sentence: text.Refusal(nothing), SignedIn: true})
			return nil
		},
	}
}

// galleryIndex has every exhibit in a frame, with the query that it was asked with.
func galleryIndex(files *web.Files, exhibits []exhibit, query string) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		galleryHead(files),
		h.Body(h.Class("gallery"), h.Main(
			h.H1(g.Text("Gallery")),
			h.P(
				g.Text("Every component in every state. "),
				g.Map(message.Languages, func(text *message.Catalogue) g.Node {
					return g.Group{h.A(h.Href(galleryPath+"?lang="+text.Lang), h.Lang(text.Lang), g.Text(text.Name)), g.Text(" · ")}
				}),
				h.A(h.Href(galleryPath+"?dir=rtl"), g.Text("right to left")),
			),
			g.Map(exhibits, func(e exhibit) g.Node {
				address := galleryPath + "/" + e.Name + "?" + query
				return h.Section(
					h.H2(h.A(h.Href(address), g.Text(e.Name))),
					h.IFrame(h.Class("gallery-wide"), h.Src(address), h.Title(e.Name), h.Loading("lazy")),
					g.Text(" "), // between the two, which stand in a line
					h.IFrame(h.Class("gallery-phone"), h.Src(address), h.Title(e.Name+", on a phone"), h.Loading("lazy")),
				)
			}),
		)),
	))
}

func exhibitPage(files *web.Files, lang, dir string, component g.Node) g.Node {
	return h.Doctype(h.HTML(h.Lang(lang), h.Dir(dir),
		galleryHead(files, h.Script(h.Src(files.URL("gallery.js")), h.Defer())),
		h.Body(component),
	))
}

func galleryHead(files *web.Files, more ...g.Node) g.Node {
	return h.Head(
		h.Meta(h.Charset("utf-8")),
		h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
		h.Meta(h.Name("color-scheme"), h.Content("light dark")),
		h.TitleEl(g.Text("Gallery")),
		h.Link(h.Rel("icon"), h.Href(files.URL("icon.svg"))),
		h.Link(h.Rel("stylesheet"), h.Href(files.URL("style.css"))),
		g.Group(more),
	)
}
