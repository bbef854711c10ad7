package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// Reader is what a server has to know of who reads a page, to draw it as their browser will.
type Reader struct {
	Formats ui.Formats
	OnPhone bool
	// Offers are words of [shared.QueryOffers]: what the browser keeps of earlier offers.
	Offers []string
}

// drawn is what a server draws a page with: see Draw.
type drawn struct {
	Reader
	menu func(*ui.UserMenu) goapp.UI // without a program
}
