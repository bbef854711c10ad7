package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// movesNothing makes the browser ask for reduced motion, so that nothing moves while it is
// checked.
func (b *browser) movesNothing(more ...*emulation.MediaFeature) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: append(more, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}),
	}); err != nil {
		b.t.Fatal(err)
	}
}

// pass is a walk through the gallery.
type pass struct {
	query  string   // the language or the direction, such as "?lang=de"
	names  []string // of the exhibits; nil means all
	with   string   // exhibits without this in their markup aren't shown, as they have nothing to answer
	height int
	widths []int

	// The question is a function of the document and of its window, and returns sentences.
	question string
}

// walks shows one exhibit after the other in a frame, and asks the question of each at each width. Only a page
// with a script of its own is loaded. For the others the body is replaced, which takes a tenth of the time.
// The frame isn't painted. All that is asked depends on the layout and on the styles, and both are as they were on the
// screen.
func (b *browser) walks(p pass) (answers []string) {
	b.t.Helper()
	b.opens("/home")
	names, err := json.Marshal(p.names)
	if err != nil {
		b.t.Fatal(err)
	}
	found := value[int](b, fmt.Sprintf(walk, quoted(p.query), names, quoted(p.with), p.height, strings.Join(strings.Fields(fmt.Sprint(p.widths)), ","), p.question))
	if want := len(p.names); found < want || p.names == nil && found < 20 {
		b.t.Fatalf("the gallery has only %d exhibits with %q", found, p.with)
	}
	for done := false; !done; {
		some := value[struct {
			Answers []string
			Done    bool
		}](b, `walkOn()`)
		answers, done = append(answers, some.Answers...), some.Done
	}
	return answers
}

// walk makes walkOn, which answers after some seconds with what it has, so that no machine is too slow.
const walk = `(async () => {
	const query = %[1]s, names = %[2]s, part = %[3]s, widths = %[5]s;
	const exhibits = await (await fetch("/exhibits.json" + query)).json();
	const shown = exhibits.filter(({ name, page }) => (!names || names.includes(name)) && page.includes(part));
	const scripted = ({ name }) => name.startsWith("signinpages-");
	const plain = shown.filter((exhibit) => !scripted(exhibit));
	const frame = document.createElement("iframe");
	frame.style.cssText = "visibility: hidden; display: block; border: 0; width: 1280px; height: %[4]dpx";
	document.body.replaceChildren(frame);
	const load = ({ name }) => new Promise((done) => {
		frame.addEventListener("load", done, { once: true });
		frame.src = "/" + name + query;
	});
	const swap = ({ page }) => {
		frame.contentDocument.body.replaceWith(new DOMParser().parseFromString(page, "text/html").body);
		for (const dialog of frame.contentDocument.querySelectorAll("dialog")) dialog.showModal();
		frame.contentDocument.activeElement?.blur();
	};
	const steps = shown.filter(scripted).map((exhibit) => ({ exhibit, at: widths }));
	for (const width of widths) for (const exhibit of plain) steps.push({ exhibit, at: [width] }); // a change of the width takes time
	let swaps = false; // whether the frame holds an exhibit without a script
	globalThis.walkOn = async () => {
		const answers = [];
		for (const end = performance.now() + 5000; steps.length && performance.now() < end; ) {
			const { exhibit, at } = steps.shift();
			const { name } = exhibit;
			if (scripted(exhibit) || !swaps) await load(exhibit);
			else swap(exhibit);
			swaps = !scripted(exhibit);
			if (frame.contentDocument.body.childElementCount === 0) answers.push(name + " is empty");
			for (const width of at) {
				frame.style.width = width + "px";
				for (const answer of await (%[6]s)(frame.contentDocument, frame.contentWindow)) answers.push(name + query + " at " + width + ": " + answer);
			}
		}
		return { Answers: answers, Done: steps.length === 0 };
	};
	return shown.length;
})()`

// inTheDark are the rules of axe-core whose answer depends on colours. All the others have the same answer in
// the light and in the dark.
const inTheDark = `["color-contrast", "link-in-text-block"]`

