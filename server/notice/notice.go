// Package notice tells IT what stands between browsers and Keypeg and breaks it: a proxy
// that replaces the Host header, drops cookies, or changes files.
//
// Whoever notices something calls [Board.Tell] with its [Cause]. The log gets one warning
// for each cause, with the line to write in nginx's and in Caddy's words, and no other for
// a day, whatever the number of requests. A request can be forged, so a notice says what
// was seen and claims no more, and no text of a stranger reaches the log as it is: see
// [Quoted].
//
// The table of causes stands in causes.go.
package notice

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Again is after what time the same cause is told again, if it still happens.
const Again = 24 * time.Hour

// Board tells each cause once in a while. It is safe for concurrent use. Its memory is
// bounded by the number of causes.
type Board struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	told map[Cause]time.Time
}

// NewBoard returns a Board that has told nothing yet.
func NewBoard(log *slog.Logger, now func() time.Time) *Board {
	return &Board{log: log, now: now, told: map[Cause]time.Time{}}
}

// Tell warns of a cause, with what was seen of it, unless it was told a short time ago.
// A cause that isn't in the table is a mistake of the caller's, and is not told.
func (b *Board) Tell(cause Cause, seen ...slog.Attr) {
	advice, known := causes[cause]
	if !known || !b.isNew(cause) {
		return
	}
	args := []any{slog.String("cause", string(cause))}
	for _, attr := range seen {
		args = append(args, attr)
	}
	for _, line := range []slog.Attr{
		slog.String("keypeg", advice.Keypeg), slog.String("nginx", advice.Nginx), slog.String("caddy", advice.Caddy),
	} {
		if line.Value.String() != "" {
			args = append(args, line)
		}
	}
	b.log.Warn(advice.What, args...)
}

func (b *Board) isNew(cause Cause) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if last, told := b.told[cause]; told && now.Sub(last) < Again {
		return false
	}
	b.told[cause] = now
	return true
}

// mostQuoted is how much of a header is quoted, in bytes.
const mostQuoted = 80

// Quoted is text of a request as it may stand in the log: at most 80 bytes, and only of
// what hosts, addresses and origins are written with. Anything else could be a sentence
// that somebody wants IT to read and to follow.
func Quoted(text string) string {
	const written = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_[]/"
	switch {
	case text == "":
		return "(none)"
	case len(text) > mostQuoted, strings.Trim(text, written) != "":
		return "(unreadable)"
	}
	return text
}
