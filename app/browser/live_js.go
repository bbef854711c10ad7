package browser

import (
	"context"
	"sync"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// liveLater is the end of a stream that the server has no room for. Receivers get only
// [LiveLost]. The pauses before the next tries grow, however long the stream lasted.
const liveLater LiveState = "later"

// Live opens the stream of server-sent events at a path, and calls notify with its states,
// one at a time, until ctx ends. All tabs of a browser share one stream. A lost stream is
// opened again after a pause that grows, or at once when the page becomes visible or the
// network comes back.
func Live(ctx context.Context, path, event string, notify func(LiveState)) {
	line, err := openChannel("keypeg " + path)
	if err != nil { // the browser is old, or its pages may share nothing
		keepStream(ctx, path, event, notify)
		return
	}
	defer line.close()

	gathered := gathering{notify: notify}
	due := time.NewTimer(0)
	<-due.C
	defer due.Stop()
	p := participant{
		ctx: ctx, path: path, event: event, line: line, states: make(chan LiveState), endStream: func() {},
		election: election{post: line.post, hidden: !isSeen(), notify: func(state LiveState) {
			if wait := gathered.comes(state, time.Now()); wait > 0 {
				due.Reset(wait)
			}
		}},
	}
	defer func() { p.endStream() }()
	wake, stop := wakes()
	defer stop()
	frozen, stopFrozen := freezes()
	defer stopFrozen()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()

	p.standsInLine(false)
	p.asks(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-line.messages:
			p.receives(message, time.Now())
		case <-p.lock.won:
			p.lead()
		case <-p.lock.lost:
			p.losesLock()
		case state := <-p.states:
			p.streams(state, time.Now())
		case <-due.C:
			gathered.due(time.Now())
		case yes := <-frozen:
			p.freezes(yes)
		case <-wake:
			p.looks(isSeen(), time.Now())
		case now := <-tick.C:
			if p.ticks(now) {
				p.lock.giveUp()
				p.standsInLine(true)
			}
		}
	}
}

// participant is one tab's part in the shared stream.
type participant struct {
	election

	ctx         context.Context
	path, event string
	line        *channel
	lock        webLock
	states      chan LiveState // of the stream, while this tab has it
	endStream   context.CancelFunc
}

// standsInLine waits for the lock, or takes it from the tab that has it.
func (p *participant) standsInLine(take bool) { p.lock = waitForLock(p.ctx, p.line.name, take) }

// lead opens the stream.
func (p *participant) lead() {
	p.wins()
	var streaming context.Context
	streaming, p.endStream = context.WithCancel(p.ctx)
	go keepStream(streaming, p.path, p.event, func(state LiveState) {
		select {
		case p.states <- state:
		case <-streaming.Done():
		}
	})
}

func (p *participant) losesLock() {
	if !p.leads { // no tab can have the lock here, so this tab gets a stream of its own
		p.lock = webLock{}
		p.lead()
		return
	}
	p.endStream()
	p.loses(time.Now())
	p.standsInLine(false)
}

// freezes gives the lock up while the tab is frozen. It could hold or get the lock, and would
// send nothing to the others.
func (p *participant) freezes(yes bool) {
	switch {
	case yes:
		p.lock.giveUp()
		p.endStream()
		p.lock = webLock{}
		p.leads, p.hidden = false, true
	case !p.leads:
		p.standsInLine(false)
		p.state = "" // messages that came meanwhile are lost
		p.looks(isSeen(), time.Now())
		p.asks(time.Now())
	}
}

