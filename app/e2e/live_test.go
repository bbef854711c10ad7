package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/shared"
)

// streamCounter is a proxy in front of a server, which counts the open streams of changes. It
// speaks HTTP/1.1, for which a browser has six connections to a host.
type streamCounter struct {
	*httptest.Server
	open, most atomic.Int64
	as         string // the host that the server behind takes itself for; "" leaves it
}

func countStreams(t *testing.T, server string) *streamCounter {
	t.Helper()
	to, err := url.Parse("http://" + server)
	if err != nil {
		t.Fatal(err)
	}
	counter := &streamCounter{}
	forward := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		if counter.as != "" {
			r.Out.Host = counter.as
			r.Out.Header.Set("Origin", "http://"+counter.as)
		}
	}}
	counter.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == shared.PathLive {
			now := counter.open.Add(1)
			defer counter.open.Add(-1)
			if now > counter.most.Load() {
				counter.most.Store(now)
			}
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(counter.Close)
	return counter
}

// connections is how many a browser has to a host over HTTP/1.1.
const connections = 6

// settles waits until all tabs of a browser have one stream, and checks that there never were
// so many that no connection was left. On a busy machine a leader may take too long to
// answer. Then another tab takes over, and for a moment both have a stream.
func (c *streamCounter) settles(b *browser) {
	b.t.Helper()
	b.until("there is one stream", func() bool { return c.open.Load() == 1 })
	if most := c.most.Load(); most >= connections {
		b.t.Errorf("the tabs have had %d streams at once, and so all of the browser's connections", most)
	}
}

// leads reports whether this tab has the shared stream.
func (b *browser) leads() bool {
	b.t.Helper()
	return value[bool](b, `navigator.locks.request("probe", async () => {
		const held = (await navigator.locks.query()).held, mine = held.find((lock) => lock.name === "probe").clientId;
		return held.some((lock) => lock.name.startsWith("keypeg /") && lock.clientId === mine);
	})`)
}

// TestOneStream opens more tabs than the browser has connections. They share one stream, also when
// the tab that has it is closed, frozen, crashes or hangs. An nginx in front has to pass on each end of
// a stream. Without one there is less that could go wrong, so that round is for make soak
// ([TestOneStreamInCrib] has none in front).
func TestOneStream(t *testing.T) {
	t.Parallel()
	fronts := map[string]func(t *testing.T, upstream string) (public string){
		"nginx without http2": func(t *testing.T, upstream string) string {
			at := proxytest.FreeAddress(t)
			proxytest.NginxTo(t, at, upstream, "proxy_set_header Host $http_host;", "proxy_http_version 1.1;", `proxy_set_header Connection "";`)
			return at
		},
	}
	if os.Getenv("KEYPEG_SOAK") != "" {
		fronts["plain http"] = func(_ *testing.T, upstream string) string { return upstream }
	}
	for name, front := range fronts {
		t.Run(name, func(t *testing.T) { testOneStream(t, front) })
	}
}

func testOneStream(t *testing.T, front func(t *testing.T, upstream string) string) {
	listens := proxytest.FreeAddress(t)
	counter := countStreams(t, listens)
	public := front(t, "localhost:"+strings.TrimPrefix(counter.URL, "http://127.0.0.1:"))
	s := startServer(t, "--listen", listens, "--public-url", "http://"+public)

	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Name 0")
	id := value[string](ann, `fetch("`+shared.PathPasskeys+`").then((r) => r.json()).then((list) => list.passkeys[0].id)`)
	ann.do("leave", chromedp.Navigate("about:blank"))
	ann.until("the stream of the page that was left has ended", func() bool { return counter.open.Load() == 0 })
	counter.most.Store(0)

	var tabs []*browser
	for range connections + 2 { // one is closed, and they are still more
		tab := ann.opensTab()
		tab.opens("/passkeys")
		tabs = append(tabs, tab)
	}
	for _, tab := range tabs {
		tab.readsIn(row(1, "bdi"), "Name 0")
	}
	names := 0
	allShow := func(what string) {
		t.Helper()
		names++
		name := fmt.Sprint("Name ", names)
		status := value[int](tabs[len(tabs)-1], fmt.Sprintf(`fetch(%q, { method: "PATCH", headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ name: %q }) }).then((r) => r.status)`, shared.PathPasskey+id, name))
		if status != 200 {
			t.Fatalf("%s: renaming: %d", what, status)
		}
		for i, tab := range tabs {
			ann.until(fmt.Sprintf("%s: tab %d shows %s", what, i, name), func() bool {
				return value[string](tab, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, row(1, "bdi"))) == name
			})
		}
	}
	// leader takes the leading tab out of the list of the others.
	leader := func() (leads *browser) {
		t.Helper()
		ann.until("one tab leads", func() bool {
			i := slices.IndexFunc(tabs, (*browser).leads)
			if i < 0 {
				return false
			}
			leads = tabs[i]
			return true
		})
		tabs = slices.DeleteFunc(tabs, func(tab *browser) bool { return tab == leads })
		return leads
	}

	allShow("all tabs")
	counter.settles(ann)

	closing := leader()
	if err := chromedp.Cancel(closing.ctx); err != nil {
		t.Fatal(err)
	}
	allShow("the leader was closed")

	frozen := leader()
	if _, err := chromedp.Call(frozen.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen}); err != nil {
		t.Fatal(err)
	}
	allShow("the leader was frozen")

	crashing := leader()
	go chromedp.Call(crashing.ctx, page.Crash, cdp.Empty{}) // which has no answer
	allShow("the leader crashed")

	ann.until("there is one stream, beside that of the frozen tab", func() bool { return counter.open.Load() <= 2 })
	if _, err := chromedp.Call(frozen.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive}); err != nil {
		t.Fatal(err)
	}
	ann.until("there is one stream", func() bool { return counter.open.Load() == 1 })
	tabs = append(tabs, frozen)
	allShow("the frozen one is back")

	hanging := leader()
	goesOn := make(chan bool, 1)
	go func() { // its scripts wait for ever
		chromedp.Run(hanging.ctx, chromedp.Evaluate[bool](`(alert("nobody answers"), true)`))
		goesOn <- true
	}()
	allShow("the leader hangs")
	if len(goesOn) > 0 {
		t.Error("the leader didn't hang")
	}

	if status := value[int](tabs[0], `fetch("`+shared.PathSignOut+`", { method: "POST" }).then((r) => r.status)`); status != 204 {
		t.Fatalf("signing out: %d", status)
	}
	for _, tab := range tabs {
		ann.until("all have left", func() bool {
			at, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string](`location.pathname`))
			return err == nil && at == shared.PageSignIn // it fails while the page is on its way
		})
	}
	ann.until("there is no stream", func() bool { return counter.open.Load() == 0 })
}