// askAxe is a function that asks axe-core about a window, which has that colour scheme.
const askAxe = `async ({ axe, document, matchMedia }, scheme) => {
	if (matchMedia("(prefers-color-scheme: dark)").matches !== (scheme === "dark")) return ["it isn't " + scheme];
	const rules = scheme === "dark" ? { runOnly: ` + inTheDark + ` } : {};
	const { violations, passes } = await axe.run(document, { preload: false, ...rules });
	if (passes.length === 0) return [scheme + ": nothing was looked at"];
	return violations.map((v) => scheme + ": " + v.id + ": " + v.help + " " + v.nodes.map((n) =>
		n.html.replace(/\s+/g, " ").slice(0, 120) + " " + n.failureSummary.replaceAll("\n", " ")).join("; "));
}`

// TestAccessible has axe-core look at every state, light and dark.
func TestAccessible(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../../bin/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is missing: run make tools")
	}
	s := startGallery(t)
	b := openBrowser(t, s)
	b.runsFirst(string(axe))
	b.movesNothing()
	for _, violation := range b.walks(pass{height: 800, widths: []int{1280}, question: `async (page, shown) => {
		const answers = [];
		for (const scheme of ["light", "dark"]) {
			shown.frameElement.style.colorScheme = scheme; // the page in a frame prefers it
			answers.push(...await (` + askAxe + `)(shown, scheme));
		}
		return answers;
	}`}) {
		t.Error(violation)
	}
}

// sticksOut returns the first element that reaches beyond the sides, where nobody can scroll. What is wide
// by itself scrolls in its place.
const sticksOut = `(page, shown) => [...page.querySelectorAll("body *")].filter((e) => {
	const r = e.getBoundingClientRect();
	return r.width > 1 && (r.right > shown.innerWidth + 1 || r.left < -1) && shown.getComputedStyle(e).position !== "fixed" && !e.closest(".skip, .spoken, .tabs > *, .scrolls > *, .manual-table > *, pre > *");
}).slice(0, 1).map((e) => "sticks out: " + e.outerHTML.replace(/\s+/g, " ").slice(0, 120))`

// TestFits checks that all exhibits fit into the smallest screen, in all languages.
func TestFits(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	all := []int{320, 640, 1280} // 640 is 1280 at 200 %
	for _, p := range []pass{
		{widths: all}, {query: "?dir=rtl", with: `dir="rtl"`, widths: all}, {query: "?lang=de", widths: all},
		{query: "?lang=fr"}, {query: "?lang=es"}, {query: "?lang=ja"},
	} {
		p.height, p.question = 800, sticksOut
		if p.widths == nil { // German has the longest words, and so shows at any width what is too long
			p.widths = []int{320}
			if os.Getenv("KEYPEG_SOAK") != "" {
				p.widths = all
			}
		}
		for _, answer := range b.walks(p) {
			t.Error(answer)
		}
	}
}

// hasTextOf sets the size of the browser's text in pixels. The default is 16.
func hasTextOf(pixels int) chromedp.ExecAllocatorOption {
	return chromedp.Flag("blink-settings", fmt.Sprint("defaultFontSize=", pixels))
}

// TestFitsAt200Percent checks the same with text at twice its size.
func TestFitsAt200Percent(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s, hasTextOf(32))
	b.movesNothing()
	for _, answer := range b.walks(pass{height: 800, widths: []int{320, 390, 1280}, question: sticksOut}) {
		t.Error(answer)
	}
}

// TestButtonsStayInSight: the buttons of a dialog are visible on a low screen, such as a phone
// that is held sideways or has its keyboard open.
func TestButtonsStayInSight(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	seen := 0
	for _, answer := range b.walks(pass{with: "dialog-foot", height: 400, widths: []int{320, 1280}, question: `(page) =>
		[...page.querySelectorAll("dialog.dialog .dialog-foot button")].filter((e) => e.checkVisibility()).map((e) => {
			const { top, bottom } = e.getBoundingClientRect();
			return top >= 0 && bottom <= 400 ? "in sight" : "a button is from " + top + " to " + bottom;
		})`}) {
		if seen++; !strings.HasSuffix(answer, "in sight") {
			t.Error(answer)
		}
	}
	if seen < 60 {
		t.Errorf("%d buttons were seen", seen)
	}
}

