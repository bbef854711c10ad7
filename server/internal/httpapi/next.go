package httpapi

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/keypeg/keypeg/shared"
)

// NextPage is where to go after signing in: a page of the app by its exact path, or one of
// the manual, never an address that somebody put into a link.
func NextPage(asked string) string {
	if slices.Contains(shared.AppPages, asked) || manualPage.MatchString(asked) {
		return asked
	}
	return shared.PageHome
}

var manualPage = regexp.MustCompile("^" + shared.PageManual + "[a-z-]*$")

// WithNext adds the page that is to follow to a path.
func WithNext(path, next string) string {
	if next == shared.PageHome {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}
