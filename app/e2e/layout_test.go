package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// box is the place of an element on the screen.
type box struct{ Left, Top, Width, Height float64 }

func (b *browser) boxOf(selector string) box {
	b.t.Helper()
	b.sees(selector)
	return value[box](b, fmt.Sprintf(`(() => {
		const r = document.querySelector(%s).getBoundingClientRect();
		return { Left: r.left, Top: r.top, Width: r.width, Height: r.height };
	})()`, quoted(selector)))
}

// TestNothingMoves opens states that follow each other, and checks that no element has another
// place in the second one.
func TestNothingMoves(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	follows := []struct{ before, after, what string }{
		{"panel-list", "panel-add", ".panel"},
		{"panel-add", "panel-add-working", "#passkey-add-cancel"},
		{"panel-add", "panel-add-working", "#passkey-register"},
		{"panel-rename", "panel-renaming", "#keep-a"},
		{"panel-remove", "panel-removing", "#remove-cancel"},
	}
	var names, what []string
	for _, follow := range follows {
		names, what = append(names, follow.before, follow.after), append(what, follow.what)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	widths := []int{320, 390, 1280}
	for _, query := range []string{"", "?dir=rtl", "?lang=de", "?lang=fr", "?lang=es", "?lang=ja"} {
		places := map[string]string{} // by what is there, in which state and at which width
		for _, answer := range b.walks(pass{query: query, names: names, height: 800, widths: widths, question: `(page) =>
			["` + strings.Join(what, `", "`) + `"].map((selector) => [selector, page.querySelector(selector)]).filter(([, e]) => e?.checkVisibility({ visibilityProperty: true })).map(([selector, e]) => {
				const { left, top, width, height } = e.getBoundingClientRect();
				return selector + " is at " + [left, top, width, height];
			})`}) {
			of, at, _ := strings.Cut(answer, " is at ")
			places[of] = at
		}
		for _, follow := range follows {
			for _, width := range widths {
				place := func(name string) string {
					return places[fmt.Sprintf("%s%s at %d: %s", name, query, width, follow.what)]
				}
				if before, after := place(follow.before), place(follow.after); before == "" || after != before {
					t.Errorf("%s%s at %d: %s is at %q, and before at %q", follow.after, query, width, follow.what, after, before)
				}
			}
		}
	}
	b.isSize(1280, 800)
	b.opens("/panel-list")
	before := b.boxOf(".rows")
	b.opens("/panel-add")
	if after := b.boxOf(".rows"); after != before {
		t.Errorf("the list is at %+v once the form is open, and was at %+v", after, before)
	}
}

// TestAddIsFirstOnAPhone: the button to add a passkey is above the list.
func TestAddIsFirstOnAPhone(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	for _, width := range []int64{320, 390} {
		b.isSize(width, 800)
		b.opens("/panel-list")
		if add, list := b.boxOf("#passkey-add"), b.boxOf(".rows"); add.Top+add.Height > list.Top {
			t.Errorf("at %d, Add passkey is at %+v, and the list at %+v", width, add, list)
		}
	}
}

// TestAddStaysOnAPhone: whoever scrolls through the list still sees the button, and it covers nothing that
// has the keyboard focus.
func TestAddStaysOnAPhone(t *testing.T) {
	t.Parallel()
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	b.isSize(390, 700)
	b.opens("/panel-list")
	b.sees("#passkey-add")
	if moved := value[float64](b, `(() => {
		const body = document.querySelector(".panel-body");
		body.scrollTop = body.scrollHeight;
		return body.scrollTop;
	})()`); moved < 100 {
		t.Fatalf("there is nothing to scroll: %v", moved)
	}
	if add, head := b.boxOf("#passkey-add"), b.boxOf(".panel-head"); add.Top < head.Top+head.Height || add.Top > 200 {
		t.Errorf("at the end of the list, Add passkey is at %+v", add)
	}
	for _, covered := range value[[]string](b, `[...document.querySelectorAll(".panel-list button")].reverse().filter((e) => {
		e.focus();
		const { left, top, width, height } = e.getBoundingClientRect();
		return !e.contains(document.elementFromPoint(left + width / 2, top + height / 2));
	}).map((e) => e.id)`) {
		t.Errorf("%s has the focus and is covered", covered)
	}
}

// TestLongNames: the header is one line and shows both names, however long the names of person
// and product are.
func TestLongNames(t *testing.T) {
	s := startGallery(t)
	b := openBrowser(t, s)
	b.movesNothing()
	for _, width := range []int64{320, 390, 1280} {
		b.isSize(width, 800)
		b.opens("/home")
		usual := b.boxOf(".top")
		b.opens("/home-long-names")
		if top := b.boxOf(".top"); top != usual {
			t.Errorf("at %d, the header is %+v; with short names it is %+v", width, top, usual)
		}
		for _, part := range []string{".top .brand span", ".menu-button"} {
			if at := b.boxOf(part); at.Width < 60 || at.Left < 0 || at.Left+at.Width > float64(width) {
				t.Errorf("at %d, %s is at %+v", width, part, at)
			}
		}
		if scrolls := value[int64](b, `document.scrollingElement.scrollWidth`); scrolls > width {
			t.Errorf("at %d, the page is %d wide", width, scrolls)
		}
	}
}
