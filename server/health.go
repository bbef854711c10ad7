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

// Health answers [shared.PathHealth] and [shared.PathReady], for balancers and for whoever
// watches over an installation.
type Health struct {
	Store    store.Store
	Log      *slog.Logger
	Now      store.Clock // says when the store may be tried again
	draining atomic.Bool

	mu     sync.Mutex // held while the store is tried
	tried  time.Time  // when that was last; zero for never
	broken error      // what came of it
}

// Drain says from now on that this node is about to stop.
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
	tryEvery = time.Second     // the store is tried no more often, whatever is asked
	tryFor   = 5 * time.Second // a database that is away for longer can't be written
)

// writable tells what came of the last try to write. It tries again for who comes without
// a proxy from our own networks, such as a balancer: a stranger's request writes nothing.
func (h *Health) writable(r *http.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	// A clock that was set back must not put the next try off.
	if !isOurs(r) || h.Now().Sub(h.tried).Abs() < tryEvery {
		return h.broken
	}
	// Others get this answer too, so it isn't given up with the request.
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

// isOurs reports whether a request came straight from this machine or a private network.
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

// Drain says by [shared.PathHealth] and [shared.PathReady] that this node is about to stop,
// and closes connections after their next answer. Everything goes on being served.
func (s *Server) Drain() { s.health.Drain() }
