package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestManual reads every page of the manual at five widths, in the light and in the dark,
// with a script of the test's own and none of the page's.
func TestManual(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../../bin/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is missing: run make tools")
	}
	s := startServer(t, "--manual-public")
	b := openBrowser(t, s)
	b.runsFirst(string(axe))
	b.opens("/manual/")
	pages := value[[]string](b, `[...document.querySelectorAll(".manual-text li a")].map((a) => a.getAttribute("href"))`)
	if len(pages) < 10 {
		t.Fatalf("the manual has the pages %q", pages)
	}
	prefers := func(scheme string) {
		b.movesNothing(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})
	}
	for _, at := range append(pages, "/manual/") {
		prefers("light")
		b.opens(at)
		for _, width := range []int64{320, 390, 640, 1920, 1280} {
			b.isSize(width, 800)
			for _, answer := range value[[]string](b, fmt.Sprintf(`(() => {
				const answers = (%s)(document, window), wide = document.scrollingElement.scrollWidth;
				return wide > %d ? [...answers, "it is " + wide + " wide"] : answers;
			})()`, sticksOut, width)) {
				t.Errorf("%s at %d: %s", at, width, answer)
			}
		}
		for _, scheme := range []string{"light", "dark"} {
			prefers(scheme)
			for _, violation := range value[[]string](b, `(`+askAxe+`)(window, "`+scheme+`")`) {
				t.Errorf("%s, %s", at, violation)
			}
		}
	}

	// A picture is there, and a link to a heading leads to it.
	b.opens("/manual/using")
	if !value[bool](b, `(async () => { const i = document.querySelector(".manual-text img"); i.loading = "eager"; await i.decode(); return i.naturalWidth > 300; })()`) {
		t.Error("the pictures of the manual don't come")
	}
	b.opens("/manual/running#settings")
	if top := value[float64](b, `document.getElementById("settings").getBoundingClientRect().top`); top < 0 || top > 400 {
		t.Errorf("a link to the settings leads to %f px from the top", top)
	}
	for name, at := range map[string]string{"index": "/manual/", "running": "/manual/running", "using": "/manual/using"} {
		b.opens(at)
		b.isPictured("manual-" + name)
	}
}
