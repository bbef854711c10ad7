package server_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// streams asks for the stream of changes at a running server.
func (v *visitor) streams(at string) *http.Response {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), "GET", at+shared.PathLive, nil)
	if err != nil {
		v.Fatal(err)
	}
	r.Host = siteURL.Host
	for _, cookie := range v.jar.Cookies(siteURL) {
		r.AddCookie(cookie)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { response.Body.Close() })
	return response
}

// listens opens a stream, and returns its events as they come.
func (v *visitor) listens(at string) <-chan string {
	v.Helper()
	response := v.streams(at)
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		v.Fatalf("got %d %q", response.StatusCode, kind)
	}
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			if strings.HasPrefix(scanner.Text(), "event:") && scanner.Text() != "event: "+shared.LiveReady {
				lines <- scanner.Text()
			}
		}
	}()
	return lines
}

// receives waits for an event, or with "" for the end of the stream.
func (v *visitor) receives(lines <-chan string, what string) {
	v.Helper()
	select {
	case line, open := <-lines:
		if (what == "" && open) || line != what {
			v.Errorf("received %q (open %t), want %q", line, open, what)
		}
	case <-time.After(2 * time.Minute):
		v.Errorf("received nothing, want %q", what)
	}
}

func TestLive(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann, bob := s.user("ann"), s.user("bob")
	running := httptest.NewUnstartedServer(s)
	running.Start()
	t.Cleanup(running.Close)

	// A stream that is only asked about ends, and leaves the connection to others.
	if a := ann.sends("HEAD", shared.PathLive, nil); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %s", a)
	}

	hers, his := ann.listens(running.URL), bob.listens(running.URL)
	ann.registers("x")
	ann.receives(hers, "event: changed")
	if len(his) != 0 {
		t.Error("another user was notified")
	}
	ann.sends("POST", shared.PathSignOut, nil)
	for range hers {
		// The stream may tell of it before it ends.
	}
	ann.refused(ann.sends("GET", shared.PathLive, nil), 401, shared.CodeUnauthenticated)
	s.handler.EndStreams()
	bob.receives(his, "")
}

// TestLiveForAdministrators lists users while others change.
func TestLiveForAdministrators(t *testing.T) {
	s := newScene(t, stores["memstore"])
	s.promotes(s.ann)
	running := httptest.NewServer(s)
	t.Cleanup(running.Close)
	hers := s.ann.listens(running.URL)
	his := s.bob.listens(running.URL)
	s.invites("carl")
	s.ann.receives(hers, "event: changed")
	s.recovers(s.bob) // soon after, when she has just looked
	s.ann.receives(hers, "event: changed")
	s.bob.receives(his, "event: changed")
	if len(his) != 0 {
		t.Error("a user who is no administrator was notified of others")
	}
}

// What a program puts around its handlers: a writer that remembers, and passes on no more
// than it must.
type (
	plainWriter    struct{ http.ResponseWriter }
	flushingWriter struct{ plainWriter }
	openWriter     struct{ plainWriter }
)

func (w flushingWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

func (w openWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestLiveBehindMiddleware(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	behind := func(wrap func(http.ResponseWriter) http.ResponseWriter) string {
		running := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(wrap(w), r) }))
		t.Cleanup(running.Close)
		return running.URL
	}
	t.Run("middleware that can flush, or unwraps to a writer that can, is enough", func(t *testing.T) {
		flushing := ann.listens(behind(func(w http.ResponseWriter) http.ResponseWriter { return flushingWriter{plainWriter{w}} }))
		open := ann.listens(behind(func(w http.ResponseWriter) http.ResponseWriter { return openWriter{plainWriter{w}} }))
		ann.registers("x")
		ann.receives(flushing, "event: changed")
		ann.receives(open, "event: changed")
	})
	t.Run("middleware that does neither is a fault before the stream begins, which the log has once", func(t *testing.T) {
		plain := behind(func(w http.ResponseWriter) http.ResponseWriter { return plainWriter{w} })
		for range 3 {
			response := ann.streams(plain)
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			ann.refused(answer{response.StatusCode, response.Header, body}, 500, shared.CodeInternal)
		}
		if n := strings.Count(s.log.String(), "level=ERROR"); n != 1 || !strings.Contains(s.log.String(), "Unwrap") {
			t.Errorf("the log has %d errors:\n%s", n, s.log)
		}
	})
	s.handler.EndStreams()
}

// TestLiveOverHTTP2 lets the time for writing a message pass. With HTTP/2 that ends a stream, also when nothing is
// written.
func TestLiveOverHTTP2(t *testing.T) {
	const writing = time.Second // a busy machine takes its time for a message
	t.Cleanup(server.SetLiveWrite(writing))
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	running := httptest.NewUnstartedServer(s)
	running.EnableHTTP2 = true
	running.Config.WriteTimeout = writing // streams outlive it
	running.StartTLS()
	t.Cleanup(running.Close)

	r, err := http.NewRequestWithContext(t.Context(), "GET", running.URL+shared.PathLive, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = siteURL.Host
	for _, cookie := range ann.jar.Cookies(siteURL) {
		r.AddCookie(cookie)
	}
	response, err := running.Client().Do(r)
	if err != nil || response.ProtoMajor != 2 {
		t.Fatalf("got %v (%v)", response, err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	reads := func(event string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == "event: "+event {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", event, lines.Err())
	}
	reads(shared.LiveReady)
	for range 2 {
		time.Sleep(2 * writing) // which is what is tested
		ann.registers("")
		reads(shared.LiveChanged)
		ann.device = passkeytest.New(origin)
	}
}
