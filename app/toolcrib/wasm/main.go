// Command wasm is what runs in the browser of the tool crib.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/toolcrib"
)

func main() {
	toolcrib.Routes()
	goapp.RunWhenOnBrowser()
}
