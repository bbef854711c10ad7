package httpapi

import (
	"net/url"
	"regexp"

	"github.com/keypeg/keypeg/shared"
)

// Pages are the addresses of the app's pages.
type Pages []shared.PagePattern

// Next returns the page to go to after signing in: the asked path if it is a page of the
// app or of the manual, and the start page otherwise. So a link can't lead anywhere else.
func (p Pages) Next(asked string) string {
	for _, pattern := range p {
		if _, matches := pattern.Match(asked); matches {
			return asked
		}
	}
	if manualPage.MatchString(asked) {
		return asked
	}
	return shared.PageHome
}

var manualPage = regexp.MustCompile("^" + shared.PageManual + "[a-z-]*$")

// WithNext adds the page to go to afterwards to a path.
func WithNext(path, next string) string {
	if next == shared.PageHome {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}
