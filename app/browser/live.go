package browser

import "time"

// LiveState is what a stream of changes has to tell.
type LiveState string

const (
	LiveConnected LiveState = "connected" // from now on every change is told
	LiveChanged   LiveState = "changed"   // ask again for what you show
	LiveLost      LiveState = "lost"      // changes may be missed until it is connected again
)

// After a stream was lost, the next try comes after a second, then two, four and
// so on up to half a minute, each a little off, so that a server that comes back
// isn't met by everybody at once.
const (
	liveFirstPause = time.Second
	liveLastPause  = 30 * time.Second
	// liveSteady is how long a stream lasts that something was right with. What stands
	// between us and the server may let each begin and end it at once, for ever.
	liveSteady = 10 * time.Second
)

// pauses are those between tries: the next is the value.
type pauses time.Duration

// after returns the pause after a stream that lasted for so long since it was connected;
// 0 if it never was.
func (p *pauses) after(lasted time.Duration) time.Duration {
	if lasted >= liveSteady || *p == 0 {
		*p = pauses(liveFirstPause)
	}
	now := time.Duration(*p)
	*p = pauses(min(2*now, liveLastPause))
	return now
}
