// Command administration is the program that a browser runs at the pages of administration. It
// has all pages of package pages.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/pages"
)

func main() {
	pages.Routes(pages.InBrowser())
	goapp.RunWhenOnBrowser()
}
