package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
)

// gate keeps the program from starting until open is called.
const gate = `{
	const opened = new Promise((open) => (globalThis.openGate = open));
	for (const name of ["instantiate", "instantiateStreaming"]) {
		const real = WebAssembly[name];
		WebAssembly[name] = async (...all) => (await opened, real.apply(WebAssembly, all));
	}
}`

// placed lists the texts of the page with their places, as a person sees them.
const placed = `(async () => {
	await Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished));
	const seen = [];
	const root = document.querySelector("#drawn") ?? document.body;
	const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const range = document.createRange();
		range.selectNodeContents(walk.currentNode);
		const text = walk.currentNode.data.trim(), place = range.getBoundingClientRect();
		if (text && place.width && walk.currentNode.parentElement.checkVisibility({ visibilityProperty: true })) seen.push(text + " at " + Math.round(place.x) + " " + Math.round(place.y + scrollY));
	}
	return seen.join("\n");
})()`

// TestDrawn opens pages whose program doesn't start yet. They are there, and the program changes
// nothing when it takes over.
func TestDrawn(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-passkeys")
	ann.addsPasskey("Work laptop")
	s.command(t, "", "user", "invite", "bob", "--display-name", "Bob Smith")
	ann.runsFirst(gate)
	for _, path := range []string{"/", "/passkeys", "/sessions", "/activity", "/users", "/audit", "/rollout"} {
		for _, width := range []int64{1280, 390} {
			ann.isSize(width, 900)
			ann.opens(path)
			ann.seesDrawnAlike(fmt.Sprintf("%s at %d", path, width))
		}
	}
	ann.opens("/")
	value[bool](ann, `openGate(), true`)
	ann.clicks("#second-not-now")
	ann.seesNo("#second")
	ann.opens("/")
	ann.seesDrawnAlike("an offer that she doesn't want")
	ann.hasNoComplaints()
}

// seesDrawnAlike lets the program start on a page that is drawn, and checks that it draws the same.
func (b *browser) seesDrawnAlike(what string) {
	b.t.Helper()
	b.sees("#drawn .menu-name")
	before := value[string](b, placed)
	value[bool](b, `openGate(), true`)
	b.seesNo("#drawn")
	after := value[string](b, placed)
	if passed := value[bool](b, `new Date(performance.timeOrigin).toDateString() !== new Date().toDateString()`); passed {
		return // a day has ended in between: what was today is yesterday
	}
	if after != before {
		b.t.Errorf("%s: the server and the program draw differently (- and +):\n%s", what, differing(before, after))
	}
}

// TestDrawnOnce: what came with the page isn't asked for again until something changes.
func TestDrawnOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Work laptop")
	ann.runsFirst(`globalThis.EventSource = class extends EventSource {
			addEventListener(name, ...more) {
				super.addEventListener(name, () => (globalThis.heard = [...(globalThis.heard ?? []), name]));
				super.addEventListener(name, ...more);
			}
		}`)
	ann.opens("/passkeys")
	ann.waitsFor("the stream", `globalThis.heard?.[0] === "same"`)
	if status := value[int](ann, `fetch("/api/v1/passkeys/" + document.querySelector(`+quoted(row(1, ""))+`).id.replace("passkey-", ""), {
			method: "PATCH", headers: { "Content-Type": "application/json" }, body: '{"name":"Desk"}' }).then((r) => r.status)`); status != 200 {
		t.Fatalf("renaming: %d", status)
	}
	ann.readsIn(row(1, "bdi"), "Desk")
	// The stream may begin anew, or tell of the change twice. Each of its events after the first may have the page ask once.
	for _, path := range []string{shared.PathAccount, shared.PathPasskeys} {
		asked := value[[]int](ann, `[performance.getEntriesByType("resource").filter((r) => r.name === location.origin + "`+path+`").length, heard.length - 1]`)
		if asked[0] < 1 || asked[0] > asked[1] {
			t.Errorf("%s was asked for %d times after %d events, want once after each: %q", path, asked[0], asked[1], value[[]string](ann, `heard`))
		}
	}
	ann.hasNoComplaints()
}

