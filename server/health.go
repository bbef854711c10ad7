package server

import (
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/keypeg/keypeg/server/store"
)

// Health answers shared.PathHealth.
type Health struct {
	Store    store.Store
	Log      *slog.Logger
	draining atomic.Bool
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
	w.Write([]byte("ok\n"))
}

// Drain says by /healthz that this node is about to stop, and closes connections
// after their next answer. Everything goes on being served.
func (s *Server) Drain() { s.health.Drain() }
