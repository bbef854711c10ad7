package e2e

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// traffic counts what a page loads.
type traffic struct {
	mu    sync.Mutex
	urls  map[network.RequestID]string
	bytes map[string]float64
}

func (b *browser) watchesTraffic() *traffic {
	b.t.Helper()
	seen := &traffic{urls: map[network.RequestID]string{}, bytes: map[string]float64{}}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			seen.urls[event.RequestID] = event.Request.URL
		case *network.EventLoadingFinished:
			seen.bytes[seen.urls[event.RequestID]] += event.EncodedDataLength
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return seen
}

// TestSignInPagesAreLight measures the page of somebody unknown, and the page that greets somebody
// whose session has ended.
func TestSignInPagesAreLight(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--contact", "IT desk, phone 1234")
	openBrowser(t, s).loadsLittle("/sign-in", "Sign in")

	ann := openBrowser(t, s)
	ann.setsUp()
	s.endsElsewhere(t)
	ann.isAt("/sign-in")
	value[bool](ann, `navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((worker) => worker.unregister()))).then(() => true)`) // what it loads isn't seen
	ann.opens("about:blank")
	if _, err := chromedp.Call(ann.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	ann.loadsLittle("/activity", "Welcome back, Ann Admin") // and says why
}

// loadsLittle opens an address that leads to the sign-in page, of which the browser has nothing yet, and
// checks what that loads.
func (b *browser) loadsLittle(path, heading string) {
	b.t.Helper()
	seen := b.watchesTraffic()
	b.opens(path)
	b.sees("#use-passkey")
	b.readsIn("h1", heading)
	data := value[map[string]string](b, `({ ...document.querySelector("form[data-begin]").dataset })`)
	b.waitsFor("the app to be prefetched", `performance.getEntriesByType("resource").some((e) => e.name.includes("app.") && e.responseEnd > 0)`)

	seen.mu.Lock()
	defer seen.mu.Unlock()
	requests, bytes := 0, 0.0
	for url, n := range seen.bytes {
		path := strings.TrimPrefix(url, b.server.url)
		if slices.Contains(strings.Fields(data["ahead"]), path) || path == "/api/v1/sign-in/passkey/begin" || // what is prefetched, and what autofill asks for once the page is usable
			path == "/app-worker.js" { // of the app that was open before
			continue
		}
		b.t.Logf("%6.0f bytes %s", n, url)
		requests++
		bytes += n
	}
	if requests == 0 || requests > 4 || bytes > 12_000 {
		b.t.Errorf("the sign-in page with %q takes %d requests and %.0f bytes, want at most 4 and 12000", heading, requests, bytes)
	}
}

func TestSignInPagesNeedNoScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.signsOut()
	if _, err := chromedp.Call(ann.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	ann.opens("/sign-in?next=/passkeys")
	ann.fillsInPassword("ann", annsPassword)
	ann.isAt("/passkeys")
}
