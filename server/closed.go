package server

import (
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/shared"
)

// NewClosed returns the handler of an organisation that is switched off. It reads
// no store: whatever is asked, it says so, and whom to ask. Of Pages it serves files
// under /static/ only, which its own page needs.
func NewClosed(c Config) http.Handler {
	s := &Server{Config: c, health: &Health{}}
	s.door = door.New(door.Config{Product: c.Product, RPID: c.Address.RPID, Asset: c.Asset}) // the sentence has the contact
	refuse := func(http.ResponseWriter, *http.Request) error {
		if c.Contact == "" {
			return shared.Errorf(shared.CodeSwitchedOff, "This organisation is switched off.")
		}
		return shared.Errorf(shared.CodeSwitchedOff, "This organisation is switched off. Please ask: %s", c.Contact)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", s.api(refuse))
	mux.Handle("/", s.page(refuse))
	for path, h := range c.Pages {
		if strings.HasPrefix(path, "/static/") {
			mux.Handle("GET "+path, h)
		}
	}
	return s.logged(s.recovered(s.secureHeaders(s.checkHost(mux))))
}
