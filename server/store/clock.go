package store

import "time"

// Clock tells the time. Backends and rules take one, so that tests can move it.
type Clock func() time.Time

// ClockSkew is how far the clocks of two nodes may be apart. A stored time that is further
// ahead was written before somebody set the clock back. It does not count as recent.
const ClockSkew = time.Minute

// AreApart reports whether two clocks, read at the same moment, differ too much to delete
// anything by either of them.
func AreApart(one, other time.Time) bool { return one.Sub(other).Abs() >= ClockSkew }

// SteadyFor is how long a clock must run without a jump before expired records are deleted. A
// machine may start with a wrong clock, or somebody may set it wrongly for a while. Records
// that expire by a wrong clock are not found meanwhile, and are found again when the clock is
// right.
const SteadyFor = time.Hour

// ClockWatch notices when a clock is set. It compares the clock with the monotonic time. The
// zero value is ready to use. It is not safe for concurrent use.
type ClockWatch struct {
	seen, wall time.Time // the last look: monotonic, and by the clock
	since      time.Time // the beginning of the steady time, monotonic
}

// Look compares the monotonic time of at, which comes from time.Now, with the clock's time
// now. Jumped is how far the clock was set ahead or back since the last look; it is 0 for less
// than [ClockSkew].
func (w *ClockWatch) Look(at, now time.Time) (jumped time.Duration) {
	now = now.Round(0) // without the monotonic time
	if !w.seen.IsZero() {
		jumped = now.Sub(w.wall) - at.Sub(w.seen)
	}
	if jumped.Abs() < ClockSkew {
		jumped = 0
	}
	if w.seen.IsZero() || jumped != 0 {
		w.since = at
	}
	w.seen, w.wall = at, now
	return jumped
}

// IsSteady reports whether the clock has not jumped for [SteadyFor].
func (w *ClockWatch) IsSteady() bool { return !w.seen.IsZero() && w.seen.Sub(w.since) >= SteadyFor }
