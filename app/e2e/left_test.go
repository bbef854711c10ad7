package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// cutter is a network in which half of an answer comes.
type cutter struct {
	answer string      // what the answer's path begins with
	to     string      // the page that the user goes to; the answer is cut off then, as some browsers do. Else it is at once
	cuts   atomic.Bool // whether it does so
	begun  chan bool   // half has come
	left   chan bool   // is closed when the user goes
	told   chan bool   // a page has told of a trouble
}

func newCutter(answer, to string) *cutter {
	c := &cutter{answer: answer, to: to, begun: make(chan bool, 100), left: make(chan bool), told: make(chan bool, 100)}
	c.cuts.Store(true)
	return c
}

func (c *cutter) network(w http.ResponseWriter, r *http.Request, program http.Handler) {
	switch {
	case r.URL.Path == shared.PathTrouble:
		c.told <- true
	case r.URL.Path == c.to && c.cuts.CompareAndSwap(true, false):
		close(c.left)
		for begin := time.Now(); len(c.told) == 0 && time.Since(begin) < 2*time.Second; {
			time.Sleep(20 * time.Millisecond) // the page that is left is there for so long
		}
	case c.cuts.Load() && strings.HasPrefix(r.URL.Path, c.answer):
		whole := httptest.NewRecorder()
		program.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.WriteHeader(whole.Code)
		w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		w.(http.Flusher).Flush()
		c.begun <- true
		if c.to != "" {
			select {
			case <-c.left:
			case <-r.Context().Done():
			}
		}
		panic(http.ErrAbortHandler)
	}
	program.ServeHTTP(w, r)
}

// untold fails the test if a page has told of something.
func (c *cutter) untold(s *server) {
	s.t.Helper()
	if log := s.log.String(); len(c.told) > 0 || strings.Contains(log, "WARN") {
		s.t.Errorf("a page that was left tells of %d troubles\n%s", len(c.told), log)
	}
}

// slowly has pages wait for longer until they tell of a trouble, so that they are left before that on any machine.
const slowly = `{
	const real = setTimeout;
	globalThis.setTimeout = (does, after, ...more) => real(does, after === 1000 ? 60_000 : after, ...more);
}`

// TestLeftWhileLoading: who follows a link while the program comes cuts it off, and nobody is told. They are if it is cut
// off while the page stays.
func TestLeftWhileLoading(t *testing.T) {
	t.Parallel()
	in := startBroken(t)
	for what, to := range map[string]string{"it is left": "/sessions", "it stays": ""} {
		c := newCutter("/static/app.", to)
		cut := func(t *testing.T, _ ...string) func(at, upstream string) { return through(t, c.network) }
		in.passes(what, cut, nil, func(t *testing.T, ann *browser) {
			if to == "" {
				ann.opens("/")
				ann.readsThatItHasNotStarted("A part of this page didn't arrive whole.", "app-cut")
				in.warnsOnce("app-cut")
				return
			}
			ann.runsFirst(slowly)
			ann.opens("/")
			ann.sees("#drawn .menu-name")
			arrives(ann, "the program", c.begun)
			value[bool](ann, `document.querySelector('#drawn a[href="`+to+`"]').click(), true`)
			ann.readsIn("h1", "Sessions")
			c.untold(in.server)
		})
	}
}

// TestLeftWhileSigningIn: the same on the sign-in page, while an answer comes.
func TestLeftWhileSigningIn(t *testing.T) {
	t.Parallel()
	for what, to := range map[string]string{"it is left": "/about-passkeys", "it stays": ""} {
		t.Run(what, func(t *testing.T) {
			c := newCutter(shared.PathSignInBegin, to)
			s := startBehind(t, through(t, c.network))
			ann := openBrowser(t, s)
			ann.hasDevice()
			ann.cannotAutofill()
			if to == "" {
				ann.opens("/sign-in")
				ann.clicks("#use-passkey")
				ann.reads("(Code answer-cut)")
				s.warnsOnce("answer-cut")
				return
			}
			ann.runsFirst(slowly)
			ann.opens("/sign-in")
			ann.clicks("#use-passkey")
			arrives(ann, "an answer", c.begun)
			value[bool](ann, `setTimeout(() => location.assign(`+quoted(to)+`)), true`)
			ann.readsIn("h1", "About passkeys")
			c.untold(s)
		})
	}
}
