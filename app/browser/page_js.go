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

// Path returns the path of the page's address.
func Path() string { return js.Global().Get("location").Get("pathname").String() }

// InstallsByHand reports whether only the browser's own menu can install the app. In Apple's
// browsers a page can't ask for it.
func InstallsByHand() bool {
	navigator := js.Global().Get("navigator")
	standalone := js.Global().Call("matchMedia", "(display-mode: standalone)").Get("matches").Bool()
	return !standalone && strings.HasPrefix(navigator.Get("vendor").String(), "Apple")
}

// IsPhone reports whether the browser runs on a phone. A phone that asks for desktop pages has
// the user agent of a desktop, so a small touch screen counts as a phone too.
func IsPhone() bool {
	if IsPhoneNamed(js.Global().Get("navigator").Get("userAgent").String()) {
		return true
	}
	return js.Global().Call("matchMedia", "(pointer: coarse) and (hover: none) and (max-device-width: 30rem), (pointer: coarse) and (hover: none) and (max-device-height: 30rem)").Get("matches").Bool()
}

// Leave leaves the app for another page. The Back button may bring this page back as it was,
// with the names of a user who has signed out since, or with a button that waits for ever.
// So the page is loaded again then.
func Leave(path string) {
	js.Global().Call("addEventListener", "pageshow", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if args[0].Get("persisted").Bool() {
			Reload()
		}
		return nil
	}))
	js.Global().Get("location").Call("assign", path)
}

// Download saves a text as a file. The address that it needs for that is removed later.
func Download(name, text string) {
	blob := js.Global().Get("Blob").New([]any{text}, map[string]any{"type": "text/plain;charset=utf-8"})
	url := js.Global().Get("URL").Call("createObjectURL", blob)
	link := js.Global().Get("document").Call("createElement", "a")
	link.Set("href", url)
	link.Set("download", name)
	link.Call("click")
	// Some browsers read the address a moment later.
	time.AfterFunc(time.Minute, func() { js.Global().Get("URL").Call("revokeObjectURL", url) })
}

// Copy puts a text into the clipboard, and reports whether the browser allowed it.
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

// Languages returns the languages that the reader wants, best first: the one that they chose
// here, then those that the browser asks for.
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

// SpeakLanguage sets the language of the page for the browser and for screen readers.
func SpeakLanguage(tag string) {
	js.Global().Get("document").Get("documentElement").Set("lang", tag)
}

// ChooseLanguage keeps the reader's choice for a year, in a cookie that the server reads too.
func ChooseLanguage(tag string) {
	cookie := shared.CookieLanguage + "=" + tag + "; Path=/; Max-Age=31536000; SameSite=Lax"
	if js.Global().Get("location").Get("protocol").String() == "https:" {
		cookie += "; Secure"
	}
	js.Global().Get("document").Set("cookie", cookie)
}

// In formats by the browser's Intl, in a language and the reader's time zone.
type In string

// Regional returns the browser's regional form of a language, such as "en-GB" for "en", or
// the language itself if the browser has none.
func Regional(lang string) In {
	wanted := js.Global().Get("navigator").Get("languages")
	for i := range wanted.Length() {
		tag := wanted.Index(i).String()
		if primary, _, _ := strings.Cut(tag, "-"); !strings.EqualFold(primary, lang) {
			continue
		}
		// Some browsers have tags that Intl throws at, such as "en-US@posix" on some systems.
		if _, err := try(func() js.Value { return js.Global().Get("Intl").Call("getCanonicalLocales", tag) }); err == nil {
			return In(tag)
		}
	}
	return In(lang)
}

// Date writes a day, and the exact time for a tooltip. The year is left out if it is this one.
func (l In) Date(t time.Time) (day, exact string) {
	if t.Local().Year() == time.Now().Year() {
		return l.time(t, map[string]any{"month": "short", "day": "numeric"}), l.exact(t)
	}
	return l.time(t, map[string]any{"dateStyle": "medium"}), l.exact(t)
}

// Moment writes a day, as Date does, and a time of day, and the exact time for a tooltip.
func (l In) Moment(t time.Time) (moment, exact string) {
	if t.Local().Year() == time.Now().Year() {
		return l.time(t, map[string]any{"month": "short", "day": "numeric", "hour": "numeric", "minute": "2-digit"}), l.exact(t)
	}
	return l.time(t, map[string]any{"dateStyle": "medium", "timeStyle": "short"}), l.exact(t)
}

// Time writes a time of day.
func (l In) Time(t time.Time) string { return l.time(t, map[string]any{"timeStyle": "short"}) }

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

// Remember keeps a short text under a key in this browser's localStorage. A browser that
// keeps nothing (in a private window, on a full disk) is no error.
func Remember(key, value string) {
	_, _ = try(func() js.Value { return js.Global().Get("localStorage").Call("setItem", key, value) })
}

// Watch calls changed whenever another page of this browser changes the text under a key,
// until ctx ends.
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

// Forget removes the text that [Remember] keeps under a key.
func Forget(key string) {
	_, _ = try(func() js.Value { return js.Global().Get("localStorage").Call("removeItem", key) })
}

// Take returns the text that another page of this tab left under a key in sessionStorage,
// and removes it. It returns "" if there is none.
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

// Recall returns the text that [Remember] keeps under a key, or "".
func Recall(key string) string {
	value, err := try(func() js.Value { return js.Global().Get("localStorage").Call("getItem", key) })
	if err != nil || value.Type() != js.TypeString {
		return ""
	}
	return value.String()
}
