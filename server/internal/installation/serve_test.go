package installation

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/keypeg/keypeg/server/internal/control"
)

// nothing is a front without anything to stop.
type nothing struct{ front }

func (nothing) Drain()      {}
func (nothing) EndStreams() {}

// TestStopsAtOnce stops a server before it serves. Its socket is gone, or commands would think
// that a server is running.
func TestStopsAtOnce(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		path := filepath.Join(t.TempDir(), "s")
		listener, err := control.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := serveAll(ended, slog.New(slog.DiscardHandler), nothing{}, 0, map[net.Listener]http.Handler{listener: http.NotFoundHandler()}); err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("the socket is left (%v)", err)
		}
	}
}
