package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a step waits for something to appear. It only bounds a failing test: a
// passing one goes on at once. A busy machine needs longer than a person would wait.
const patience = 2 * time.Minute

// browser is a person's Chromium with one tab.
type browser struct {
	t      *testing.T
	ctx    context.Context
	server *server

	devices []*device
	workers map[target.ID]context.Context // the service workers that isCutOff is attached to

	mu       sync.Mutex
	problems []string // the errors in the console
	said     []string // what the programs of the page wrote there, such as why they ended
}

// whole is Chromium as people have it, for a test that is about more than pages: what the browser keeps,
// installs or asks. The others run in its headless shell: the same engine without windows, tabs to draw and
// the services around them, which takes a third less of the processor.
var whole = chromedp.ExecPath("chromium")

// openBrowser starts a fresh Chromium: no cookies, no passkeys, nothing cached.
func openBrowser(t *testing.T, s *server, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium-headless-shell"),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 800),
		chromedp.WSURLReadTimeout(patience),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx, server: s}
	t.Cleanup(func() {
		if t.Failed() {
			b.describe()
		}
		closeTab()
		stop()
	})

	b.do("start the browser", chromedp.Navigate("about:blank"))
	b.reports()
	return b
}

// opensTab opens another tab of the same browser, or takes the one that a page has opened.
func (b *browser) opensTab(of ...chromedp.ContextOption) *browser {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, of...)
	b.t.Cleanup(closeTab)
	tab := &browser{t: b.t, ctx: ctx, server: b.server}
	if len(of) == 0 {
		tab.do("start the browser", chromedp.Navigate("about:blank"))
	}
	tab.reports()
	return tab
}

// reports listens to the console of a tab.
func (b *browser) reports() {
	b.t.Helper()
	if err := chromedp.Listen(b.ctx, b.onEvent); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, log.Enable, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
}

// onEvent gathers complaints: exceptions, errors of the console, and violations of
// the Content-Security-Policy.
func (b *browser) onEvent(event any) {
	complaint := ""
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.mu.Lock()
		for _, argument := range event.Args {
			b.said = append(b.said, string(argument.Value)+argument.Description)
		}
		b.mu.Unlock()
	case *runtime.EventExceptionThrown:
		complaint = event.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			complaint = event.Entry.Text + " " + event.Entry.URL
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.problems = append(b.problems, complaint)
		b.mu.Unlock()
	}
}

// hasNoComplaints fails the test if the console complained about anything that
// isn't expected: an answer of 400 and more is written there by the browser. What the test
// expects besides is a part of a complaint.
func (b *browser) hasNoComplaints(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, problem := range b.problems {
		isExpected := func(part string) bool { return strings.Contains(problem, part) }
		if !slices.ContainsFunc(append(expected, "the server responded with a status of 4"), isExpected) {
			b.t.Errorf("the console complains: %s", problem)
		}
	}
}

// complains waits until the console has complained n times with these words.
func (b *browser) complains(words string, n int) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		b.mu.Lock()
		got := 0
		for _, problem := range b.problems {
			if strings.Contains(problem, words) {
				got++
			}
		}
		b.mu.Unlock()
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the console complained %d times of %q, want %d", got, words, n)
		}
		value[bool](b, `new Promise((done) => requestAnimationFrame(() => done(true)))`)
	}
}

