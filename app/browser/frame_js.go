package browser

import "syscall/js"

// Another program has a page of ours in a frame, of the same origin. The element around the frame says what it wants,
// and gets events.

// Framed returns what the element says. It says nothing to a page that isn't in a frame.
func Framed() Framing {
	frame := js.Global().Get("frameElement")
	if !frame.Truthy() {
		return Framing{}
	}
	wants := frame.Get("dataset")
	text := func(v js.Value) string { return either(v.Type() == js.TypeString, v.String(), "") }
	return Framing{Fresh: text(wants.Get("fresh")), Language: text(frame.Get("lang")), Inline: wants.Get("inline").Type() == js.TypeString}
}

// TellFrame dispatches an event at the element, with details or nil. It reaches the elements around the frame too,
// and a handler may prevent what follows.
func TellFrame(event string, detail map[string]any) {
	frame := js.Global().Get("frameElement")
	if !frame.Truthy() {
		return
	}
	_, _ = try(func() js.Value { // what fails in the program's own handlers is its own
		return frame.Call("dispatchEvent", js.Global().Get("CustomEvent").New(event, map[string]any{
			"detail": detail, "bubbles": true, "composed": true, "cancelable": true,
		}))
	})
}

// Back goes to the page before, as the browser's own button does.
func Back() { js.Global().Get("history").Call("back") }