// TestPutAside: a tab whose page the browser keeps for its Back button leaves the stream to
// other tabs. It waits in the queue again when the page comes back.
func TestPutAside(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	first := openBrowser(t, s)
	first.setsUp()
	first.opens("/sessions")
	first.until("the first tab is in line", first.isInLine)
	second := first.opensTab()
	second.opens("/sessions")
	second.until("the second is in line", second.isInLine)

	comes := func(tab *browser, event string) {
		t.Helper()
		value[bool](tab, fmt.Sprintf(`dispatchEvent(new PageTransitionEvent(%q, { persisted: true }))`, event))
	}
	comes(first, "pagehide")
	first.until("the first has left", func() bool { return !first.isInLine() })
	first.until("the second leads", second.leads)
	comes(first, "pageshow")
	first.until("the first is in line again", first.isInLine)
	comes(second, "pagehide")
	first.until("the first leads", first.leads)
}

// isInLine reports whether this tab has the shared stream or waits for it.
func (b *browser) isInLine() bool {
	b.t.Helper()
	return value[bool](b, `navigator.locks.request("probe", async () => {
		const { held, pending } = await navigator.locks.query(), mine = held.find((lock) => lock.name === "probe").clientId;
		return [...held, ...pending].some((lock) => lock.name.startsWith("keypeg /") && lock.clientId === mine);
	})`)
}

// TestOneStreamInCrib opens tabs of a host program.
func TestOneStreamInCrib(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	counter := countStreams(t, c.listens)
	counter.as = c.listens
	c.url = "http://localhost:" + strings.TrimPrefix(counter.URL, "http://127.0.0.1:")
	ann := openBrowser(t, c.server)
	ann.hasDevice()
	ann.entersCrib(c, "ann")
	for range 7 {
		tab := ann.opensTab()
		tab.opens("/")
		tab.readsIn("#user-menu-button", "ann")
	}
	counter.settles(ann)
}

// until waits until so returns true. It is for tabs behind others: they draw nothing, so
// waitsFor could wait in them for ever.
func (b *browser) until(what string, so func() bool) {
	b.t.Helper()
	for begin := time.Now(); !so(); restsFrom(begin) {
		if time.Since(begin) > patience {
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// arrives waits until something comes from a channel. A bare receive would keep all tests from ending.
func arrives[T any](b *browser, what string, from <-chan T) T {
	b.t.Helper()
	var it T
	select {
	case it = <-from:
	case <-time.After(patience):
		b.t.Fatalf("waited in vain for %s", what)
	}
	return it
}

func TestLive(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	desktop, phone := openBrowser(t, s), openBrowser(t, s)
	desktop.setsUp()
	desktop.opensPasskeys()
	phone.hasDevice()
	phone.signsInWithPassword("ann", annsPassword)
	phone.opensPasskeys()

	t.Run("a passkey added on the phone appears on the desktop, and goes again", func(t *testing.T) {
		phone.addsPasskey("Phone")
		desktop.readsIn(row(1, "bdi"), "Phone")
		phone.clicks(row(1, "[id^=rename-]"))
		phone.types("input[id^=name-]", "Pocket")
		phone.presses(enter)
		desktop.readsIn(row(1, "bdi"), "Pocket")
		phone.clicks(row(1, "[id^=remove-]"))
		phone.clicks("#remove-ok")
		desktop.reads("No passkeys yet")
	})
	t.Run("text that is being typed stays", func(t *testing.T) {
		desktop.clicks("#passkey-add")
		desktop.types("#passkey-name", "half a na")
		phone.addsPasskey("Phone")
		desktop.readsIn(row(1, "bdi"), "Phone")
		desktop.waitsFor("the half name", `document.querySelector("#passkey-name").value === "half a na"`)
		desktop.hasFocusOn("#passkey-name")
	})
	t.Run("a server that is restarted is found again", func(t *testing.T) {
		s.stops()
		desktop.sees("#offline-bar")
		s.starts()
		desktop.seesNo("#offline-bar")
		phone.seesNo("#offline-bar")
		phone.clicks(row(1, "[id^=remove-]"))
		phone.clicks("#remove-ok")
		desktop.reads("No passkeys yet")
	})
	t.Run("an ended session leaves its page at once", func(t *testing.T) {
		phone.opens("/sessions")
		phone.clicks(row(2, "button"))
		desktop.isAt("/sign-in?next=%2Fpasskeys")
	})
}
