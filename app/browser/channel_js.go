package browser

import (
	"context"
	"syscall/js"
)

// channel is a BroadcastChannel (HTML Living Standard, 9.5): what one tab posts, the
// others receive. It carries texts only.
type channel struct {
	name      string
	messages  <-chan string
	js        js.Value
	onMessage js.Func
}

// openChannel opens a channel. It fails where the browser has no BroadcastChannel or no Web
// Locks.
func openChannel(name string) (*channel, error) {
	if !js.Global().Get("navigator").Get("locks").Truthy() {
		return nil, &Exception{Name: "NotSupportedError", Message: "there are no Web Locks"}
	}
	kind := js.Global().Get("BroadcastChannel")
	if !kind.Truthy() {
		return nil, &Exception{Name: "NotSupportedError", Message: "there are no channels"}
	}
	opened, err := try(func() js.Value { return kind.New(name) })
	if err != nil {
		return nil, err
	}
	messages := make(chan string, 64)
	onMessage := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if data := args[0].Get("data"); data.Type() == js.TypeString {
			select {
			case messages <- data.String():
			default: // a tab that is so far behind asks for the state again anyway
			}
		}
		return nil
	})
	opened.Call("addEventListener", "message", onMessage)
	return &channel{name: name, messages: messages, js: opened, onMessage: onMessage}, nil
}

func (c *channel) post(message string) {
	_, _ = try(func() js.Value { return c.js.Call("postMessage", message) })
}

func (c *channel) close() {
	c.js.Call("removeEventListener", "message", c.onMessage)
	c.js.Call("close")
	c.onMessage.Release()
}

// webLock is an exclusive Web Lock (W3C, "Web Locks API") that this page waits for or holds.
type webLock struct {
	won  <-chan struct{} // receives when this page has got the lock
	lost <-chan struct{} // receives when another page has taken it, or no page can have it
	end  context.CancelFunc
}

// giveUp ends waiting, or releases the lock.
func (l webLock) giveUp() {
	if l.end != nil {
		l.end()
	}
}

// waitForLock waits in the queue for a lock. With take, it takes the lock from the page that
// holds it. The lock is released when ctx ends.
func waitForLock(ctx context.Context, name string, take bool) webLock {
	ctx, end := context.WithCancel(ctx)
	won, lost := make(chan struct{}, 1), make(chan struct{}, 1)

	controller := js.Global().Get("AbortController").New()
	options := map[string]any{"signal": controller.Get("signal")}
	if take {
		options = map[string]any{"steal": true} // it takes no signal
	}
	// The lock is held until the promise that granted returns is settled.
	var resolve js.Value
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any { resolve = args[0]; return nil })
	granted := js.FuncOf(func(js.Value, []js.Value) any {
		won <- struct{}{}
		return js.Global().Get("Promise").New(executor)
	})
	promise, err := try(func() js.Value {
		return js.Global().Get("navigator").Get("locks").Call("request", name, options, granted)
	})
	if err != nil {
		lost <- struct{}{}
		return webLock{won, lost, end}
	}
	go func() {
		stop := context.AfterFunc(ctx, func() {
			if resolve.Truthy() {
				resolve.Invoke()
			} else {
				controller.Call("abort")
			}
		})
		defer stop()
		// The promise is rejected when another page takes the lock, or when waiting is given up.
		_, err := await(context.WithoutCancel(ctx), promise)
		if err != nil && ctx.Err() == nil {
			lost <- struct{}{}
		}
		end()
		granted.Release()
		executor.Release()
	}()
	return webLock{won, lost, end}
}
