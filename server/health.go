package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Health answers [shared.PathHealth] and [shared.PathReady], for load balancers and
// monitoring.
type Health struct {
	Store    store.Store
	Log      *slog.Logger
	Now      store.Clock // decides when the store may be tried again
	draining atomic.Bool

	mu     sync.Mutex // held during a try
	tried  time.Time  // time of the last try; zero for none
	broken error      // result of the last try
}

// Drain makes both report that this node is about to stop.
func (h *Health) Drain() { h.draining.Store(true) }

// ServeHTTP implements http.Handler.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	if _, err := h.Store.HasAdministrator(r.Context()); err != nil {
		h.Log.Error("health check failed", "cause", err)
		http.Error(w, "the store can't be read", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == shared.PathReady && h.writable(r) != nil {
		http.Error(w, "the store can't be written", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ok\n"))
}

const (
	tryEvery = time.Second     // the least time between two tries
	tryFor   = 5 * time.Second // a database that takes longer can't be written
)

// writable returns the result of the last try to write. It tries again only for a request
// from our own networks that came through no proxy, such as that of a load balancer,
// because a stranger's request writes nothing.
func (h *Health) writable(r *http.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	// A clock that was set back must not delay the next try.
	if !isOurs(r) || h.Now().Sub(h.tried).Abs() < tryEvery {
		return h.broken
	}
	// Other requests use this result too, so it doesn't end with the request.
	trying, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), tryFor)
	defer cancel()
	err := store.Probe(trying, h.Store)
	switch {
	case err != nil && h.broken == nil:
		h.Log.Error("the store can't be written: nobody can sign in", "cause", err)
	case err == nil && h.broken != nil:
		h.Log.Info("the store can be written again")
	}
	h.broken, h.tried = err, h.Now()
	return err
}

// isOurs reports whether a request came directly from this machine or a private network.
func isOurs(r *http.Request) bool {
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return true // a Unix socket has no address
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && isNear(ip)
}

// Drain makes [shared.PathHealth] and [shared.PathReady] report that this node is about to
// stop, and closes connections after their next answer. All requests are still served.
func (s *Server) Drain() { s.health.Drain() }
