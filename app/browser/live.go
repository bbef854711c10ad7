package browser

import (
	"strings"
	"time"
)

// LiveState is an event of a stream of changes, or of its connection.
type LiveState string

const (
	LiveConnected LiveState = "connected" // from now on every change is notified
	LiveChanged   LiveState = "changed"   // ask again for what you show
	LiveLost      LiveState = "lost"      // changes may be missed until it is connected again
	LiveDelayed   LiveState = "delayed"   // something keeps the stream back: ask again now and then
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

// A browser has one stream, whatever the number of its tabs: over HTTP/1.1 it keeps six
// connections to a host, and six tabs with a stream each would leave none to the seventh.
// The tab that holds a Web Lock is the leader. It has the stream, and tells the others on a
// BroadcastChannel. A leader that is closed or crashes loses the lock, and the next in line
// has it at once. One that is frozen keeps it and falls silent: a follower that is looked at
// asks every second, and takes the lock away from a leader that doesn't answer.
const (
	askEvery = time.Second
	// silence is how long a leader may leave a question without an answer. Together with
	// askEvery and the time that a connection takes it stays under three seconds.
	silence = 1500 * time.Millisecond
	// longestSilence bounds what silence grows to. On a machine that is slower than that
	// for all of its tabs, they would take the lock from each other for ever.
	longestSilence = 30 * time.Second
)

// election is what one tab knows of the stream that all share.
type election struct {
	post   func(message string) // to the other tabs
	notify func(LiveState)      // to this one

	leads  bool
	hidden bool      // nobody looks at this tab
	state  LiveState // of the stream, [LiveConnected] or [LiveLost]; "" while that isn't known
	// lastMessage is when the leader sent something last, or when this tab began to wait for it.
	lastMessage time.Time
	lost        time.Time // since when the stream is lost, as far as this tab knows
	asleep      bool      // nobody looks at the leader, so its timers are slow
	silence     time.Duration
	ticked      time.Time // when ticks came last
}

// The messages between tabs. None of them names a user.
const (
	msgAsk   = "ask"   // a follower: is somebody there?
	msgHere  = "here"  // the leader, to all who ask: so is the stream
	msgState = "state" // the leader: this came of the stream just now
)

// asks begins to wait for the leader.
func (e *election) asks(now time.Time) {
	e.lastMessage = now
	e.post(msgAsk)
}

// receives takes a message of another tab.
func (e *election) receives(message string, now time.Time) {
	kind, rest, _ := strings.Cut(message, " ")
	word, asleep := strings.CutSuffix(rest, " hidden")
	state := LiveState(word)
	switch {
	case e.leads && kind == msgAsk:
		e.post(e.message(msgHere, e.state))
	case e.leads:
		// Another leads too, until it notices that the lock was taken from it.
	case kind == msgHere:
		e.lastMessage, e.asleep = now, asleep
		if state != e.state { // else this tab knows it already
			e.becomes(state, now)
		}
	case kind == msgState:
		e.lastMessage, e.asleep = now, asleep
		e.becomes(state, now)
	}
}

// message is one that the leader sends.
func (e *election) message(kind string, state LiveState) string {
	if e.hidden {
		return kind + " " + string(state) + " hidden"
	}
	return kind + " " + string(state)
}

// becomes takes a new state of the stream.
func (e *election) becomes(state LiveState, now time.Time) {
	switch state {
	case LiveLost:
		if e.state != LiveLost {
			e.lost = now
		}
		e.state = state
	case LiveConnected, LiveDelayed:
		e.state = state
	case LiveChanged:
		e.state = LiveConnected
	default:
		return // of a later version of the program in another tab
	}
	e.notify(state)
}

// streams takes what came of the stream that this tab has as the leader.
func (e *election) streams(state LiveState, now time.Time) {
	e.becomes(state, now)
	e.post(e.message(msgState, state))
}

// ticks comes every [askEvery] to a follower. It reports whether the lock is to be taken
// away from the leader.
func (e *election) ticks(now time.Time) (takes bool) {
	late := now.Sub(e.ticked) > 2*askEvery
	e.ticked = now
	switch {
	case e.leads || e.hidden:
		return false
	case late: // it was this tab that slept, or the machine is slow
		e.asks(now)
		return false
	case e.silence == 0:
		e.silence = silence
	}
	silent := now.Sub(e.lastMessage) > e.silence
	// The timers of a tab that nobody looks at are slow, and so it is slow to connect again.
	slow := e.asleep && e.state == LiveLost && now.Sub(e.lost) > 2*e.silence
	if silent || slow {
		e.silence = min(2*e.silence, longestSilence)
		e.lastMessage, e.lost = now, now
		return true
	}
	e.post(msgAsk)
	return false
}

// looks takes whether somebody looks at this tab.
func (e *election) looks(at bool, now time.Time) {
	e.hidden = !at
	if at && !e.leads {
		e.asks(now)
	}
}

// wins and loses take what became of the lock.
func (e *election) wins() { e.leads, e.state = true, "" }

func (e *election) loses(now time.Time) {
	e.leads = false
	e.asks(now)
}

// gatherFor is how long changes are gathered after one was notified. However many come, a
// tab loads what it shows once a second.
const gatherFor = time.Second

// gathering notifies the first of many changes at once, and the others together.
type gathering struct {
	notify   func(LiveState)
	notified time.Time // when a change was notified last
	waiting  bool      // another has come since
}

// comes takes a state. Wait is after what time due has to be called; 0 for never.
func (g *gathering) comes(state LiveState, now time.Time) (wait time.Duration) {
	if state != LiveChanged {
		g.waiting = false // this state makes its receiver load again anyway
		g.notify(state)
		return 0
	}
	if left := gatherFor - now.Sub(g.notified); left > 0 {
		if g.waiting {
			return 0
		}
		g.waiting = true
		return left
	}
	g.notified = now
	g.notify(state)
	return 0
}

// due tells of what was gathered.
func (g *gathering) due(now time.Time) {
	if g.waiting {
		g.waiting, g.notified = false, now
		g.notify(LiveChanged)
	}
}
