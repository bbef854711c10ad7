package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// icon draws one of our own symbols. Its markup is a constant of this file, so that it may
// be raw.
func icon(name string) app.UI { return app.Raw(drawnIcon(name)) }

func drawnIcon(name string) string {
	return `<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">` + glyphs[name] + `</svg>`
}

// eventIcon returns the icon of an event, and a class for what went wrong.
func eventIcon(what shared.EventKind, method string) (name, kind string) {
	switch {
	case what == shared.EventSignInFailed:
		return "warning", "warn"
	case what == shared.EventRecoveryCodesMade, method == shared.MethodRecoveryCode:
		return "codes", ""
	case what == shared.EventPasswordChanged, what == shared.EventPasswordRemoved:
		return "password", ""
	}
	switch shared.EventGroups[what] {
	case shared.GroupFailures:
		return "warning", "warn"
	case shared.GroupPasskeys:
		return "key", ""
	case shared.GroupUsers:
		return "people", ""
	case shared.GroupPrograms:
		return "browser", ""
	case shared.GroupSignIns:
		if method == shared.MethodPasskey {
			return "key", ""
		}
		return "browser", ""
	}
	return "list", ""
}

// glyphs are of one set: lines of one width with round ends, on a grid of 24. Their kind is drawn,
// and never the logo of a maker.
var glyphs = map[string]string{
	"key":      `<circle cx="8" cy="15.5" r="4.25"/><path d="m11.1 12.4 8.4-8.4M16 7.5l2.75 2.75M13.25 10.25l1.75 1.75"/>`,
	"back":     `<path d="M19 12H5m6-6-6 6 6 6"/>`,
	"close":    `<path d="m6 6 12 12M18 6 6 18"/>`,
	"down":     `<path d="m6 9.5 6 6 6-6"/>`,
	"pencil":   `<path d="m4.5 19.5 1-4.25L16 4.75l3.25 3.25L8.75 18.5zM13.75 7 17 10.25"/>`,
	"done":     `<circle cx="12" cy="12" r="8.75"/><path d="m8 12.3 2.8 2.8L16 9.6"/>`,
	"check":    `<path d="m4.5 12.5 5 5 10-11"/>`,
	"install":  `<path d="M12 4v11.5M7.5 11l4.5 4.5 4.5-4.5M4.5 16v3.5h15V16"/>`,
	"right":    `<path d="m9.5 6 6 6-6 6"/>`,
	"upload":   `<path d="M12 15.5V4M7.5 8.5 12 4l4.5 4.5M4.5 16v3.5h15V16"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"phone":    `<path d="M9 2.75h6a2 2 0 0 1 2 2v14.5a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V4.75a2 2 0 0 1 2-2zM11 18h2"/>`,
	"find":     `<circle cx="10.5" cy="10.5" r="6.25"/><path d="m15.25 15.25 5 5"/>`,
	"people":   `<circle cx="9" cy="8.5" r="3.25"/><path d="M2.75 19.5c.5-3.3 3-5 6.25-5s5.75 1.7 6.25 5M15.5 5.5a3.25 3.25 0 0 1 0 6M18 15c1.9.7 3 2.2 3.25 4.5"/>`,
	"cloud":    `<path d="M7 18.5a4.25 4.25 0 0 1-.5-8.47 5.75 5.75 0 0 1 11.05 1A3.8 3.8 0 0 1 17.2 18.5z"/>`,
	"laptop":   `<path d="M6 5h12a1.5 1.5 0 0 1 1.5 1.5v9h-15v-9A1.5 1.5 0 0 1 6 5zM2.5 19h19"/>`,
	"usb":      `<path d="M9.5 9.5V3h5v6.5M9.5 9.5h5A1.5 1.5 0 0 1 16 11v8a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2v-8a1.5 1.5 0 0 1 1.5-1.5zM12 14v2.5"/>`,
	"device":   `<path d="M5 4.5h14a2 2 0 0 1 2 2V15a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6.5a2 2 0 0 1 2-2zM12 17v3.5M8.5 20.5h7"/>`,
	"browser":  `<path d="M5 4.5h14a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM3 9h18M6 6.75h.01M8.5 6.75h.01"/>`,
	"list":     `<path d="M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01"/>`,
	"out":      `<path d="M12.5 4.5h-7v15h7M10 12h10m-4-4 4 4-4 4"/>`,
	"password": `<path d="M5 7h14a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM7.5 12h.01M12 12h.01M16.5 12h.01"/>`,
	"codes":    `<circle cx="12" cy="12" r="8.75"/><circle cx="12" cy="12" r="3.5"/><path d="m5.8 5.8 3.7 3.7m5 5 3.7 3.7m0-12.4-3.7 3.7m-5 5-3.7 3.7"/>`,
	"info":     `<circle cx="12" cy="12" r="8.75"/><path d="M12 11.25V16M12 8h.01"/>`,
	"warning":  `<path d="M12 4 2.75 20h18.5zM12 10v4.25M12 17.1h.01"/>`,
}