// TestLooks: what is said stands on a ground of its own, the words of a button in its middle, and the
// buttons of a dialog in one row or in a block.
func TestLooks(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	seen := map[string]int{}
	for _, answer := range b.walks(pass{height: 800, widths: []int{320}, question: `(page) => {
		const visible = (selector) => [...page.querySelectorAll(selector)].filter((e) => e.checkVisibility());
		const ground = (e) => { const { backgroundColor } = getComputedStyle(e); return backgroundColor === "rgba(0, 0, 0, 0)" && e.parentElement ? ground(e.parentElement) : backgroundColor };
		const edges = (e) => { const { left, right } = e.getBoundingClientRect(); return Math.round(left) + " to " + Math.round(right) };
		const rows = (foot) => new Set([...foot.children].map((e) => Math.round(e.getBoundingClientRect().top))).size;
		return [
			...visible(".notice").map((e) => (ground(e) === ground(e.parentElement) ? "can't be told from what it stands on: " + e.textContent : ": notice")),
			...visible(".button").map((e) => (getComputedStyle(e).textAlign === "center" ? ": button" : "isn't centred: " + e.textContent)),
			...visible(".dialog-foot").map((e) => (rows(e) === 1 || rows(e) === e.children.length && new Set([...e.children].map(edges)).size === 1 ? ": foot" : "is ragged: " + [...e.children].map((e) => e.textContent + " " + edges(e)))),
		];
	}`}) {
		_, what, ok := strings.Cut(answer[strings.LastIndex(answer, ": ")-1:], ": ")
		if seen[what]++; !ok || what != "notice" && what != "button" && what != "foot" {
			t.Error(answer)
		}
	}
	if seen["notice"] < 20 || seen["button"] < 300 || seen["foot"] < 30 {
		t.Errorf("seen: %v", seen)
	}
}

// TestFocusIsSeen: nothing covers the element with the keyboard focus in a dialog, also with
// text at 200 % (WCAG 2.2, 2.4.11).
func TestFocusIsSeen(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	for _, text := range []int{16, 32} {
		b := openBrowser(t, s, hasTextOf(text))
		b.movesNothing()
		seen := 0
		for _, answer := range b.walks(pass{with: "<dialog", height: 480, widths: []int{320, 390, 1280}, question: `(page) => {
			const open = [...page.querySelectorAll("dialog[open]")].at(-1); // those below can't be reached
			if (!open) return [];
			return [...open.querySelectorAll(":is(button, input, select, textarea):enabled, a, summary")].filter((e) => e.checkVisibility()).map((e) => {
				e.focus();
				const { left, width, top, bottom } = e.getBoundingClientRect();
				const over = [top + 2, (top + bottom) / 2, bottom - 2].map((y) => page.elementFromPoint(left + width / 2, y));
				if (over.some((other) => e.contains(other))) return "seen";
				return e.outerHTML.replace(/\s+/g, " ").slice(0, 120) + " from " + top + " to " + bottom + " is under " + over.map((other) => other?.outerHTML.slice(0, 60));
			});
		}`}) {
			if seen++; !strings.HasSuffix(answer, ": seen") {
				t.Errorf("text of %d px: %s", text, answer)
			}
		}
		if seen < 200 {
			t.Errorf("text of %d px: the keyboard was led to %d places", text, seen)
		}
	}
}

// TestForcedColoursAndReducedMotion: everything is visible without our colours, and nothing
// moves for users who have asked for reduced motion.
func TestForcedColoursAndReducedMotion(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing(&emulation.MediaFeature{Name: "forced-colors", Value: "active"})
	for _, answer := range b.walks(pass{height: 800, widths: []int{1280}, question: `(page, shown) => [
		...[...page.querySelectorAll("button, input:not([type=hidden]), .button, dialog")].filter((e) =>
			e.checkVisibility() && !e.matches(".link, .menu-line, .icon, .sort, [type=checkbox], [type=radio]") && shown.getComputedStyle(e).borderTopStyle === "none")
			.map((e) => "no border in forced colours: " + e.outerHTML.replace(/\s+/g, " ").slice(0, 120)),
		...page.getAnimations().filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 1)
			.map((a) => "it moves: " + a.effect.target.outerHTML.slice(0, 120)),
	]`}) {
		t.Error(answer)
	}
	b.hasNoComplaints()
}
