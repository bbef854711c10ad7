package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// What keypeg doctor asks by the public URL. It compares what it sent with what arrived here, and what left here
// with what arrived there. For everybody without the key there is nothing at this address.

// examined answers the doctor. It stands in front of the check of the host, because a wrong host is what the
// doctor looks for too.
func (s *Server) examined(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != probe.Path {
			next.ServeHTTP(w, r)
			return
		}
		nonce, known := probe.Open(s.doctorKey, r.Header.Get(probe.Header), s.c.Now())
		if !known {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if r.URL.Query().Has(probe.QueryStream) {
			s.streamToDoctor(w, r)
			return
		}
		answer := probe.Answer{Proof: probe.Prove(s.doctorKey, nonce), Origin: s.c.Address.Origin, Arrived: s.arrived(r), Files: s.filesOfApp()}
		if of := r.URL.Query().Get(probe.QueryOf); of != "" {
			answer.Of = sentOf(next, r, s.c.Address.Host, of, "Accept-Encoding", "Accept-Language", "X-Forwarded-For", "X-Forwarded-Proto")
		}
		if r.URL.Query().Has(probe.QueryWrite) {
			begin := time.Now()
			if err := store.Probe(r.Context(), s.c.Store); err != nil {
				answer.WriteFailed = err.Error()
			}
			answer.Write = time.Since(begin)
		}
		s.cookies.Set(w, probe.Cookie, nonce, time.Minute)
		answer.SetCookie = w.Header().Get("Set-Cookie")
		if echo := r.Header.Get(shared.HeaderNonce); len(echo) <= len(nonce) {
			w.Header().Set(shared.HeaderNonce, echo)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	})
}

// arrived describes a request. It reads the body.
func (s *Server) arrived(r *http.Request) probe.Arrived {
	peer, forwarded := httpapi.Peer(r), r.Header["X-Forwarded-For"]
	size, _ := io.Copy(io.Discard, io.LimitReader(r.Body, probe.MaxBody)) // what is missing is seen by the size
	return probe.Arrived{
		Method: r.Method, Host: r.Host, Protocol: r.Proto, TLS: r.TLS != nil,
		Peer: peer, Trusted: peer == httpapi.UnixPeer || s.clients.Trusts(peer),
		ForwardedFor: forwarded, OddForwarded: len(forwarded) > 0 && !httpapi.LastIsAddress(forwarded),
		ForwardedProto: r.Header["X-Forwarded-Proto"], Address: s.clients.Address(r),
		Origin: r.Header.Get("Origin"), SecFetchSite: r.Header.Get("Sec-Fetch-Site"), AcceptEncoding: strings.Join(r.Header["Accept-Encoding"], ", "),
		Nonce: r.Header.Get(shared.HeaderNonce), Cookie: s.cookies.Value(r, probe.Cookie), Body: size,
	}
}

// filesOfApp returns the addresses of what a browser loads, by what the doctor calls them.
func (s *Server) filesOfApp() map[string]string {
	files := map[string]string{}
	for _, name := range []string{"app.wasm", "style.css", "signinpages-en.js", "confirm-en.js", "drawn.js"} {
		files[name] = s.c.Asset(name)
	}
	return files
}

// sentOf returns what a handler answers to a GET at a host, by a browser that sends these headers of a request.
func sentOf(handler http.Handler, r *http.Request, host, path string, headers ...string) *probe.Sent {
	inner := r.Clone(r.Context())
	inner.Method, inner.Host, inner.Body, inner.ContentLength = http.MethodGet, host, http.NoBody, 0
	inner.Header = http.Header{}
	for _, name := range headers {
		if values := r.Header[name]; values != nil {
			inner.Header[name] = values
		}
	}
	target, err := url.ParseRequestURI(path)
	if err != nil {
		return nil
	}
	inner.URL, inner.RequestURI = target, path
	answer := &sentAnswer{header: http.Header{}, status: http.StatusOK, sum: sha256.New()}
	handler.ServeHTTP(answer, inner)
	return &probe.Sent{Status: answer.status, Header: answer.header, SHA256: hex.EncodeToString(answer.sum.Sum(nil)), Size: answer.size}
}

// sentAnswer is an http.ResponseWriter that keeps what is known of an answer.
type sentAnswer struct {
	header http.Header
	status int
	sum    hash.Hash
	size   int64
}

// Header implements http.ResponseWriter.
func (a *sentAnswer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *sentAnswer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *sentAnswer) Write(b []byte) (int, error) {
	a.size += int64(len(b))
	return a.sum.Write(b)
}

// streamToDoctor sends one event, and leaves the stream open as the app's is. A proxy that buffers keeps the
// event until the end.
func (s *Server) streamToDoctor(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // as the app's stream has it
	if !say(w, http.NewResponseController(w), probe.StreamEvent) {
		return
	}
	select {
	case <-time.After(probe.StreamOpen):
	case <-r.Context().Done():
	case <-s.streams.Done():
	}
}
