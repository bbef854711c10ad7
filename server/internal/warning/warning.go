// Package warning tells IT what stands between browsers and Keypeg and breaks it: a proxy
// that replaces the Host header, drops cookies, or changes files.
//
// Whoever notices something calls [Log.Tell] with its [Cause]. The log gets one warning
// for each cause, with the line to write in nginx's and in Caddy's words, and no other for
// a day, whatever the number of requests. A request can be forged, so a warning says what
// was seen and claims no more, and no text of a stranger reaches the log as it is: see
// [Quoted].
//
// The table of causes stands in causes.go. What else repeats itself in the log is told by
// [Seldom] too.
package warning

import (
	"log/slog"
	"strings"
	"time"
)

// Again is after what time IT is warned again of what still happens.
const Again = 24 * time.Hour

// Log warns of each cause once in a while. It is safe for concurrent use. Its memory is
// bounded by the number of causes.
type Log struct {
	log    *slog.Logger
	seldom *Seldom[Cause]
}

// NewLog returns a Log that has told nothing yet.
func NewLog(log *slog.Logger, now func() time.Time) *Log {
	return &Log{log, NewSeldom[Cause](Again, now)}
}

// Tell warns of a cause, with what was seen of it, unless it was told a short time ago.
// A cause that isn't in the table is a mistake of the caller's, and is not told.
func (l *Log) Tell(cause Cause, seen ...slog.Attr) {
	advice, known := causes[cause]
	if !known || !l.seldom.Due(cause) {
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
	l.log.Warn(advice.What, args...)
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
