package httpapi

import (
	"net/url"
	"regexp"

	"github.com/keypeg/keypeg/shared"
)

// Pages are the addresses of the app's pages.
type Pages []shared.PagePattern

// Next is where to go after signing in: the path of a page of the app, or of one of the
// manual, never an address that somebody put into a link.
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

// WithNext adds the page that is to follow to a path.
func WithNext(path, next string) string {
	if next == shared.PageHome {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}
