package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// icon draws one of our own symbols. Its markup is a constant of this file, so that it may
// be raw.
func icon(name string) app.UI {
	return app.Raw(`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">` + glyphs[name] + `</svg>`)
}

var glyphs = map[string]string{
	"key":      `<path d="M14.5 3a6.5 6.5 0 0 0-6.2 8.5L3 16.8V21h4.2v-2.4h2.4v-2.4H12l.7-.7A6.5 6.5 0 1 0 14.5 3zm2 3.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z"/>`,
	"back":     `<path d="M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z"/>`,
	"close":    `<path d="M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z"/>`,
	"down":     `<path d="m6 9 6 6 6-6-1.4-1.4L12 12.2 7.4 7.6z"/>`,
	"check":    `<path d="m9.5 18-6-6 1.4-1.4 4.6 4.6 9.6-9.6L20.5 7z"/>`,
	"install":  `<path d="M11 3h2v9.2l3.3-3.3 1.4 1.4L12 16l-5.7-5.7 1.4-1.4 3.3 3.3zM4 18h16v2H4z"/>`,
	"upload":   `<path d="M11 16h2V6.8l3.3 3.3 1.4-1.4L12 3 6.3 8.7l1.4 1.4L11 6.8zM4 18h16v2H4z"/>`,
	"password": `<path d="M5 7h14a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zm0 2v6h14V9zm1.5 2h2v2h-2zm4.5 0h2v2h-2zm4.5 0h2v2h-2z"/>`,
	"plus":     `<path d="M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z"/>`,
	"phone":    `<path d="M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm0 3v12h10V5zm4 13.5v1.5h2v-1.5z"/>`,
	"find":     `<path d="M10.5 4a6.5 6.5 0 1 0 4 11.6l4.4 4.4 1.4-1.4-4.4-4.4A6.5 6.5 0 0 0 10.5 4zm0 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z"/>`,
	"people":   `<path d="M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zm-7 14c0-3.3 3.1-5.5 7-5.5s7 2.2 7 5.5zm14-13a3 3 0 1 1-.6 5.9A5.5 5.5 0 0 0 15.2 6zm2.2 13H22c0-2.6-2-4.6-5.1-5 .9 1 1.4 2.5 1.3 5z"/>`,
	"cloud":    `<path d="M7.5 19a5 5 0 0 1-.6-9.96 6 6 0 0 1 11.5 1.5A4.3 4.3 0 0 1 18 19z"/>`,
	"laptop":   `<path d="M4 5h16v11H4zm2 2v7h12V7zM2 18h20v2H2z"/>`,
	"usb":      `<path d="M9 2h6v6h2v10a5 5 0 0 1-10 0V8h2zm2 2v4h2V4zm1 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"/>`,
	"device":   `<path d="M3 4h18v13h-7v2h3v2H7v-2h3v-2H3zm2 2v9h14V6z"/>`,
	"browser":  `<path d="M3 4h18v16H3zm2 5v9h14V9zm1-3.5v1.5h2V5.5zm3.5 0v1.5h2V5.5z"/>`,
	"list":     `<path d="M4 5h3v3H4zm5 .5h11v2H9zM4 10.5h3v3H4zm5 .5h11v2H9zM4 16h3v3H4zm5 .5h11v2H9z"/>`,
	"out":      `<path d="M4 4h9v2H6v12h7v2H4zm12.6 4.4L20.2 12l-3.6 3.6-1.4-1.4L16.4 13H10v-2h6.4l-1.2-1.2z"/>`,
}
