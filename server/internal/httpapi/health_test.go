package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// probed is a store of which somebody counts how often it is written for nobody.
type probed struct {
	store.Store
	probes int
	broken error
}

func (p *probed) Probe(context.Context) error { p.probes++; return p.broken }

// TestReady asks from several places whether the store can be written.
func TestReady(t *testing.T) {
	for name, row := range map[string]struct {
		from   string
		header string
		writes bool
	}{
		"from this machine":                     {from: "127.0.0.1:1", writes: true},
		"from this machine, by IPv6":            {from: "[::1]:1", writes: true},
		"from a private network":                {from: "10.1.2.3:1", writes: true},
		"from one, as IPv6 writes it":           {from: "[::ffff:192.168.1.1]:1", writes: true},
		"by a Unix socket":                      {from: "@", writes: true},
		"from elsewhere":                        {from: "203.0.113.7:1"},
		"through a proxy on this machine":       {from: "127.0.0.1:1", header: "X-Forwarded-For"},
		"through one that says so by Forwarded": {from: "127.0.0.1:1", header: "Forwarded"},
		"through one that says so by Via":       {from: "127.0.0.1:1", header: "Via"},
	} {
		t.Run(name, func(t *testing.T) {
			full := &probed{Store: memstore.New(time.Now), broken: errors.New("the disk is full")}
			now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
			health := httpapi.NewHealth(full, slog.New(slog.DiscardHandler), func() time.Time { return now })
			ask := func(path string) int {
				r := httptest.NewRequest("GET", path, nil)
				r.RemoteAddr = row.from
				if row.header != "" {
					r.Header.Set(row.header, "203.0.113.7")
				}
				w := httptest.NewRecorder()
				health.ServeHTTP(w, r)
				return w.Code
			}

			for range 3 {
				want := http.StatusOK
				if row.writes {
					want = http.StatusServiceUnavailable
				}
				if got := ask(shared.PathReady); got != want {
					t.Errorf("%s: %d, want %d", shared.PathReady, got, want)
				}
			}
			if got := ask(shared.PathHealth); got != http.StatusOK {
				t.Errorf("%s: %d", shared.PathHealth, got)
			}
			if want := map[bool]int{true: 1}[row.writes]; full.probes != want {
				t.Errorf("it was written %d times, want %d", full.probes, want)
			}

			// There is room again, and a second later it is noticed, whichever way the
			// clock jumps meanwhile.
			full.broken = nil
			for _, jump := range []time.Duration{time.Second, -time.Hour} {
				now, full.probes = now.Add(jump), 0
				for range 3 {
					if got := ask(shared.PathReady); got != http.StatusOK {
						t.Errorf("after %s %s: %d", jump, shared.PathReady, got)
					}
				}
				if want := map[bool]int{true: 1}[row.writes]; full.probes != want {
					t.Errorf("after %s it was written %d times, want %d", jump, full.probes, want)
				}
			}
		})
	}
}
