// Package webapp is the app as the program serves it: go-app's shell around the app's pages
// (shell.go), with what people read when the app doesn't start (stuck.go), and the files of
// package web.
//
// It joins both sides, the app's pages and [server.App], so only programs import it. Begin with
// [Open].
package webapp

import (
	"errors"
	"sync"
	"time"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/web"
)

// Apps makes the app for each organisation. Those with the same product share it. It is safe
// for concurrent use.
type Apps struct {
	files *web.Files

	mu        sync.Mutex
	byProduct map[string]server.App
}

// Open opens the files that browsers load, and tells go-app the pages. Pages are drawn without
// a user first: with this product's name, or with none, "", where products differ and the
// browser knows which. A process opens them once.
func Open(product string) (*Apps, error) {
	files, err := web.Open()
	if err != nil {
		return nil, err
	}
	if !files.Built() {
		return nil, errors.New("this program was built without the app: build it with make, or run go run ./web/build before go build")
	}
	pages.Routes(pages.Deps{Product: product, Icon: files.URL("icon.svg")})
	return &Apps{files: files, byProduct: map[string]server.App{}}, nil
}

// App returns the app for a product, with the contact that its users ask for help.
func (a *Apps) App(product, contact string) server.App {
	a.mu.Lock()
	defer a.mu.Unlock()
	app, made := a.byProduct[product]
	if !made {
		app = newApp(a.files, product)
		a.byProduct[product] = app
	}
	app.Page = stuck{app.Page, a.files, a.files.URL, product, contact}
	app.Draw = drawer{pages.Deps{Product: product, Contact: contact, Icon: a.files.URL("icon.svg")}, appLanguages(a.files), time.Now}.draw
	return app
}

// URL returns the address of a file by its name, "style.css".
func (a *Apps) URL(name string) string { return a.files.URL(name) }
