package server

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/shared"
)

const (
	// liveBeat is the time between messages on a stream without changes, so that proxies
	// don't close it. It also bounds how long a browser that has gone counts as listening.
	liveBeat = 25 * time.Second
	// liveOthers is the least time between two notices about other users on an
	// administrator's page. In a large organisation somebody signs in all the time.
	liveOthers = 2 * time.Second
	// liveLater ends a stream when there are too many. The page waits before it asks again.
	liveLater = "retry: 30000\nevent: " + shared.LiveLater + "\ndata: {}\n\n"
)

// liveWrite is how long the writing of one message may take.
var liveWrite = 10 * time.Second

const changed = "event: " + shared.LiveChanged + "\ndata: {}\n\n"

// live sends a page a message when something of its user has changed, as server-sent events
// (HTML Living Standard, 9.2). A stream ends together with its session. The page then asks
// again, and sees whether it is still signed in.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // otherwise nginx buffers it
	if r.Method == http.MethodHead {
		return nil // an answer to HEAD ends
	}
	if r.ProtoMajor == 1 { // a stream that ends early closes its connection
		w.Header().Set("Connection", "close")
	}
	listener, others := s.listens(r)
	defer listener.Close()
	hears := others // nil during liveOthers
	say := func(text string) bool { return say(w, out, text) }
	// The first flush sends the headers. If flushing isn't supported it sends nothing, so a
	// refusal can still be answered.
	if err := out.Flush(); errors.Is(err, http.ErrNotSupported) {
		s.logNoFlush.Do(func() {
			s.c.Log.Error("open pages get no notice of changes, because the http.ResponseWriter of a middleware in front of Keypeg can't flush: give it a method Unwrap that returns the wrapped one, as http.ResponseController requires")
		})
		w.Header().Del("X-Accel-Buffering")
		return httpapi.Faulty(httpapi.RequestID(r.Context())).Because(err)
	}
	first := shared.LiveReady
	if listener.Same(r.URL.Query().Get(shared.QuerySince)) {
		first = shared.LiveSame
	}
	if !say("retry: 1000\n\nevent: " + first + "\ndata: {}\n\n") {
		return nil
	}

	rested := time.NewTimer(liveOthers)
	defer rested.Stop()

	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for {
		message := ":\n\n"
		select {
		case <-r.Context().Done():
			return nil
		case <-s.streams.Done():
			return nil // we are shutting down
		case <-listener.Ended:
			say(liveLater)
			return nil
		case <-beat.C:
		case <-rested.C:
			hears = others
			continue
		case <-listener.C:
			message = changed
		case <-hears:
			message, hears = changed, nil
			rested.Reset(liveOthers)
		}
		if !say(message) || !s.stillSignedIn(r) {
			return nil
		}
	}
}

// listens begins to listen for the caller of a request, before the page gets its first message, because from that
// message on it relies on hearing of every change. Others is for a user with a role, who sees a list of
// other users. This and stillSignedIn are apart from live, since a caller is kilobytes that would stay
// on the stack of each open stream.
//
//go:noinline
func (s *Server) listens(r *http.Request) (listener *live.Listener, others <-chan struct{}) {
	who := httpapi.CallerOf(r)
	listener = s.c.Live.Listen(who.User.ID, string(who.Session.ID[:])+who.AtHost)
	if who.User.Role != shared.RoleNone {
		others = listener.Others()
	}
	return listener, others
}

//go:noinline
func (s *Server) stillSignedIn(r *http.Request) bool {
	return s.people.sessionExists(r, httpapi.CallerOf(r))
}

// say sends a message, and reports whether the stream still works.
func say(w io.Writer, out *http.ResponseController, text string) bool {
	// The write timeout of the http.Server is for answers that end. If a middleware doesn't
	// let us extend it, the stream ends by it, and the page asks again.
	if err := out.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return false
	}
	if _, err := io.WriteString(w, text); err != nil || out.Flush() != nil {
		return false
	}
	// With HTTP/2 a deadline that passes resets the stream, even if nothing is written then.
	out.SetWriteDeadline(time.Time{})
	return true
}

// EndStreams ends every open stream, so that a server can shut down. The pages ask again by
// themselves.
func (s *Server) EndStreams() { s.endStreams() }
