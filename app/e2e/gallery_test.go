package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// movesNothing makes the browser ask for less motion, so that what is looked at
// stands still.
func (b *browser) movesNothing(more ...*emulation.MediaFeature) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: append(more, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}),
	}); err != nil {
		b.t.Fatal(err)
	}
}

// exhibits are the names of all states in the gallery.
func (b *browser) exhibits() []string {
	b.t.Helper()
	b.opens("/gallery")
	names := value[[]string](b, `[...document.querySelectorAll("section h2")].map((h) => h.innerText)`)
	if len(names) < 40 {
		b.t.Fatalf("the gallery has only %q", names)
	}
	return names
}

// TestAccessible has axe-core look at every state, light and dark.
func TestAccessible(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../../bin/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is missing: run make tools")
	}
	s := startServer(t, "--gallery")
	b := openBrowser(t, s)
	b.movesNothing()
	for _, name := range b.exhibits() {
		b.opens("/gallery/" + name)
		value[bool](b, string(axe)+"; true")
		for _, dark := range []bool{false, true} {
			b.movesNothing(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: map[bool]string{true: "dark", false: "light"}[dark]})
			found := value[json.RawMessage](b, `axe.run(document, { resultTypes: ["violations"] }).then((r) =>
				r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.html.replace(/\s+/g, " ").slice(0, 120) + " " + n.failureSummary.replaceAll("\n", " ")).join("; ")))`)
			var violations []string
			if err := json.Unmarshal(found, &violations); err != nil {
				t.Fatal(err)
			}
			for _, violation := range violations {
				t.Errorf("%s (dark %t): %s", name, dark, violation)
			}
		}
	}
}

// TestFits has nothing stick out to the side, however small or large a page is,
// whatever its language or direction.
func TestFits(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--gallery")
	b := openBrowser(t, s)
	b.movesNothing()
	names := b.exhibits()
	for _, query := range []string{"", "?dir=rtl", "?lang=de", "?lang=fr", "?lang=es", "?lang=ja"} {
		for _, name := range names {
			b.opens("/gallery/" + name + query)
			for _, width := range []int64{320, 640, 1280} { // 640 is 1280 at 200 %
				b.isSize(width, 800)
				out := value[[]string](b, `[...document.querySelectorAll("body *")].filter((e) => {
					const r = e.getBoundingClientRect();
					return r.width > 1 && getComputedStyle(e).position !== "fixed" && !e.closest(".skip, .spoken") && (r.right > innerWidth + 1 || r.left < -1);
				}).map((e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 120))`)
				if len(out) > 0 {
					t.Errorf("%s%s at %d: sticks out: %s", name, query, width, out[0])
				}
			}
		}
	}
}

// TestButtonsStayInSight: on a phone that is held sideways, or with the keyboard open, the
// buttons of a dialog aren't below the edge.
func TestButtonsStayInSight(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--gallery")
	b := openBrowser(t, s)
	b.movesNothing()
	seen := 0
	for _, name := range b.exhibits() {
		b.isSize(320, 400)
		b.opens("/gallery/" + name)
		for _, button := range value[[]box](b, `[...document.querySelectorAll("dialog.dialog .dialog-foot button")].filter((e) => e.checkVisibility()).map((e) => {
			const r = e.getBoundingClientRect();
			return { Left: r.left, Top: r.top, Width: r.width, Height: r.height };
		})`) {
			seen++
			if button.Top < 0 || button.Top+button.Height > 400 {
				t.Errorf("%s: a button is at %+v", name, button)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d buttons were seen", seen)
	}
}

// TestForcedColoursAndReducedMotion: what is meant to be seen is seen without our
// colours, and nothing moves for those who asked for that.
func TestForcedColoursAndReducedMotion(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--gallery")
	b := openBrowser(t, s)
	b.movesNothing(&emulation.MediaFeature{Name: "forced-colors", Value: "active"})
	for _, name := range b.exhibits() {
		b.opens("/gallery/" + name)
		without := value[[]string](b, `[...document.querySelectorAll("button, input:not([type=hidden]), .button, dialog")].filter((e) =>
			e.checkVisibility() && !e.matches(".link, .menu-line, .icon, [type=checkbox]") && getComputedStyle(e).borderTopStyle === "none").map((e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 120))`)
		if len(without) > 0 {
			t.Errorf("%s: no border in forced colours: %s", name, strings.Join(without, "\n"))
		}
		if n := value[int](b, `document.getAnimations().filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 1).length`); n > 0 {
			t.Errorf("%s: %d things move", name, n)
		}
	}
	b.hasNoComplaints()
}
