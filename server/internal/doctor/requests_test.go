package doctor

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
)

// TestFirstEvent knows a stream that something holds back from one of a busy machine, which only comes late.
func TestFirstEvent(t *testing.T) {
	for _, row := range []struct {
		what        string
		after, open time.Duration
		held        bool
	}{
		{"it comes at once", 0, probe.StreamOpen, false},
		{"the machine is busy", 4 * time.Second, probe.StreamOpen, false},
		{"something keeps it until the stream ends", probe.StreamOpen, 0, true},
		{"the same, and the machine is busy", 4 * time.Second, 100 * time.Millisecond, true},
	} {
		t.Run(row.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, server := io.Pipe()
				begin := time.Now()
				go func() {
					time.Sleep(row.after)
					io.WriteString(server, probe.StreamEvent)
					time.Sleep(row.open)
					server.Close()
				}()
				held, after, err := firstEvent(&http.Response{Body: body}, begin)
				if held != row.held || after != row.after || err != nil {
					t.Errorf("held: %v, want %v; after %s, want %s; %v", held, row.held, after, row.after, err)
				}
				io.Copy(io.Discard, body) // the stream goes on
			})
		})
	}
}
