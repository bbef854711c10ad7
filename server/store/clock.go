package store

import "time"

// Clock tells the time. Backends and rules take one, so that tests can move it.
type Clock func() time.Time

// ClockSkew is how far the clocks of two nodes may be apart. A time that lies
// further ahead was written before somebody set the clock back, and isn't taken
// for a recent one.
const ClockSkew = time.Minute

// AreApart reports whether two clocks that were asked at the same moment differ too much for
// anything to be deleted by either of them.
func AreApart(one, other time.Time) bool { return one.Sub(other).Abs() >= ClockSkew }

// SteadyFor is how long a clock must have gone on without a jump before anything is
// deleted because its time has come. A machine may start with a wrong clock, or have it set
// wrongly for a while: what has expired by such a clock isn't found meanwhile, and is there
// again when the clock is right.
const SteadyFor = time.Hour

// ClockWatch notices when a clock is set, by comparing it with the time that passes.
// Its zero value has seen nothing. It is not safe for concurrent use.
type ClockWatch struct {
	seen, wall time.Time // the last look: by the time that passes, and by the clock
	since      time.Time // when it began to be steady, by the time that passes
}

// Look compares. At is the time that passes, from time.Now; now is what the clock says.
// Jumped is by how much the clock was set since the last look, ahead or back; 0 for less
// than [ClockSkew].
func (w *ClockWatch) Look(at, now time.Time) (jumped time.Duration) {
	now = now.Round(0) // without the time that passes
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