// describe logs what the person sees, for a test that has failed.
func (b *browser) describe() {
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	b.t.Logf("the page at the end (%v):\n%s", err, seen)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Logf("the console: %q\n%s", b.problems, strings.Join(b.said, "\n"))
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.ctx, context.CancelFunc(func() {})
	if chromedp.FromContext(b.ctx).Target != nil { // the first call must have the context as it was made
		ctx, cancel = context.WithTimeout(b.ctx, patience)
	}
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func value[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// waitsFor waits until an expression is true in the page, whichever page that is then. It asks
// again and again from outside. A question that waits in the page would get no answer when
// the browser puts the page aside for its Back button. Of a page that has arrived drawn it sees what the
// program shows, unless the expression is about #drawn.
func (b *browser) waitsFor(what, expression string) {
	b.t.Helper()
	if !strings.Contains(expression, "#drawn") {
		expression = `!document.querySelector("#drawn") && (` + expression + `)`
	}
	asks := chromedp.Evaluate[bool]("(async () => !!(await ("+expression+")))()", chromedp.EvalAwaitPromise)
	for begin := time.Now(); ; restsFrom(begin) {
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		is, err := chromedp.Run(ctx, asks)
		cancel()
		if is && err == nil {
			return
		}
		if time.Since(begin) > patience {
			b.t.Fatalf("waited in vain for: %s (%v)", what, err)
		}
	}
}

// restsFrom makes a pause between two questions. Each question takes time from what it asks about, so
// the pauses grow with the time that somebody has waited: to an eighth of it, between 20 ms and 250 ms.
func restsFrom(begin time.Time) {
	time.Sleep(min(max(time.Since(begin)/8, 20*time.Millisecond), 250*time.Millisecond))
}

func quoted(s string) string { return strconv.Quote(s) }

// shown returns an expression that is true if an element is there and visible.
func shown(selector string) string {
	return fmt.Sprintf(`(() => { const e = document.querySelector(%s); return !!e && e.getClientRects().length > 0; })()`, quoted(selector))
}

func (b *browser) opens(path string) {
	b.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, chromedp.Navigate(b.address(path)))
		cancel()
		if err == nil {
			return
		}
		// The page may have gone somewhere by itself at the same moment.
		if !strings.Contains(err.Error(), "net::ERR_ABORTED") {
			b.t.Fatalf("open %s: %v", path, err)
		}
	}
}

// goes back or forward, as by the browser's button. The page may be gone before it has answered.
func (b *browser) goes(where string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`history.`+where+`(), true`))
	if err != nil && !strings.Contains(err.Error(), "navigated or closed") {
		b.t.Fatalf("go %s: %v", where, err)
	}
}

func (b *browser) address(path string) string {
	if strings.HasPrefix(path, "http") || strings.HasPrefix(path, "about:") {
		return path
	}
	return b.server.url + path
}

func (b *browser) sees(selector string) {
	b.t.Helper()
	b.waitsFor("seeing "+selector, shown(selector))
}

func (b *browser) seesNo(selector string) {
	b.t.Helper()
	b.waitsFor("no longer seeing "+selector, "!"+shown(selector))
}

// reads waits for a text in the visible page.
func (b *browser) reads(text string) {
	b.t.Helper()
	b.waitsFor(fmt.Sprintf("reading %q", text), fmt.Sprintf(`document.body.innerText.includes(%s)`, quoted(text)))
}

// readsIn waits until an element's text is as given.
func (b *browser) readsIn(selector, text string) {
	b.t.Helper()
	b.waitsFor(fmt.Sprintf("reading %q in %s", text, selector),
		fmt.Sprintf(`document.querySelector(%s)?.innerText.trim() === %s`, quoted(selector), quoted(text)))
}

// isPainted is true of a document that a person can see: browsers paint none before its style sheets have come.
const isPainted = `((doc) => doc.readyState === "complete" || [...doc.querySelectorAll("link[rel=stylesheet]")].every((link) => link.sheet))`

