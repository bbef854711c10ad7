// Command wasm is the tool crib's program in the browser.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/toolcrib"
)

func main() {
	toolcrib.Routes()
	goapp.RunWhenOnBrowser()
}
