package browser

import (
	"strings"
	"time"
)

// LiveState is an event of the stream of changes, or of its connection.
type LiveState string

const (
	LiveConnected LiveState = "connected" // every change is notified from now on
	LiveSame      LiveState = "same"      // connected, and nothing has changed since the page was drawn
	LiveChanged   LiveState = "changed"   // load again what you show
	LiveLost      LiveState = "lost"      // changes are missed until it is connected again
	LiveDelayed   LiveState = "delayed"   // something in between keeps the stream back: load again at each of these
)

// After a stream was lost, the next try comes after a second, then after two, four and so on
// up to half a minute. Each pause varies at random, so that not all browsers connect to a
// restarted server at once.
const (
	liveFirstPause = time.Second
	liveLastPause  = 30 * time.Second
	// liveSteady is how long a stream must last before the pauses begin again at the first.
	// A proxy may end each stream right after it has begun, for ever.
	liveSteady = 10 * time.Second
)

// pauses are the pauses between tries. The value is the next one.
type pauses time.Duration

// after returns the pause after a stream that was connected for so long, or 0 if it never
// was.
func (p *pauses) after(lasted time.Duration) time.Duration {
	if lasted >= liveSteady || *p == 0 {
		*p = pauses(liveFirstPause)
	}
	now := time.Duration(*p)
	*p = pauses(min(2*now, liveLastPause))
	return now
}

// All tabs of a browser share one stream. Over HTTP/1.1 a browser keeps six connections to a
// host, so six tabs with a stream each would leave none to the seventh.
//
// The tab that holds a Web Lock is the leader. It has the stream, and sends its events to
// the other tabs, the followers, on a BroadcastChannel. A leader that is closed or crashes
// loses the lock, and the next tab in the queue gets it at once. A leader that is frozen
// keeps the lock and sends nothing. So a follower that is visible asks every second, and
// takes the lock from a leader that doesn't answer.
const (
	askEvery = time.Second
	// silence is how long a leader may take to answer. Together with askEvery and the time
	// that a connection takes, it is less than three seconds.
	silence = 1500 * time.Millisecond
	// longestSilence is the bound up to which silence doubles each time that this tab takes
	// the lock. Without that, the tabs of a slow machine would take the lock from each other
	// for ever.
	longestSilence = 30 * time.Second
)

// election is what one tab knows of the shared stream and of its leader.
type election struct {
	post   func(message string) // to the other tabs
	notify func(LiveState)      // to this one

	leads  bool
	hidden bool      // this tab isn't visible
	state  LiveState // of the stream, [LiveConnected] or [LiveLost]; "" while that isn't known
	// lastMessage is when the leader's last message came, or when this tab began to wait for
	// one.
	lastMessage time.Time
	lost        time.Time // when the stream was lost, as far as this tab knows
	asleep      bool      // the leader's tab isn't visible, so its timers are slow
	silence     time.Duration
	ticked      time.Time // when ticks came last
}

// The messages between tabs. None of them names a user.
const (
	msgAsk   = "ask"   // a follower asks whether there is a leader
	msgHere  = "here"  // the leader answers that, with the state of the stream
	msgState = "state" // the leader passes on what the stream has just brought
)

// asks begins to wait for the leader.
func (e *election) asks(now time.Time) {
	e.lastMessage = now
	e.post(msgAsk)
}

// receives handles a message of another tab.
func (e *election) receives(message string, now time.Time) {
	kind, rest, _ := strings.Cut(message, " ")
	word, asleep := strings.CutSuffix(rest, " hidden")
	state := LiveState(word)
	switch {
	case e.leads && kind == msgAsk:
		e.post(e.message(msgHere, e.state))
	case e.leads:
		// Another tab leads too, until it notices that it has lost the lock.
	case kind == msgHere:
		e.lastMessage, e.asleep = now, asleep
		if state != e.state {
			e.becomes(state, now)
		}
	case kind == msgState:
		e.lastMessage, e.asleep = now, asleep
		e.becomes(state, now)
	}
}

// message returns a message of the leader's.
func (e *election) message(kind string, state LiveState) string {
	if e.hidden {
		return kind + " " + string(state) + " hidden"
	}
	return kind + " " + string(state)
}

// becomes handles a new state of the stream.
func (e *election) becomes(state LiveState, now time.Time) {
	switch state {
	case LiveLost:
		if e.state != LiveLost {
			e.lost = now
		}
		e.state = state
	case LiveConnected, LiveDelayed:
		e.state = state
	case LiveChanged, LiveSame:
		e.state = LiveConnected
	default:
		return // of a later version of the program in another tab
	}
	e.notify(state)
}

// streams handles an event of the stream, which this tab has as the leader.
func (e *election) streams(state LiveState, now time.Time) {
	e.becomes(state, now)
	if state == LiveSame { // for this tab: the others were drawn at other times
		state = LiveConnected
	}
	e.post(e.message(msgState, state))
}

// ticks is called every [askEvery]. It reports whether this tab has to take the lock from
// the leader.
func (e *election) ticks(now time.Time) (takes bool) {
	late := now.Sub(e.ticked) > 2*askEvery
	e.ticked = now
	switch {
	case e.leads || e.hidden:
		return false
	case late: // this tab was asleep, or the machine is slow: that is no fault of the leader
		e.asks(now)
		return false
	case e.silence == 0:
		e.silence = silence
	}
	silent := now.Sub(e.lastMessage) > e.silence
	// The timers of a hidden tab are slow, so a hidden leader is slow to connect again.
	slow := e.asleep && e.state == LiveLost && now.Sub(e.lost) > 2*e.silence
	if silent || slow {
		e.silence = min(2*e.silence, longestSilence)
		e.lastMessage, e.lost = now, now
		return true
	}
	e.post(msgAsk)
	return false
}

// looks handles that this tab becomes visible or hidden.
func (e *election) looks(at bool, now time.Time) {
	e.hidden = !at
	if at && !e.leads {
		e.asks(now)
	}
}

// wins and loses handle that this tab gets or loses the lock.
func (e *election) wins() { e.leads, e.state = true, "" }

func (e *election) loses(now time.Time) {
	e.leads = false
	e.asks(now)
}

// gatherFor is how long changes are gathered after one was notified. So a tab loads what it
// shows at most once a second, however many changes come.
const gatherFor = time.Second

// gathering notifies the first of many changes at once, and the others together.
type gathering struct {
	notify   func(LiveState)
	notified time.Time // when a change was notified last
	waiting  bool      // another has come since
}

// comes handles a state. The caller has to call due after the time wait, unless it is 0.
func (g *gathering) comes(state LiveState, now time.Time) (wait time.Duration) {
	if state != LiveChanged {
		g.waiting = false // the receiver loads again at each of these states
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

// due notifies the gathered changes.
func (g *gathering) due(now time.Time) {
	if g.waiting {
		g.waiting, g.notified = false, now
		g.notify(LiveChanged)
	}
}
