package browser

import (
	"context"
	"syscall/js"
)

// await waits for a promise. If ctx ends first, the result of the promise is ignored.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)

	var resolved, rejected js.Func
	release := func() { resolved.Release(); rejected.Release() }
	resolved = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		settled <- outcome{value: first(args)}
		return nil
	})
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		settled <- outcome{err: exception(first(args))}
		return nil
	})
	promise.Call("then", resolved, rejected)

	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// exception converts a thrown value, which need not be a DOMException.
func exception(thrown js.Value) *Exception {
	e := &Exception{Name: "UnknownError"}
	if thrown.Type() == js.TypeObject {
		if name := thrown.Get("name"); name.Type() == js.TypeString {
			e.Name = name.String()
		}
		if message := thrown.Get("message"); message.Type() == js.TypeString {
			e.Message = message.String()
		}
		e.chosen = thrown.Get("chosen").Equal(js.ValueOf(true))
	}
	return e
}

// try runs a function that may throw, and returns what was thrown as an error.
func try(run func() js.Value) (value js.Value, err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case js.Error:
			err = exception(thrown.Value)
		default:
			panic(thrown)
		}
	}()
	return run(), nil
}
