package browser

import (
	"syscall/js"
	"time"
)

// Host returns the page's host name.
func Host() string { return js.Global().Get("location").Get("hostname").String() }

// Leave loads another page of the server, leaving the app.
func Leave(path string) { js.Global().Get("location").Call("assign", path) }

// Reload loads this page again.
func Reload() { js.Global().Get("location").Call("reload") }

// Date writes a day in the reader's language and time zone, and the exact time
// for a tooltip.
func Date(t time.Time) (day, exact string) {
	date := js.Global().Get("Date").New(t.UnixMilli())
	return format(date, map[string]any{"dateStyle": "medium"}),
		format(date, map[string]any{"dateStyle": "full", "timeStyle": "long"})
}

// Moment writes a day and a time of day, and the exact time for a tooltip.
func Moment(t time.Time) (moment, exact string) {
	_, exact = Date(t)
	date := js.Global().Get("Date").New(t.UnixMilli())
	return format(date, map[string]any{"dateStyle": "medium", "timeStyle": "short"}), exact
}

func format(date js.Value, options map[string]any) string {
	return js.Global().Get("Intl").Get("DateTimeFormat").New(js.Undefined(), options).Call("format", date).String()
}

// Remember keeps a small text in this browser under a key, beyond the session.
// A browser that keeps nothing (private windows, full disks) is not an error.
func Remember(key, value string) {
	_, _ = try(func() js.Value { return js.Global().Get("localStorage").Call("setItem", key, value) })
}

// Forget removes what [Remember] kept.
func Forget(key string) {
	_, _ = try(func() js.Value { return js.Global().Get("localStorage").Call("removeItem", key) })
}

// Take returns what another page of this tab left under a key, once, or "".
func Take(key string) string {
	value, err := try(func() js.Value {
		notes := js.Global().Get("sessionStorage")
		value := notes.Call("getItem", key)
		notes.Call("removeItem", key)
		return value
	})
	if err != nil || value.Type() != js.TypeString {
		return ""
	}
	return value.String()
}

// Recall returns what [Remember] kept, or "".
func Recall(key string) string {
	value, err := try(func() js.Value { return js.Global().Get("localStorage").Call("getItem", key) })
	if err != nil || value.Type() != js.TypeString {
		return ""
	}
	return value.String()
}
