// Command wasm is the program that every user's browser runs: the pages of one's own account,
// and nothing of the server. That of administration is in the folder below.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/pages"
)

func main() {
	pages.AccountRoutes(pages.InBrowser())
	goapp.RunWhenOnBrowser()
}
