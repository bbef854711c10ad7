package server

import (
	"log/slog"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// NewSuspended returns the handler of a suspended organisation. It answers every request
// with a refusal that says whom to ask, and reads no store. Of the app's files it serves
// those under /static/ only, because its page needs them.
func NewSuspended(c Config) http.Handler {
	contact := c.Contact
	s := newRefusing(c)
	s.signInPages.ContactSaid = true // the refusal names the contact already
	return s.watched(s.noChecks(s.secureHeaders(s.checkHost(s.refusing(func(http.ResponseWriter, *http.Request) error {
		if contact == "" {
			return shared.Errorf(shared.CodeSuspended, "This organisation is switched off. Please ask IT.")
		}
		return shared.Errorf(shared.CodeSuspended, "This organisation is switched off. Please ask: %s", contact)
	})))))
}

// NewUnknown returns the handler for hosts that no organisation has. It needs no Address and
// no store, and serves the same files as the handler of [NewSuspended].
func NewUnknown(c Config) http.Handler {
	s := newRefusing(c)
	return s.watched(s.noChecks(s.secureHeaders(s.refusing(func(_ http.ResponseWriter, r *http.Request) error {
		s.warn(warning.UnknownHost, slog.String("host", warning.Quoted(r.Host)), slog.String("from", httpapi.Peer(r)))
		return shared.Errorf(shared.CodeWrongHost, "No organisation is served at this address. Check it, or ask whoever gave it to you.")
	}))))
}

// newRefusing makes a Server without a store, for handlers that refuse every request.
func newRefusing(c Config) *Server {
	c.fill()
	s := newServer(c)
	s.health = new(httpapi.Health)
	s.signInPages = signinpages.New(signinpages.Config{Product: c.Product, Contact: c.Contact, RPID: c.Address.RPID, Asset: c.Asset})
	return s
}

// refusing serves the files under /static/, and refuses every other request.
func (s *Server) refusing(refuse httpapi.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.answer(refuse))
	if files := s.c.App.Files["/static/"]; files != nil {
		mux.Handle("GET /static/{file}", files)
	}
	return mux
}
