package e2e

import (
	"sync"
	"testing"

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

func TestSignInPagesAreLight(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	seen := ann.watchesTraffic()
	ann.opens("/sign-in")
	ann.sees("#use-passkey")
	data := value[map[string]string](ann, `({ ...document.querySelector("form[data-begin]").dataset })`)
	ann.waitsFor("the app to be prefetched", `performance.getEntriesByType("resource").some((e) => e.name.includes("app.") && e.responseEnd > 0)`)

	seen.mu.Lock()
	defer seen.mu.Unlock()
	requests, bytes := 0, 0.0
	for url, n := range seen.bytes {
		switch url {
		case s.url + data["app"], s.url + data["style"], s.url + "/api/v1/sign-in/passkey/begin": // what is prefetched, and what autofill asks for once the page is usable
			continue
		}
		t.Logf("%6.0f bytes %s", n, url)
		requests++
		bytes += n
	}
	if requests == 0 || requests > 4 || bytes > 12_000 {
		t.Errorf("the sign-in page takes %d requests and %.0f bytes, want at most 4 and 12000", requests, bytes)
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
	ann.types("input[name=name]", "ann")
	ann.types("input[name=password]", annsPassword)
	ann.presses(enter)
	ann.isAt("/passkeys")
}
