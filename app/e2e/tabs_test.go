package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

// streamCounter stands in front of a server and counts the streams of changes that are open.
// It speaks HTTP/1.1, of which a browser has six connections to a host.
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

// settles checks that all tabs of a browser come to have one stream, and that there was a
// connection left for them at any time. On a machine that is so busy that a leader is silent
// for longer than it may be, another tab takes over, and both have theirs for a moment.
func (c *streamCounter) settles(b *browser) {
	b.t.Helper()
	b.until("there is one stream", func() bool { return c.open.Load() == 1 })
	if most := c.most.Load(); most > 3 {
		b.t.Errorf("the tabs have had %d streams at once", most)
	}
}

// leads reports whether this tab has the stream that all share.
func (b *browser) leads() bool {
	b.t.Helper()
	return value[bool](b, `navigator.locks.request("probe", async () => {
		const held = (await navigator.locks.query()).held, mine = held.find((lock) => lock.name === "probe").clientId;
		return held.some((lock) => lock.name.startsWith("keypeg /") && lock.clientId === mine);
	})`)
}

// TestOneStream opens twelve tabs where a browser has six connections. They have one stream,
// whatever becomes of the tab that holds it.
func TestOneStream(t *testing.T) {
	t.Parallel()
	for name, front := range map[string]func(t *testing.T, upstream string) (public string){
		"plain http": func(_ *testing.T, upstream string) string { return upstream },
		"nginx without http2": func(t *testing.T, upstream string) string {
			at := proxytest.FreeAddress(t)
			proxytest.NginxTo(t, at, upstream, "proxy_set_header Host $http_host;", "proxy_http_version 1.1;", `proxy_set_header Connection "";`)
			return at
		},
	} {
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
	for range 12 {
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
	// leader takes the tab that leads out of the others.
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

	allShow("twelve tabs")
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
	go chromedp.Run(hanging.ctx, chromedp.Evaluate[bool](`(() => { for (;;); })()`))
	allShow("the leader hangs")

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
// others, and waits in line again when the page is back.
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

// isInLine reports whether this tab has the stream that all share, or waits for it.
func (b *browser) isInLine() bool {
	b.t.Helper()
	return value[bool](b, `navigator.locks.request("probe", async () => {
		const { held, pending } = await navigator.locks.query(), mine = held.find((lock) => lock.name === "probe").clientId;
		return [...held, ...pending].some((lock) => lock.name.startsWith("keypeg /") && lock.clientId === mine);
	})`)
}

// TestBack: a page that the Back button brings back shows what happened meanwhile, and what
// happens from then on.
func TestBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/sessions")
	ann.sees(".rows > li")
	value[bool](ann, `location.assign("/recovery"), true`)
	ann.sees("input[name=code]")
	phone := openBrowser(t, s)
	phone.signsInWithPassword("ann", annsPassword)
	value[bool](ann, `history.back(), true`)
	ann.sees(row(2, "button"))
	phone.signsOut()
	ann.seesNo(row(2, "button"))
}

// TestBackAfterSignOut: the Back button shows nothing of who has signed out, whether or not
// the browser has kept the page.
func TestBackAfterSignOut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/sessions")
	ann.sees(".rows > li")
	ann.signsOut()
	value[bool](ann, `history.back(), true`)
	ann.isAt("/sign-in?next=%2Fsessions")
	if traces := ann.traces("Ann Admin"); len(traces) != 0 {
		t.Errorf("left behind: %q", traces)
	}
}

// TestBackToSignIn: a sign-in page that the browser kept as it was left, with a button that
// works for somebody who is in by now, can be used again.
func TestBackToSignIn(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	ann.opens("/sign-in")
	value[bool](ann, `navigator.credentials.get = () => new Promise(() => {}), true`)
	ann.clicks("#use-passkey")
	ann.sees("#use-passkey:disabled")
	value[bool](ann, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	ann.sees("#use-passkey:enabled")
	ann.readsIn("#use-passkey", "Sign in with a passkey")
}

// TestOneStreamInCrib opens tabs of a program that has taken Keypeg in.
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

// until waits for something that this page doesn't show. Tabs behind others draw nothing, so
// that waitsFor would wait in them for ever.
func (b *browser) until(what string, so func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}
