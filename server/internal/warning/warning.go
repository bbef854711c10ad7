// Package warning warns IT of proxies that break something between browsers and Keypeg: a
// proxy that replaces the Host header, drops cookies, or changes files.
//
// Callers report what they see by [Log.Warn], with its [Cause]. The log gets one warning a
// day for each cause, however many requests there are, with the lines to write for nginx
// and for Caddy. Requests can be forged, so a warning says only what was seen, and text of
// a stranger is cleaned by [Quoted] first.
//
// The table of causes is in causes.go. Other packages use [Seldom] for what repeats itself
// in the log.
package warning

import (
	"log/slog"
	"strings"
	"time"
)

// Again is the time after which IT is warned again of a cause.
const Again = 24 * time.Hour

// Log warns of each cause once in a while. It is safe for concurrent use. Its memory is
// bounded by the number of causes.
type Log struct {
	log    *slog.Logger
	seldom *Seldom[Cause]
}

// NewLog returns a Log that writes to log.
func NewLog(log *slog.Logger, now func() time.Time) *Log {
	return &Log{log, NewSeldom[Cause](Again, now)}
}

// Warn warns of a cause, with what was seen of it, unless it has done so a short time ago.
// It ignores a cause that isn't in the table, which is a mistake of the caller.
func (l *Log) Warn(cause Cause, seen ...slog.Attr) {
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

// mostQuoted is how many bytes of a header are quoted.
const mostQuoted = 80

// Quoted returns text of a request for the log: at most 80 bytes, and only characters of
// hosts, addresses and origins. Anything else could be a sentence with which somebody wants
// to mislead IT.
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
