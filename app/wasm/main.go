// Command wasm is the program that runs in the browser: the pages of package pages, and
// nothing of the server.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/pages"
)

func main() {
	pages.Routes(pages.InBrowser())
	goapp.RunWhenOnBrowser()
}
