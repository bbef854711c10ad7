package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// TestCutAnswers: who leaves a page while an answer arrives cuts it off, and IT isn't warned of a proxy. It is when the
// page stays, and the user reads a sentence.
func TestCutAnswers(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true
	var holds, breaks atomic.Bool
	var reports atomic.Int32
	begun := make(chan bool, 100)
	s.changes(func() {
		s.between = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == shared.PathTrouble {
				reports.Add(1)
			}
			if !(holds.Load() && r.URL.Path == shared.PathAccount) && !(breaks.Load() && r.URL.Path == shared.PathRegisterBegin) {
				s.mux.ServeHTTP(w, r)
				return
			}
			whole := httptest.NewRecorder()
			s.mux.ServeHTTP(whole, r)
			maps.Copy(w.Header(), whole.Header())
			w.Header().Del("Content-Length")
			w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
			w.(http.Flusher).Flush()
			begun <- true
			if breaks.Load() {
				panic(http.ErrAbortHandler)
			}
			<-r.Context().Done()
		}
	})
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.opens("/settings")
	ann.findsText("#passkeys", "No passkeys yet")

	ann.touches("#passkey-add")
	holds.Store(true)
	ann.touches("#passkey-register")
	arrives(ann, "the page to ask", begun)
	holds.Store(false)
	ann.opens("/settings")
	ann.findsText("#passkeys", "Not used yet")
	if n := reports.Load(); n != 0 {
		t.Errorf("a page that was left reports %d troubles", n)
	}

	breaks.Store(true)
	ann.touches("#passkey-add")
	ann.touches("#passkey-register")
	ann.findsText("#passkeys", "Code answer-cut")
	ann.until("the report comes", func() bool { return reports.Load() == 1 })
}
