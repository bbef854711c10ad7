package main

import (
	"bytes"
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

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
	draw func(text *message.Catalogue) template.HTML // nil for a page of the door
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
		exhibits = append(exhibits, exhibit{Name: state.Name, draw: func(text *message.Catalogue) template.HTML {
			return written(app.States(deps, text)[i].UI)
		}})
	}
	for i, state := range ui.States(&message.English) {
		exhibits = append(exhibits, exhibit{Name: state.Name, draw: func(text *message.Catalogue) template.HTML {
			return written(inPlace(ui.States(text)[i], text, files, product))
		}})
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := message.Choose(r.FormValue("lang"))
		view := galleryView{
			Lang: text.Lang, Dir: "ltr", Query: r.URL.RawQuery, Exhibits: exhibits, Languages: message.Languages,
			Style: files.URL("style.css"), Script: files.URL("gallery.js"), Icon: files.URL("icon.svg"),
		}
		if r.FormValue("dir") == "rtl" {
			view.Dir = "rtl"
		}
		// An exhibit stands in a frame of the index.
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("Content-Security-Policy", strings.Replace(w.Header().Get("Content-Security-Policy"),
			"frame-ancestors 'none'", "frame-ancestors 'self'; frame-src 'self'", 1))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")

		name, page := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, galleryPath), "/"), "index"
		if write := doors[name]; write != nil {
			if err := write(w, text); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		for _, e := range exhibits {
			if e.Name != name {
				continue
			}
			view.Exhibit, page = e.draw(text), "exhibit"
		}
		if page == "index" && name != "" {
			http.NotFound(w, r)
			return
		}
		var b bytes.Buffer
		if err := galleryPages.ExecuteTemplate(&b, page, view); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(b.Bytes())
	})
}

// written is a component's markup as it is in the browser, where go-app sets
// properties. In writing it leaves out the value "true", which ARIA needs, and
// keeps "false", which for HTML's own attributes means true.
func written(component goapp.UI) template.HTML {
	markup := ariaTrue.ReplaceAllString(goapp.HTMLString(component), `$1="true"$2`)
	return template.HTML(htmlFalse.ReplaceAllString(markup, ""))
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
		"door-enrolled": func(w http.ResponseWriter, text *message.Catalogue) error { return d.Enrolled(w, text) },
		"door-refusal": func(w http.ResponseWriter, text *message.Catalogue) error {
			d.Refusal(w, http.StatusOK, text, text.Refusal(nothing))
			return nil
		},
	}
}

type galleryView struct {
	Lang, Dir, Query    string
	Style, Script, Icon string
	Exhibit             template.HTML
	Exhibits            []exhibit
	Languages           []*message.Catalogue
}

var galleryPages = template.Must(template.New("").Parse(`
{{define "index"}}<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Gallery</title><link rel="icon" href="{{.Icon}}"><link rel="stylesheet" href="{{.Style}}"></head>
<body class="gallery"><main>
<h1>Gallery</h1>
<p>Every component in every state. {{range .Languages}}<a href="/gallery?lang={{.Lang}}" lang="{{.Lang}}">{{.Name}}</a> · {{end}}<a href="/gallery?dir=rtl">right to left</a></p>
{{range .Exhibits}}<section><h2><a href="/gallery/{{.Name}}?{{$.Query}}">{{.Name}}</a></h2>
<iframe class="gallery-wide" src="/gallery/{{.Name}}?{{$.Query}}" title="{{.Name}}" loading="lazy"></iframe>
<iframe class="gallery-phone" src="/gallery/{{.Name}}?{{$.Query}}" title="{{.Name}}, on a phone" loading="lazy"></iframe></section>
{{end}}</main></body></html>{{end}}

{{define "exhibit"}}<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Gallery</title><link rel="icon" href="{{.Icon}}"><link rel="stylesheet" href="{{.Style}}"><script src="{{.Script}}" defer></script></head>
<body>{{.Exhibit}}</body></html>{{end}}
`))