// TestMenuBeforeTheProgram: the drawn menu moves nothing, and closes as the program's own does.
func TestMenuBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(gate)
	ann.opens("/")
	ann.sees("#drawn .menu-name")
	before := ann.boxOf("#drawn h1")
	ann.clicks("#drawn #user-menu-button")
	ann.sees("#drawn details[open]")
	if after := ann.boxOf("#drawn h1"); after != before {
		t.Errorf("opening the menu moves the page from %v to %v", before, after)
	}
	ann.presses(escape)
	ann.seesNo("#drawn details[open]")
	ann.clicks("#drawn #user-menu-button")
	ann.sees("#drawn details[open]")
	ann.clicks("#drawn h1")
	ann.seesNo("#drawn details[open]")
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	ann.seesNo("#menu-passkeys")
	ann.hasNoComplaints()
}

// TestMenuWhileTheProgramBegins: who follows a link of the drawn menu when the program has begun, and hasn't taken
// over yet, finds no menu open behind the panel.
func TestMenuWhileTheProgramBegins(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(`{
		let real;
		Object.defineProperty(globalThis, "keypegTakeOver", { set: (value) => (real = value), get: () => () => (globalThis.takeOver = real) });
	}`)
	for _, late := range []bool{false, true} { // after the program has begun to take over
		ann.opens("/")
		ann.waitsFor("the program", `document.querySelector("#drawn") && typeof takeOver === "function"`)
		ann.clicks("#drawn #user-menu-button")
		ann.sees("#drawn details.menu[open]")
		if late {
			value[bool](ann, `takeOver(), document.querySelector("#drawn #menu-passkeys").click(), true`)
		} else {
			ann.clicks("#drawn #menu-passkeys")
			ann.waitsFor("the panel", `location.pathname === "/passkeys" && document.querySelector("#drawn")`)
			value[bool](ann, `takeOver(), true`)
		}
		ann.isAt("/passkeys")
		ann.sees("dialog.panel")
		ann.seesNo("#user-menu")
	}
	ann.hasNoComplaints()
}

// TestBeforeTheProgram uses a page whose program doesn't start yet. Links and signing out work; what is typed
// and pressed is done when the program takes over.
func TestBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	s.command(t, "", "user", "invite", "bob", "--display-name", "Bob Smith")
	s.command(t, "", "user", "invite", "carl", "--display-name", "Carl Jones")
	ann.runsFirst(gate)

	t.Log("Links work.")
	ann.opens("/")
	ann.clicks("#drawn #user-menu-button")
	ann.clicks("#drawn #menu-users")
	ann.waitsFor("the page of users", `location.pathname === "/users" && document.querySelector("#drawn .menu-name")`)

	t.Log("What Ann types is searched for, and she goes on typing.")
	ann.clicks("#drawn #users-find")
	ann.presses("bo")
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	ann.hasFocusOn("#users-find")
	ann.presses("b")
	ann.waitsFor("what she typed", `document.querySelector("#users-find").value === "bob"`)
	ann.lists("Bob Smith")

	t.Log("What Ann ticks stays ticked.")
	ann.opens("/users")
	ann.clicks("#drawn #pick-all")
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	ann.readsIn(".float strong", "3 selected")

	t.Log("What Ann presses happens.")
	ann.opens("/passkeys")
	ann.clicks("#drawn #passkey-add")
	ann.sees("#drawn #passkey-add.pressed")
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	ann.hasFocusOn("#passkey-name")
	ann.opens("/activity")
	ann.clicks("#drawn #user-menu-button")
	ann.clicks("#drawn #menu-language-de")
	value[bool](ann, `openGate(), true`)
	ann.readsIn("h1", "Aktivität")

	t.Log("In the language of the page, nothing changes either.")
	ann.opens("/activity")
	ann.readsIn("#drawn h1", "Aktivität")
	ann.seesDrawnAlike("in German")

	t.Log("Nobody keeps the page.")
	if says := value[string](ann, `fetch("/drawn?page=/", { headers: { "Keypeg-Nonce": "n" } }).then((answer) => answer.headers.get("Cache-Control"))`); says != "no-store" {
		t.Errorf("the page says %q to caches", says)
	}
	if page := value[string](ann, `fetch("/activity").then((answer) => answer.text())`); strings.Contains(page, "Ann") {
		t.Errorf("the page has a name: %s", page)
	}
	t.Log("Signing out works.")
	ann.opens("/sessions")
	ann.clicks("#drawn #user-menu-button")
	ann.clicks("#drawn form button")
	ann.isAt("/sign-in")
	ann.opens("/sessions")
	ann.isAt("/sign-in?next=%2Fsessions")
	ann.hasNoComplaints()
}

