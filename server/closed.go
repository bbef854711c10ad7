package server

import (
	"log/slog"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// NewClosed returns the handler of an organisation that is switched off. It reads
// no store: whatever is asked, it says so, and whom to ask. Of the app it serves those
// under /static/ only, which its own page needs.
func NewClosed(c Config) http.Handler {
	contact := c.Contact
	s := newRefusing(c)
	s.signInPages.ContactSaid = true // the sentence has it
	return s.watched(s.secureHeaders(s.checkHost(s.refusing(func(http.ResponseWriter, *http.Request) error {
		if contact == "" {
			return shared.Errorf(shared.CodeSwitchedOff, "This organisation is switched off.")
		}
		return shared.Errorf(shared.CodeSwitchedOff, "This organisation is switched off. Please ask: %s", contact)
	}))))
}

// NewUnknown returns the handler for hosts that no organisation has. It needs no Address
// and no store, and serves the same files as that of [NewClosed].
func NewUnknown(c Config) http.Handler {
	s := newRefusing(c)
	return s.watched(s.secureHeaders(s.refusing(func(_ http.ResponseWriter, r *http.Request) error {
		s.Warnings.Tell(warning.UnknownHost, slog.String("host", warning.Quoted(r.Host)), slog.String("from", peerOf(r)))
		return shared.Errorf(shared.CodeWrongHost, "No organisation is served at this address. Check it, or ask whoever gave it to you.")
	})))
}

// newRefusing makes a Server that knows nobody.
func newRefusing(c Config) *Server {
	c.fill()
	s := newServer(c)
	s.health = &Health{}
	s.signInPages = signinpages.New(signinpages.Config{Product: c.Product, Contact: c.Contact, RPID: c.Address.RPID, Asset: c.Asset})
	return s
}

// refusing serves files, and refuses all else.
func (s *Server) refusing(refuse httpapi.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.answer(refuse))
	if files := s.App.Files["/static/"]; files != nil {
		mux.Handle("GET /static/{file}", files)
	}
	return mux
}
