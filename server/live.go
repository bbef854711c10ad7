package server

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

const (
	// liveBeat keeps proxies from closing a stream on which nothing happens. It
	// also bounds how long a browser that went away is taken for one that listens.
	liveBeat = 25 * time.Second
	// liveOthers is how often an administrator's page hears of other users at most. In a
	// large organisation somebody signs in all the time.
	liveOthers = 2 * time.Second
	// liveWrite is how long one message may take to be written.
	liveWrite = 10 * time.Second
	// liveLater ends a stream that is one too many: pages wait before they come back.
	liveLater = "retry: 30000\nevent: " + shared.LiveLater + "\ndata: {}\n\n"
)

const changed = "event: " + shared.LiveChanged + "\ndata: {}\n\n"

// live tells a page that something of its user has changed, as server-sent
// events (HTML Living Standard, 9.2). A stream ends when its session does; the
// page then asks again, and finds out whether it is still signed in.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	who := httpapi.CallerOf(r)
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it back
	if r.Method == http.MethodHead {
		return nil // which has no end to wait for
	}
	if r.ProtoMajor == 1 { // a stream that had to end leaves no connection open
		w.Header().Set("Connection", "close")
	}
	listener := s.c.Live.Listen(who.User.ID, string(who.Session.ID[:])+who.AtHost)
	defer listener.Close()
	// Administrators see other users, whose list must be of now. They are listened to before
	// the page hears that from now on every change is told.
	var others, hears <-chan struct{} // hears is nil while others rest
	if who.User.Admin {
		others = listener.Others()
		hears = others
	}
	say := func(text string) bool { return say(w, out, text) }
	// The first flush sends the head of the answer; where nobody can flush, it sends
	// nothing, and there is still time to say so.
	if err := out.Flush(); errors.Is(err, http.ErrNotSupported) {
		s.tellNoFlush.Do(func() {
			s.c.Log.Error("open pages hear of no changes: the http.ResponseWriter of a middleware in front of Keypeg can't flush. Give it a method Unwrap that returns the one it wraps, as http.ResponseController asks for")
		})
		w.Header().Del("X-Accel-Buffering")
		return httpapi.Faulty(httpapi.RequestID(r.Context())).Because(err)
	}
	if !say("retry: 1000\n\nevent: " + shared.LiveReady + "\ndata: {}\n\n") {
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
		if !say(message) || !s.people.goesOn(r, who) {
			return nil
		}
	}
}

// say sends a message, and reports whether somebody may still hear the next.
func say(w io.Writer, out *http.ResponseController, text string) bool {
	// The http.Server's own limit is for answers that end. Where a middleware hides
	// how to move it, it ends the stream, and the page comes back.
	if err := out.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return false
	}
	_, err := io.WriteString(w, text)
	return err == nil && out.Flush() == nil
}

// EndStreams ends every open stream, so that a server can shut down. Their pages
// come back by themselves.
func (s *Server) EndStreams() { s.endStreams() }