// clicks waits until an element can be clicked, with nothing in front of it, and clicks in its
// middle with the mouse.
func (b *browser) clicks(selector string) {
	b.t.Helper()
	middle := fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		if (!e || e.disabled || !e.getClientRects().length || !%s(document)) return null;
		if (document.getAnimations().some((a) => a.playState === "running" && a.effect.getTiming().iterations !== Infinity)) return null;
		e.scrollIntoView({ block: "nearest" });
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
	})()`, quoted(selector), isPainted)
	b.clicksAt(selector, middle, "document")
}

// clicksAt clicks in the middle of an element of a document, again if the click went elsewhere: the element may have
// moved, or have been disabled or replaced for a moment. So does a person. What was heard is never clicked again. What
// came into the element's place doesn't get the click, unless the selector finds that too.
func (b *browser) clicksAt(selector, middle, document string) {
	b.t.Helper()
	begin := time.Now()
	for isMissed := true; isMissed; {
		if time.Since(begin) > patience {
			b.t.Fatalf("%s hears none of the clicks", selector)
		}
		b.waitsFor("being able to click "+selector, middle+" !== null")
		at := value[[]float64](b, listening(selector, middle, document))
		if len(at) == 0 {
			continue // it has gone or moved since then
		}
		b.do("click "+selector, chromedp.MouseClickXY(at[0], at[1]))
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		isMissed, _ = chromedp.Run(ctx, chromedp.Evaluate[bool](missed, chromedp.EvalAwaitPromise))
		cancel()
	}
}

// listening returns an expression that is the middle of an element. From then on the page notes whether an element that the
// selector finds in the document is clicked by a person, and not by a script.
func listening(selector, middle, document string) string {
	return fmt.Sprintf(`((selector, at, doc) => {
		if (!at) return null;
		const click = (window.lastClick = { doc, isHeard: true }); // where the page may run no script, nobody can tell
		doc.addEventListener("hears", () => (click.isHeard = false), { once: true });
		doc.dispatchEvent(new Event("hears"));
		doc.addEventListener("click", (event) => {
			if (window.lastClick !== click || click.isHeard || !event.isTrusted) return;
			click.isHeard = event.composedPath().some((e) => e.matches?.(selector));
			if (!click.isHeard) event.stopImmediatePropagation(), event.preventDefault();
		}, { capture: true });
		return at;
	})(%s, %s, %s)`, quoted(selector), middle, document)
}

// missed is true if the last click went elsewhere. One after which the page or its frame has gone didn't.
const missed = `(async () => {
	const click = window.lastClick, isMissed = () => !!click && !click.isHeard && click.doc.defaultView !== null;
	return isMissed() && new Promise((done) => setTimeout(() => done(isMissed()), 100));
})()`

// types clicks into a text box and replaces its text with the keyboard.
func (b *browser) types(selector, text string) {
	b.t.Helper()
	b.clicks(selector)
	value[bool](b, fmt.Sprintf(`document.querySelector(%s).select(), true`, quoted(selector)))
	b.presses(text)
}

// pastes puts a text into a text box that a keyboard can't type.
func (b *browser) pastes(selector, text string) {
	b.t.Helper()
	b.clicks(selector)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) presses(keys string) {
	b.t.Helper()
	b.do("press "+quoted(keys), chromedp.KeyEvent(keys))
}

// keepsOpen presses Escape in a dialog that a wrong key must not close. Chromium lets a page
// keep it open once. At the next press the dialog closes, and the page has to open it again.
func (b *browser) keepsOpen(dialog, focus string) {
	b.t.Helper()
	b.hasFocusOn(focus)
	value[bool](b, fmt.Sprintf(`window.escapes = 0, document.querySelector(%s).addEventListener("cancel", () => { escapes++; }), true`, quoted(dialog)))
	for n := range 3 {
		b.presses(escape)
		b.waitsFor("the key to be heard", fmt.Sprintf(`escapes === %d`, n+1))
		b.waitsFor("the dialog to be open", fmt.Sprintf(`document.querySelector(%s)?.matches(":modal")`, quoted(dialog)))
		b.sees(dialog)
		b.hasFocusOn(focus)
	}
}

func (b *browser) hasFocusOn(selector string) {
	b.t.Helper()
	b.waitsFor("the focus on "+selector, fmt.Sprintf(`document.activeElement?.matches(%s) === true`, quoted(selector)))
}

func (b *browser) isAt(path string) {
	b.t.Helper()
	b.waitsFor("being at "+path, fmt.Sprintf(`location.pathname + location.search === %s`, quoted(path)))
}

func (b *browser) isSize(width, height int64) {
	b.t.Helper()
	b.do("resize", chromedp.EmulateViewport(width, height))
}

func (b *browser) prefersDark(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		b.t.Fatal(err)
	}
}

// isCutOff takes the network from the browser's tab and its service worker, or
// gives it back.
func (b *browser) isCutOff(yes bool) {
	b.t.Helper()
	targets, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	b.cutsOff(b.ctx, yes)
	for _, found := range targets {
		if found.Type != "service_worker" || b.workers[found.TargetID] != nil {
			continue
		}
		if b.workers == nil {
			b.workers = map[target.ID]context.Context{}
		}
		// It has to stay attached: the emulation ends when it detaches.
		worker, detach := chromedp.NewContext(b.ctx, chromedp.WithTargetID(found.TargetID))
		b.t.Cleanup(detach)
		b.workers[found.TargetID] = worker
	}
	for _, worker := range b.workers {
		b.cutsOff(worker, yes)
	}
}

func (b *browser) cutsOff(target context.Context, yes bool) {
	b.t.Helper()
	if _, err := chromedp.Call(target, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(target, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}},
	}); err != nil {
		b.t.Fatalf("cut the network off: %v", err)
	}
	if _, err := chromedp.Call(target, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		b.t.Fatalf("tell the page: %v", err)
	}
}

// isGreyed waits until a button can't be pressed.
func (b *browser) isGreyed(selector string) {
	b.t.Helper()
	b.waitsFor(selector+" to be greyed", fmt.Sprintf(`document.querySelector(%s)?.disabled === true`, quoted(selector)))
}

// traces returns what this browser keeps of a site and has one of the words in it. It looks at
// localStorage, sessionStorage, the names in IndexedDB, and every cache. Without words it
// returns everything.
func (b *browser) traces(words ...string) []string {
	b.t.Helper()
	list, err := json.Marshal(append([]string{}, words...))
	if err != nil {
		b.t.Fatal(err)
	}
	return value[[]string](b, fmt.Sprintf(`(async () => {
		const words = %s, kept = [...Object.entries(localStorage), ...Object.entries(sessionStorage)].map((e) => e.join(": "));
		kept.push(...(await indexedDB.databases()).map((d) => "IndexedDB: " + d.name));
		for (const name of await caches.keys()) {
			const cache = await caches.open(name);
			for (const request of await cache.keys()) {
				const type = (await cache.match(request)).headers.get("Content-Type") ?? "";
				if (/html|json|text/.test(type)) kept.push(request.url + ": " + (await (await cache.match(request)).text()));
			}
		}
		return (words.length ? kept.filter((k) => words.some((w) => new RegExp("\\b" + w + "\\b", "i").test(k))) : kept).map((k) => k.slice(0, 200));
	})()`, list))
}

// saysItIs gives the browser another user agent.
func (b *browser) saysItIs(agent string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent}); err != nil {
		b.t.Fatal(err)
	}
}

// cannotAutofill takes conditional mediation from the pages that are opened from now on, until
// again is called.
func (b *browser) cannotAutofill() (again func()) {
	b.t.Helper()
	return b.runsFirst(`if (globalThis.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false`)
}

// runsFirst runs a script in every page that is opened from now on, before the scripts of the
// page, until back is called.
func (b *browser) runsFirst(script string) (back func()) {
	b.t.Helper()
	added, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		b.t.Fatal(err)
	}
	return func() {
		if _, err := chromedp.Call(b.ctx, page.RemoveScriptToEvaluateOnNewDocument, page.RemoveScriptToEvaluateOnNewDocumentParams(added)); err != nil {
			b.t.Fatal(err)
		}
	}
}

const (
	escape = kb.Escape
	enter  = kb.Enter
	down   = kb.ArrowDown
	up     = kb.ArrowUp
)
