package httpapi

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Pages are the addresses of the app's pages.
type Pages []shared.PagePattern

// Next returns the page to go to after signing in: the asked one if it is a page of the
// app, maybe with filters, of the manual, or leads to a program, and the start page otherwise. So a link
// can't lead anywhere else.
func (p Pages) Next(asked string) string {
	path, filters, _ := strings.Cut(asked, "?")
	for _, pattern := range p {
		if _, matches := pattern.Match(path); matches {
			if len(filters) <= longestFilters && pageFilters.MatchString(filters) {
				return asked
			}
			return path
		}
	}
	if slices.ContainsFunc([]*regexp.Regexp{manualPage, gatePage, programPage}, func(page *regexp.Regexp) bool { return page.MatchString(asked) }) {
		return asked
	}
	return shared.PageHome
}

// pageFilters are what the app writes into the address of a page, in an encoded form, and nothing else: a
// secret in an address must not get into another one. The length bounds what is kept of a sign-in that
// has begun.
var pageFilters = regexp.MustCompile("^((find|in|sort|kind|by|days|from|to)=[a-zA-Z0-9%+._~-]*(&|$)){0,8}$")

// longestFilters is the length of the longest filters that are kept, in bytes.
const longestFilters = 500

// programPage is where somebody goes on who has signed in for a program.
var programPage = regexp.MustCompile("^(" + shared.PageContinue + "[a-z2-7]{16}|" + shared.PageDevice + "(\\?code=[A-Z]{5}-[A-Z]{5})?)$")

var manualPage = regexp.MustCompile("^" + shared.PageManual + "[a-z-]*$")

// gatePage is [shared.PageGate] as package forwardauth writes it. Only the name of a gate, a hash and which try it is
// are in it.
var gatePage = regexp.MustCompile("^" + shared.PageGate + "\\?bound=[a-zA-Z0-9_-]{43}&gate=[a-z0-9-]{1,64}(&second=1)?$")

// WithNext adds the page to go to afterwards to a path.
func WithNext(path, next string) string {
	if next == shared.PageHome {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}
