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

// openChannel fails where the browser has no such thing, or no Web Locks.
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
			default: // whoever is so far behind asks again anyway
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

// webLock is an exclusive Web Lock that this page waits for, or holds until the ctx it was
// asked for with ends.
type webLock struct {
	won  <-chan struct{} // when this page has it
	lost <-chan struct{} // when another page took it away, or it can't be had
	end  context.CancelFunc
}

// giveUp ends waiting, or lets the lock go.
func (l webLock) giveUp() {
	if l.end != nil {
		l.end()
	}
}

// waitForLock waits in line for a lock, or takes it away from whoever holds it.
func waitForLock(ctx context.Context, name string, take bool) webLock {
	ctx, end := context.WithCancel(ctx)
	won, lost := make(chan struct{}, 1), make(chan struct{}, 1)

	controller := js.Global().Get("AbortController").New()
	options := map[string]any{"signal": controller.Get("signal")}
	if take {
		options = map[string]any{"steal": true} // which knows no signal
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
		// It is rejected when the lock is taken away, or waiting was given up.
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
