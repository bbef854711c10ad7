package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// pageEvents is the address of the page of events.
const pageEvents = "/audit"

// events is the page of what happened in the organisation. Its filters are in the address.
func (s *shell) events(map[string]string) goapp.UI {
	return &ui.EventsPage{
		Context: s.context(), Service: s.self, Changes: s.changes, OnSignedOut: s.signedOut,
		Filters: s.query, OnFilters: s.setQuery,
		Here: func(query string) string { return pageEvents + "?" + query },
		Page: func(id string) string { return pageUsers + "/" + id },
	}
}

// setQuery changes the query of the page's address, without going anywhere.
func (s *shell) setQuery(query string) {
	s.query = query
	address := *s.ctx.Page().URL()
	address.RawQuery = query
	s.ctx.Page().ReplaceURL(&address)
}
