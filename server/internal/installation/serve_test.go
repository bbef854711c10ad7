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
	"time"

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

// TestLastAnswers tells a server to stop. Until it does, each answer ends its connection.
func TestLastAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serveAll(ctx, slog.New(slog.DiscardHandler), nothing{}, time.Hour, map[net.Listener]http.Handler{listener: http.NotFoundHandler()})
	}()
	isLast := func() bool {
		t.Helper()
		answer, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.Close
	}
	if isLast() {
		t.Error("a connection ends with its first answer")
	}
	stop()
	for deadline := time.Now().Add(2 * time.Minute); !isLast(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("connections stay open")
		}
	}
	listener.Close() // rather than wait for an hour
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