// freezes sends true when the browser puts the page aside and false when the page goes on,
// until stop is called. A browser freezes a page ("freeze" and "resume", W3C Page Lifecycle)
// or keeps it for the Back button ("pagehide" and "pageshow", HTML). For the Back button,
// some browsers send both pairs of events and some only the second.
func freezes() (frozen <-chan bool, stop func()) {
	changes := make(chan bool, 4)
	is := false // a pageshow that follows the loading of the page changes nothing
	report := func(yes bool) func() {
		return func() {
			if yes == is {
				return
			}
			select {
			case changes <- yes:
				is = yes
			default:
			}
		}
	}
	stops := []func(){
		listen("document", "freeze", report(true)), listen("document", "resume", report(false)),
		listen("window", "pagehide", report(true)), listen("window", "pageshow", report(false)),
	}
	return changes, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// listen calls do for each event of a global object, until stop is called.
func listen(target, event string, do func()) (stop func()) {
	handler := js.FuncOf(func(js.Value, []js.Value) any { do(); return nil })
	js.Global().Get(target).Call("addEventListener", event, handler)
	return func() {
		js.Global().Get(target).Call("removeEventListener", event, handler)
		handler.Release()
	}
}

// isSeen reports whether the page is visible.
func isSeen() bool {
	return js.Global().Get("document").Get("visibilityState").String() == "visible"
}

// keepStream keeps a stream of this page's own open, until ctx ends.
func keepStream(ctx context.Context, path, event string, notify func(LiveState)) {
	wake, stop := wakes()
	defer stop()

	for between := pauses(0); ctx.Err() == nil; {
		pause := between.after(stream(ctx, path, event, notify))
		if ctx.Err() != nil {
			return
		}
		notify(LiveLost)

		select { // an event from before the loss must not end the pause
		case <-wake:
		default:
		}
		rest(ctx, wake, pause)
	}
}

// rest waits for about the pause, or until something wakes it.
func rest(ctx context.Context, wake <-chan struct{}, pause time.Duration) {
	timer := time.NewTimer(jittered(pause))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

// returnPause is the pause between the questions whether the server is back.
const returnPause = 4 * time.Second

// Returns waits until answers reports that the server is back. It returns false if ctx ends
// before that. It asks when the network comes back and when the page becomes visible.
// Browsers don't report every network that comes back, and no server. So Returns also asks
// every few seconds while the page is visible.
func Returns(ctx context.Context, answers func(context.Context) bool) bool {
	wake, stop := wakes()
	defer stop()
	for {
		rest(ctx, wake, returnPause)
		if ctx.Err() != nil {
			return false
		}
		if isSeen() && answers(ctx) {
			return true
		}
	}
}

// wakes sends when the network comes back and when the page becomes visible or hidden, until
// stop is called.
func wakes() (wake <-chan struct{}, stop func()) {
	pokes := make(chan struct{}, 1)
	poke := func() {
		select {
		case pokes <- struct{}{}:
		default:
		}
	}
	stopOnline, stopVisible := listen("window", "online", poke), listen("document", "visibilitychange", poke)
	return pokes, func() { stopOnline(); stopVisible() }
}

// jittered returns between half of a pause and one and a half of it. It uses the browser's
// random numbers: Go's would make the program larger.
func jittered(pause time.Duration) time.Duration {
	return pause/2 + time.Duration(js.Global().Get("Math").Call("random").Float()*float64(pause))
}

// delayedAfter is how long the first event may take. After that, [LiveDelayed] is notified
// again and again at this interval, until the first event comes.
const delayedAfter = 20 * time.Second

// stream runs one EventSource until it fails, and returns how long it was connected. It
// doesn't use EventSource's own reconnection, which gives up at the first answer that isn't
// a stream. An EventSource doesn't notice that the network has gone either, so stream also
// listens for the event "offline".
func stream(ctx context.Context, path, event string, notify func(LiveState)) (lasted time.Duration) {
	states := make(chan LiveState, 16)
	forward := func(state LiveState) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case states <- state:
			default: // a receiver that is so far behind loads again anyway
			}
			return nil
		})
	}
	if mark, is := arrived("GET", path); is {
		path += "?" + shared.QuerySince + "=" + mark.Body
	}
	source := js.Global().Get("EventSource").New(path)
	for name, state := range map[string]LiveState{shared.LiveReady: LiveConnected, shared.LiveSame: LiveSame, event: LiveChanged, shared.LiveLater: liveLater, "error": LiveLost} {
		handler := forward(state)
		source.Call("addEventListener", name, handler)
		defer handler.Release()
	}
	defer source.Call("close")
	gone := forward(LiveLost)
	defer gone.Release()
	js.Global().Call("addEventListener", "offline", gone)
	defer js.Global().Call("removeEventListener", "offline", gone)

	overdue := time.NewTicker(delayedAfter)
	defer overdue.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return 0
		case <-overdue.C:
			if since.IsZero() {
				reportDelay(ctx)
				notify(LiveDelayed)
			}
		case state := <-states:
			switch {
			case state == liveLater, state == LiveLost && since.IsZero():
				return 0
			case state == LiveLost:
				return time.Since(since)
			case since.IsZero():
				since = time.Now()
			}
			notify(state)
		}
	}
}

// reportDelay reports the trouble to the server, once in the life of a page.
var reportDelay = func() func(context.Context) {
	var once sync.Once
	return func(ctx context.Context) {
		once.Do(func() {
			go exchange(ctx, "POST", shared.PathTrouble, ofJSON, []byte(`{"trouble":"`+shared.TroubleHeld+`"}`))
		})
	}
}()
