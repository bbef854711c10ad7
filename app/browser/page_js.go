package browser

import (
	"context"
	"strings"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// Host returns the page's host name.
func Host() string { return js.Global().Get("location").Get("hostname").String() }

// Path is the path of the page.
func Path() string { return js.Global().Get("location").Get("pathname").String() }

// InstallsByHand tells whether the reader can install the app by the browser's own
// menu only: Apple's browsers can't be asked to.
func InstallsByHand() bool {
	navigator := js.Global().Get("navigator")
	standalone := js.Global().Call("matchMedia", "(display-mode: standalone)").Get("matches").Bool()
	return !standalone && strings.HasPrefix(navigator.Get("vendor").String(), "Apple")
}

// IsPhone reports whether the browser runs on a phone. Its name says so ("Mobi", which an
// iPad may say too), or it is something small that is touched: a phone that shows the
// desktop's pages has the desktop's name.
func IsPhone() bool {
	name := js.Global().Get("navigator").Get("userAgent").String()
	if strings.Contains(name, "Mobi") && !strings.Contains(name, "iPad") {
		return true
	}
	return js.Global().Call("matchMedia", "(pointer: coarse) and (hover: none) and (max-device-width: 30rem), (pointer: coarse) and (hover: none) and (max-device-height: 30rem)").Get("matches").Bool()
}

// Leave loads another page of the server, leaving the app. The Back button may bring this page
// back as it was, with the names of a user who has signed out since, or a button that waits
// for ever. So it is loaded anew then.
func Leave(path string) {
	js.Global().Call("addEventListener", "pageshow", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if args[0].Get("persisted").Bool() {
			Reload()
		}
		return nil
	}))
	js.Global().Get("location").Call("assign", path)
}

// Download saves a text as a file. It leaves no address behind.
func Download(name, text string) {
	blob := js.Global().Get("Blob").New([]any{text}, map[string]any{"type": "text/plain;charset=utf-8"})
	url := js.Global().Get("URL").Call("createObjectURL", blob)
	link := js.Global().Get("document").Call("createElement", "a")
	link.Set("href", url)
	link.Set("download", name)
	link.Call("click")
	// Some browsers read it a moment later.
	time.AfterFunc(time.Minute, func() { js.Global().Get("URL").Call("revokeObjectURL", url) })
}

// Copy puts a text into the clipboard, and tells whether the browser did.
func Copy(ctx context.Context, text string) bool {
	promise, err := try(func() js.Value { return js.Global().Get("navigator").Get("clipboard").Call("writeText", text) })
	if err != nil {
		return false
	}
	_, err = await(ctx, promise)
	return err == nil
}

// Print asks the browser to print the page.
func Print() { js.Global().Call("print") }

// Reload loads this page again.
func Reload() { js.Global().Get("location").Call("reload") }

// Languages are what the reader wants, best first: what they chose here, then
// what the browser asks for.
func Languages() []string {
	var tags []string
	for _, cookie := range strings.Split(js.Global().Get("document").Get("cookie").String(), ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(cookie), "="); name == shared.CookieLanguage {
			tags = append(tags, value)
		}
	}
	wanted := js.Global().Get("navigator").Get("languages")
	for i := range wanted.Length() {
		tags = append(tags, wanted.Index(i).String())
	}
	return tags
}

// SpeakLanguage tells the browser, and those who read the page aloud, which
// language it is in.
func SpeakLanguage(tag string) {
	js.Global().Get("document").Get("documentElement").Set("lang", tag)
}

// ChooseLanguage keeps the reader's choice for a year, for the server too.
func ChooseLanguage(tag string) {
	cookie := shared.CookieLanguage + "=" + tag + "; Path=/; Max-Age=31536000; SameSite=Lax"
	if js.Global().Get("location").Get("protocol").String() == "https:" {
		cookie += "; Secure"
	}
	js.Global().Get("document").Set("cookie", cookie)
}

// In formats by the browser's Intl, in a language and the reader's time zone.
type In string

// Regional returns a language as it is written where the reader lives, such as "en-GB" for
// "en", if the browser says so.
func Regional(lang string) In {
	wanted := js.Global().Get("navigator").Get("languages")
	for i := range wanted.Length() {
		tag := wanted.Index(i).String()
		if primary, _, _ := strings.Cut(tag, "-"); !strings.EqualFold(primary, lang) {
			continue
		}
		// Intl throws at what some browsers say on some systems, such as "en-US@posix".
		if _, err := try(func() js.Value { return js.Global().Get("Intl").Call("getCanonicalLocales", tag) }); err == nil {
			return In(tag)
		}
	}
	return In(lang)
}

// Date writes a day, and the exact time for a tooltip.
func (l In) Date(t time.Time) (day, exact string) {
	return l.time(t, map[string]any{"dateStyle": "medium"}), l.exact(t)
}

// Moment writes a day and a time of day, and the exact time for a tooltip.
func (l In) Moment(t time.Time) (moment, exact string) {
	return l.time(t, map[string]any{"dateStyle": "medium", "timeStyle": "short"}), l.exact(t)
}

func (l In) exact(t time.Time) string {
	return l.time(t, map[string]any{"dateStyle": "full", "timeStyle": "long"})
}

// Number writes a number.
func (l In) Number(n int) string { return l.format("NumberFormat", nil, "format", n) }

func (l In) time(t time.Time, options map[string]any) string {
	return l.format("DateTimeFormat", options, "format", js.Global().Get("Date").New(t.UnixMilli()))
}

func (l In) format(kind string, options map[string]any, method string, what any) string {
	return js.Global().Get("Intl").Get(kind).New(string(l), options).Call(method, what).String()
}

// Remember keeps a small text in this browser under a key, beyond the session.
// A browser that keeps nothing (private windows, full disks) is not an error.
func Remember(key, value string) {
	_, _ = try(func() js.Value { return js.Global().Get("localStorage").Call("setItem", key, value) })
}

// Watch calls changed whenever another page of this browser changes what is kept under a
// key, until ctx ends.
func Watch(ctx context.Context, key string, changed func()) {
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if args[0].Get("key").Equal(js.ValueOf(key)) {
			changed()
		}
		return nil
	})
	js.Global().Call("addEventListener", "storage", handler)
	<-ctx.Done()
	js.Global().Call("removeEventListener", "storage", handler)
	handler.Release()
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
