package httpapi

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
	store    store.Store
	log      *slog.Logger
	now      store.Clock // decides when the store may be tried again
	draining atomic.Bool

	mu     sync.Mutex // held during a try
	tried  time.Time  // time of the last try; zero for none
	broken error      // result of the last try
}

// NewHealth returns a Health of a store.
func NewHealth(s store.Store, log *slog.Logger, now store.Clock) *Health {
	return &Health{store: s, log: log, now: now}
}

// Drain makes both report that this node is about to stop.
func (h *Health) Drain() { h.draining.Store(true) }

// IsDraining reports whether Drain was called.
func (h *Health) IsDraining() bool { return h.draining.Load() }

// ServeHTTP implements http.Handler.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.IsDraining() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	if _, err := h.store.HasAdministrator(r.Context()); err != nil {
		h.log.Error("health check failed", "cause", err)
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
	if !isOurs(r) || h.now().Sub(h.tried).Abs() < tryEvery {
		return h.broken
	}
	// Other requests use this result too, so it doesn't end with the request.
	trying, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), tryFor)
	defer cancel()
	err := store.Probe(trying, h.store)
	switch {
	case err != nil && h.broken == nil:
		h.log.Error("the store can't be written: nobody can sign in", "cause", err)
	case err == nil && h.broken != nil:
		h.log.Info("the store can be written again")
	}
	h.broken, h.tried = err, h.now()
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
	return err == nil && IsNear(ip)
}

// IsNear reports whether an address belongs to this machine or to a private network.
func IsNear(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}
