package e2e

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// watch runs in every page before the scripts of the page. It records when the elements that
// people wait for can be used, and how much the layout has shifted.
const watch = `
globalThis.seen = { shift: 0 };
new PerformanceObserver((list) => {
	for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
const look = () => {
	const usable = (s) => [...document.querySelectorAll(s)].some((e) => !e.disabled && e.getClientRects().length > 0);
	for (const [name, selector] of Object.entries({ password: "input[name=password]", passkey: ":not(.waiting) > #use-passkey", read: "#manage", panelRead: "#passkey-add", home: "#manage:not(#drawn *)", panel: "#passkey-add:not(#drawn *)" }))
		if (!(name in seen) && usable(selector)) seen[name] = performance.now();
	requestAnimationFrame(look);
};
look();`

func (b *browser) isWatched() {
	b.t.Helper()
	b.runsFirst(watch)
}

// TestNothingJumps: a page that the server has drawn keeps its layout when the app takes over.
func TestNothingJumps(t *testing.T) {
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.isWatched()
	ann.opens(s.setup)
	ann.sees("input[name=name]")
	ann.setsUp()
	for _, visit := range []struct{ path, until string }{
		{"/", "#manage"}, {"/passkeys", "#passkey-add"}, {"/sessions", ".rows > li"}, {"/activity", ".rows > li"},
	} {
		for _, width := range []int64{1280, 390} {
			ann.isSize(width, 800)
			ann.opens(visit.path)
			ann.sees(visit.until)
			value[bool](ann, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
			if shift := value[float64](ann, "seen.shift"); shift > 0 {
				t.Errorf("%s at %d: a cumulative layout shift of %f, want 0", visit.path, width, shift)
			}
		}
	}
	ann.signsOut()
	ann.sees("#use-passkey")
	if shift := value[float64](ann, "seen.shift"); shift > 0 {
		t.Errorf("the sign-in page: a cumulative layout shift of %f, want 0", shift)
	}
}

// TestBenchWeb prints how long people wait; make bench-web runs it. It checks nothing, since
// machines differ. The manual has the figures of one machine.
func TestBenchWeb(t *testing.T) {
	if os.Getenv("KEYPEG_BENCH_WEB") == "" {
		t.Skip("figures are made by make bench-web")
	}
	const rounds = 5
	s := startServer(t)
	openBrowser(t, s).setsUp()

	fmt.Printf("%-44s %8s %9s %9s %9s %9s %9s %9s\n", "median of 5, in ms", "paint", "password", "passkey", "read", "used", "bytes", "requests")
	for _, line := range []struct {
		name string
		slow bool
	}{{"as it is", false}, {"1.6 Mbit/s, 150 ms, CPU 4x", true}} {
		figures := map[string][]float64{}
		for range rounds {
			b := openBrowser(t, s)
			b.isWatched()
			if line.slow {
				b.isSlow()
			}
			for _, state := range []string{"cold", "warm"} {
				used := b.counts()
				b.opens("/sign-in")
				b.sees("#use-passkey")
				bytes, requests := used()
				note := func(what string, v float64) { figures[state+what] = append(figures[state+what], v) }
				note("paint", value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0`))
				note("password", value[float64](b, `seen.password`))
				note("passkey", value[float64](b, `seen.passkey`))
				note("bytes", bytes)
				note("requests", requests)

				b.types("input[name=name]", "ann")
				b.types("input[name=password]", annsPassword)
				used = b.counts()
				b.presses(enter)
				b.waitsForLong("the start page", `seen.home > 0`)
				note("read", value[float64](b, `seen.read`))
				note("home", value[float64](b, `seen.home`))
				bytes, requests = used()
				note("app bytes", bytes)
				note("app requests", requests)
				b.opens("/passkeys")
				b.waitsForLong("the panel", `seen.panel > 0`)
				note("panel read", value[float64](b, `seen.panelRead`))
				note("panel", value[float64](b, `seen.panel`))
				b.clicks("#passkeys-close")
				b.signsOut()
			}
		}
		for _, state := range []string{"cold", "warm"} {
			m := func(what string) float64 { return median(figures[state+what]) }
			fmt.Printf("%-44s %8.0f %9.0f %9.0f %9s %9s %9.0f %9.0f\n", "sign-in, "+state+", "+line.name, m("paint"), m("password"), m("passkey"), "", "", m("bytes"), m("requests"))
			fmt.Printf("%-44s %8s %9s %9s %9.0f %9.0f %9.0f %9.0f\n", "first page behind it, "+state, "", "", "", m("read"), m("home"), m("app bytes"), m("app requests"))
			fmt.Printf("%-44s %8s %9s %9s %9.0f %9.0f\n", "the panel by its address, "+state, "", "", "", m("panel read"), m("panel"))
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// waitsForLong is waitsFor with more time, for slow connections.
func (b *browser) waitsForLong(what, expression string) {
	b.t.Helper()
	for i := 0; ; i++ {
		if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience))); err == nil {
			return
		} else if i > 3 {
			b.t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}

// isSlow emulates a phone with a slow connection.
func (b *browser) isSlow() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 150, DownloadThroughput: 1_600_000 / 8, UploadThroughput: 750_000 / 8}},
	}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}); err != nil {
		b.t.Fatal(err)
	}
}

// counts begins to count bytes and requests, and returns a function that reads them.
func (b *browser) counts() func() (bytes, requests float64) {
	b.t.Helper()
	var mu sync.Mutex
	var bytes, requests float64
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Listen(b.ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			requests++
		case *network.EventLoadingFinished:
			bytes += event.EncodedDataLength
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	return func() (float64, float64) {
		mu.Lock()
		defer mu.Unlock()
		return bytes, requests
	}
}
