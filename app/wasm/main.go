// Command wasm is what runs in the browser: the pages of package app, and
// nothing of the server.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app"
)

func main() {
	app.Routes(app.InBrowser())
	goapp.RunWhenOnBrowser()
}
