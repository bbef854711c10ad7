package browser

import (
	"context"
	"syscall/js"
	"time"
)

// Live keeps a stream of server-sent events open until ctx ends, and tells its
// states, one at a time. A lost stream is opened again with growing pauses, or at
// once when the page is looked at or the network comes back.
func Live(ctx context.Context, path, event string, tell func(LiveState)) {
	wake, stop := wakes()
	defer stop()

	for between := pauses(0); ctx.Err() == nil; {
		pause := between.after(stream(ctx, path, event, tell))
		if ctx.Err() != nil {
			return
		}
		tell(LiveLost)

		select { // what woke us before is of no interest now
		case <-wake:
		default:
		}
		rest(ctx, wake, pause)
	}
}

// rest waits about as long as pause says, or until something wakes it.
func rest(ctx context.Context, wake <-chan struct{}, pause time.Duration) {
	timer := time.NewTimer(jittered(pause))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

// returnPause is between asking whether the server is back.
const returnPause = 4 * time.Second

// Returns waits until answers says that the server does, and reports whether it came to
// that before ctx ended. It asks when the network comes back and when the page is looked
// at. Browsers don't tell of every network, and of no server, that comes back: so it asks
// every few seconds too, while the page can be seen.
func Returns(ctx context.Context, answers func(context.Context) bool) bool {
	wake, stop := wakes()
	defer stop()
	for {
		rest(ctx, wake, returnPause)
		if ctx.Err() != nil {
			return false
		}
		if js.Global().Get("document").Get("visibilityState").String() == "visible" && answers(ctx) {
			return true
		}
	}
}

// wakes tells when the network comes back, and when the page is looked at or no longer,
// until stop is called.
func wakes() (wake <-chan struct{}, stop func()) {
	pokes := make(chan struct{}, 1)
	poke := js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case pokes <- struct{}{}:
		default:
		}
		return nil
	})
	targets := map[string]string{"window": "online", "document": "visibilitychange"}
	for target, name := range targets {
		js.Global().Get(target).Call("addEventListener", name, poke)
	}
	return pokes, func() {
		for target, name := range targets {
			js.Global().Get(target).Call("removeEventListener", name, poke)
		}
		poke.Release()
	}
}

// jittered is between half of a pause and one and a half. Go's own random numbers
// would add to the program what the browser has anyway.
func jittered(pause time.Duration) time.Duration {
	return pause/2 + time.Duration(js.Global().Get("Math").Call("random").Float()*float64(pause))
}

// stream runs one EventSource until it fails, and returns how long it was connected.
// The browser's own way of trying again is not used: it gives up at the first answer
// that isn't a stream. Nor does a stream notice by itself that the network has gone, so
// that we listen for it.
func stream(ctx context.Context, path, event string, tell func(LiveState)) (lasted time.Duration) {
	states := make(chan LiveState, 16)
	listen := func(state LiveState) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case states <- state:
			default: // whoever is so far behind asks again anyway
			}
			return nil
		})
	}
	source := js.Global().Get("EventSource").New(path)
	for name, state := range map[string]LiveState{"open": LiveConnected, event: LiveChanged, "error": LiveLost} {
		handler := listen(state)
		source.Call("addEventListener", name, handler)
		defer handler.Release()
	}
	defer source.Call("close")
	gone := listen(LiveLost)
	defer gone.Release()
	js.Global().Call("addEventListener", "offline", gone)
	defer js.Global().Call("removeEventListener", "offline", gone)

	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return 0 // nobody asks
		case state := <-states:
			switch {
			case state == LiveLost && since.IsZero():
				return 0
			case state == LiveLost:
				return time.Since(since)
			case since.IsZero():
				since = time.Now()
			}
			tell(state)
		}
	}
}
