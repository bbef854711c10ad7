package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
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

// exhibits returns the names of all states in the gallery.
func (b *browser) exhibits() []string {
	b.t.Helper()
	b.opens("/home") // the index has all of them in frames, and takes longer
	names := value[[]string](b, `fetch("/").then((answer) => answer.text()).then((text) =>
		[...new DOMParser().parseFromString(text, "text/html").querySelectorAll("section h2")].map((h) => h.textContent))`)
	if len(names) < 40 {
		b.t.Fatalf("the gallery has only %q", names)
	}
	return names
}

// inAFrame shows one exhibit after the other in a frame, and calls question in each at several
// sizes. The question is a function of the document in the frame, and returns sentences. Only
// a page with a script of its own is loaded. For the others the body is replaced, which takes
// a tenth of the time.
func (b *browser) inAFrame(names []string, query string, height int, widths []int, question string) (answers []string) {
	b.t.Helper()
	b.opens("/home")
	for some := range slices.Chunk(names, 25) { // so that none takes longer than patience
		answers = append(answers, b.inThisFrame(some, query, height, widths, question)...)
	}
	return answers
}

func (b *browser) inThisFrame(names []string, query string, height int, widths []int, question string) []string {
	b.t.Helper()
	list, err := json.Marshal(names)
	if err != nil {
		b.t.Fatal(err)
	}
	return value[[]string](b, fmt.Sprintf(`(async () => {
		const answers = [];
		const frame = document.createElement("iframe");
		frame.style.cssText = "display: block; border: 0; width: 1280px; height: %[3]dpx";
		document.body.replaceChildren(frame);
		const load = (address) => new Promise((done) => {
			frame.addEventListener("load", done, { once: true });
			frame.src = address;
		});
		let swaps = false; // whether the frame holds an exhibit without a script
		for (const name of %[1]s) {
			const address = "/" + name + %[2]s;
			const scripted = name.startsWith("signinpages-");
			if (scripted || !swaps) await load(address);
			else {
				const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
				frame.contentDocument.body.replaceWith(page.body);
				for (const dialog of frame.contentDocument.querySelectorAll("dialog")) dialog.showModal();
				frame.contentDocument.activeElement?.blur();
			}
			swaps = !scripted;
			if (frame.contentDocument.body.childElementCount === 0) answers.push(name + " is empty");
			for (const width of %[4]s) {
				frame.style.width = width + "px";
				for (const answer of await (%[5]s)(frame.contentDocument, frame.contentWindow)) answers.push(name + %[2]s + " at " + width + ": " + answer);
			}
		}
		return answers;
	})()`, list, quoted(query), height, strings.Join(strings.Fields(fmt.Sprint(widths)), ","), question))
}

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
	for _, scheme := range []string{"light", "dark"} {
		b.movesNothing(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})
		for _, violation := range b.inAFrame(b.exhibits(), "", 800, []int{1280}, `async (page, shown) => {
			const { violations, passes } = await shown.axe.run(page);
			if (passes.length === 0) return ["nothing was looked at"];
			return violations.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) =>
				n.html.replace(/\s+/g, " ").slice(0, 120) + " " + n.failureSummary.replaceAll("\n", " ")).join("; "));
		}`) {
			t.Errorf("%s: %s", scheme, violation)
		}
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
	names := b.exhibits()
	for _, query := range []string{"", "?dir=rtl", "?lang=de", "?lang=fr", "?lang=es", "?lang=ja"} {
		for _, answer := range b.inAFrame(names, query, 800, []int{320, 640, 1280}, sticksOut) { // 640 is 1280 at 200 %
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
	for _, answer := range b.inAFrame(b.exhibits(), "", 800, []int{320, 390, 1280}, sticksOut) {
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
	for _, answer := range b.inAFrame(b.exhibits(), "", 400, []int{320, 1280}, `(page) =>
		[...page.querySelectorAll("dialog.dialog .dialog-foot button")].filter((e) => e.checkVisibility()).map((e) => {
			const { top, bottom } = e.getBoundingClientRect();
			return top >= 0 && bottom <= 400 ? "in sight" : "a button is from " + top + " to " + bottom;
		})`) {
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
	for _, answer := range b.inAFrame(b.exhibits(), "", 800, []int{320}, `(page) => {
		const visible = (selector) => [...page.querySelectorAll(selector)].filter((e) => e.checkVisibility());
		const ground = (e) => { const { backgroundColor } = getComputedStyle(e); return backgroundColor === "rgba(0, 0, 0, 0)" && e.parentElement ? ground(e.parentElement) : backgroundColor };
		const edges = (e) => { const { left, right } = e.getBoundingClientRect(); return Math.round(left) + " to " + Math.round(right) };
		const rows = (foot) => new Set([...foot.children].map((e) => Math.round(e.getBoundingClientRect().top))).size;
		return [
			...visible(".notice").map((e) => (ground(e) === ground(e.parentElement) ? "can't be told from what it stands on: " + e.textContent : ": notice")),
			...visible(".button").map((e) => (getComputedStyle(e).textAlign === "center" ? ": button" : "isn't centred: " + e.textContent)),
			...visible(".dialog-foot").map((e) => (rows(e) === 1 || rows(e) === e.children.length && new Set([...e.children].map(edges)).size === 1 ? ": foot" : "is ragged: " + [...e.children].map((e) => e.textContent + " " + edges(e)))),
		];
	}`) {
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
		for _, answer := range b.inAFrame(b.exhibits(), "", 480, []int{320, 390, 1280}, `(page) => {
			const open = [...page.querySelectorAll("dialog[open]")].at(-1); // those below can't be reached
			if (!open) return [];
			return [...open.querySelectorAll("button:enabled, input, a")].filter((e) => e.checkVisibility()).map((e) => {
				e.focus();
				const { left, width, top, bottom } = e.getBoundingClientRect();
				const over = [top + 2, (top + bottom) / 2, bottom - 2].map((y) => page.elementFromPoint(left + width / 2, y));
				if (over.some((other) => e.contains(other))) return "seen";
				return e.outerHTML.replace(/\s+/g, " ").slice(0, 120) + " from " + top + " to " + bottom + " is under " + over.map((other) => other?.outerHTML.slice(0, 60));
			});
		}`) {
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
	for _, answer := range b.inAFrame(b.exhibits(), "", 800, []int{1280}, `(page, shown) => [
		...[...page.querySelectorAll("button, input:not([type=hidden]), .button, dialog")].filter((e) =>
			e.checkVisibility() && !e.matches(".link, .menu-line, .icon, .sort, [type=checkbox], [type=radio]") && shown.getComputedStyle(e).borderTopStyle === "none")
			.map((e) => "no border in forced colours: " + e.outerHTML.replace(/\s+/g, " ").slice(0, 120)),
		...page.getAnimations().filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 1)
			.map((a) => "it moves: " + a.effect.target.outerHTML.slice(0, 120)),
	]`) {
		t.Error(answer)
	}
	b.hasNoComplaints()
}
