package config

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// Logger returns the program's log, and a function that writes its last lines.
func (s *Settings) Logger(to io.Writer) (log *slog.Logger, flush func()) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		panic(err) // the flag accepts only the four levels
	}
	w := newGatherer(to)
	if s.LogJSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: inWords})), w.flush
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), w.flush
}

// inWords writes durations as settings and the text form have them, such as 1m30s, because
// a number of nanoseconds doesn't show its unit.
func inWords(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

const (
	// gatherFor is how long a line waits for others. If the program is killed, the lines of
	// that time are lost.
	gatherFor = 10 * time.Millisecond
	// mostGathered is how many bytes wait at most.
	mostGathered = 32 << 10
)

// gatherer is an io.Writer that collects lines for a short time and writes them together.
// On a busy server the system call for each line would cost as much as the line.
type gatherer struct {
	mu       sync.Mutex
	to       io.Writer
	gathered []byte
	due      *time.Timer
}

func newGatherer(to io.Writer) *gatherer {
	g := &gatherer{to: to}
	g.due = time.AfterFunc(time.Hour, g.flush)
	g.due.Stop()
	return g
}

// Write implements io.Writer. It never fails, because a failure to write the log can't be
// logged.
func (g *gatherer) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.gathered) == 0 {
		g.due.Reset(gatherFor)
	}
	if g.gathered = append(g.gathered, line...); len(g.gathered) >= mostGathered {
		g.write()
	}
	return len(line), nil
}

func (g *gatherer) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.write()
}

func (g *gatherer) write() {
	if len(g.gathered) > 0 {
		g.to.Write(g.gathered)
		g.gathered = g.gathered[:0]
	}
}