// TestPanelBeforeTheProgram reads in the panel while the program starts. What is unfolded there, and how far
// it is scrolled, stays.
func TestPanelBeforeTheProgram(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Work laptop")
	ann.runsFirst(gate)
	ann.isSize(390, 480)
	ann.opens("/passkeys")
	ann.sees("#drawn .fold")
	read := `(() => { const body = document.querySelector("%s .panel-body"); return [body.scrollTop, body.querySelector(".fold").open].join(" ") })()`
	before := value[string](ann, `document.querySelector("#drawn .fold").open = true, document.querySelector("#drawn .panel-body").scrollTo(0, 150), `+fmt.Sprintf(read, "#drawn"))
	if before != "150 true" {
		t.Fatalf("the drawn panel is scrolled and unfolded: %s", before)
	}
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	if after := value[string](ann, fmt.Sprintf(read, ".app")); after != before {
		t.Errorf("the panel of the program is scrolled and unfolded: %s, want %s", after, before)
	}
	ann.hasNoComplaints()
}

// TestFiltersBeforeTheProgram chooses what the page of events shows, while the program starts.
func TestFiltersBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(gate)
	ann.opens("/audit?days=30")
	ann.sees("#drawn #events-kind")
	value[bool](ann, `(() => { const kind = document.querySelector("#drawn #events-kind"); kind.value = "failures"; return kind.dispatchEvent(new Event("input", { bubbles: true })) })()`)
	ann.clicks("#drawn #events-find")
	ann.presses("ann")
	ann.presses(enter)
	ann.sees("#drawn #events-find:focus")
	value[bool](ann, `openGate(), true`)
	ann.seesNo("#drawn")
	ann.isAt("/audit?days=30&find=ann&kind=failures")
	ann.showsChoice("#events-kind", "Failures")
	ann.hasFocusOn("#events-find")
	ann.reads("No such event in the last 30 days.")
	ann.hasNoComplaints()
}

// TestDrawnAfterSignOut opens pages of a user whose sign-out the server hasn't heard of, or who signs out
// before the program is there. Nothing of theirs is shown.
func TestDrawnAfterSignOut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	ann.opens("/sessions")
	ann.sees(".rows > li")
	ann.isCutOff(true)
	ann.sees("#offline-bar")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-sign-out")
	ann.readsIn("h1", "You are signed out on this device")
	again := ann.runsFirst(gate + `
		globalThis.shown = false;
		new MutationObserver(() => (globalThis.shown ||= !!document.querySelector("#drawn"))).observe(document, { childList: true, subtree: true });`)
	ann.opens("/activity") // from the worker
	ann.isCutOff(false)
	ann.opens("/sessions")
	ann.waitsFor("the script", `"keypegArrives" in globalThis`)
	if value[bool](ann, `keypegArrives.then((answers) => answers !== null || globalThis.shown)`) {
		t.Error("the page of a user who has signed out is drawn")
	}
	value[bool](ann, `openGate(), true`)
	ann.isAt("/sign-in")
	again()

	ann.signsInWithPassword("ann", annsPassword)
	ann.runsFirst(gate)
	ann.opens("/sessions")
	ann.sees("#drawn .menu-name")
	value[bool](ann, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	ann.waitsFor("the page to be loaded again", `document.querySelector("#drawn .menu-name") && performance.getEntriesByType("navigation")[0].type === "reload"`)
}

// TestInputMethodBeforeTheProgram composes a word, as people do who write Japanese, while the program starts.
func TestInputMethodBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	s.command(t, "", "user", "invite", "bob", "--display-name", "日本")
	ann.runsFirst(gate)
	ann.opens("/users")
	ann.clicks("#drawn #users-find")
	composes := func(text string) {
		t.Helper()
		end := int64(len([]rune(text)))
		if _, err := chromedp.Call(ann.ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: end, SelectionEnd: end}); err != nil {
			t.Fatal(err)
		}
	}
	composes("にほ")
	value[bool](ann, `openGate(), new Promise((called) => {
		const takeOver = keypegTakeOver;
		keypegTakeOver = () => (takeOver(), called(true));
	})`)
	composes("にほん")
	if _, err := chromedp.Call(ann.ctx, input.InsertText, input.InsertTextParams{Text: "日本"}); err != nil {
		t.Fatal(err)
	}
	ann.seesNo("#drawn")
	ann.hasFocusOn("#users-find")
	ann.waitsFor("the word", `document.querySelector("#users-find").value === "日本"`)
	ann.lists("日本")
	ann.hasNoComplaints()
}

// differing returns the lines that only one of two texts has.
func differing(before, after string) string {
	var lines []string
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return strings.Join(lines, "\n")
}
