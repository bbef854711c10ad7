package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// drawn is what a server draws a page with: see Draw.
type drawn struct {
	formats ui.Formats
	menu    func(*ui.UserMenu) goapp.UI // without a program
}
