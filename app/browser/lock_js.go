package browser

import (
	"context"
	"syscall/js"
)

// Together runs work while it holds a lock of this origin that any number of
// pages may hold together (Web Locks API, mode "shared"). It waits for whoever
// has it alone.
func Together(ctx context.Context, name string, work func()) {
	if !hold(ctx, name, map[string]any{"mode": "shared"}, work) {
		work() // ctx ended, or the browser has no locks: work finds out what that means
	}
}

// AloneNow runs work while no other page holds the lock, and not at all where
// one does.
func AloneNow(ctx context.Context, name string, work func()) {
	hold(ctx, name, map[string]any{"ifAvailable": true}, work)
}

// hold returns whether the lock was had and work has run.
func hold(ctx context.Context, name string, options map[string]any, work func()) bool {
	locks := js.Global().Get("navigator").Get("locks")
	if !locks.Truthy() {
		return false
	}
	held, done := make(chan bool, 1), make(chan struct{})
	defer close(done)

	// The lock is held until the promise that granted returns is settled.
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		resolve := args[0]
		go func() { <-done; resolve.Invoke() }()
		return nil
	})
	defer executor.Release()
	granted := js.FuncOf(func(_ js.Value, args []js.Value) any {
		held <- !args[0].IsNull()
		return js.Global().Get("Promise").New(executor)
	})
	defer granted.Release()

	if _, err := try(func() js.Value { return locks.Call("request", name, options, granted) }); err != nil {
		return false
	}
	select {
	case yes := <-held:
		if yes {
			work()
		}
		return yes
	case <-ctx.Done():
		return false
	}
}
