package e2e

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// find finds an element in the page, in the elements' shadow trees and in their frames, and says where its document is.
// While a frame shows what was drawn, it finds nothing in there but #drawn.
const find = `((selector) => {
	const look = (root, x, y) => {
		const found = root.querySelector(selector);
		if (found) return { found, x, y };
		for (const e of root.querySelectorAll("keypeg-menu, keypeg-panel, keypeg-sign-in, iframe, #own")) {
			const { x: left, y: top } = e.getBoundingClientRect();
			const inside = e.shadowRoot ? look(e.shadowRoot, x, y) : e.contentDocument && (selector.includes("#drawn") || !e.contentDocument.querySelector("#drawn")) && look(e.contentDocument, x + left, y + top);
			if (inside) return inside;
		}
		return null;
	};
	return look(document, 0, 0);
})`

// within returns an expression about an element e that is found so. It is null if there is none that is visible.
func within(selector, expression string) string {
	return fmt.Sprintf(`((at) => { const e = at?.found; return e && e.getClientRects().length ? (%s) : null; })(%s(%s))`, expression, find, quoted(selector))
}

// finds waits until an element is visible, wherever it is.
func (b *browser) finds(selector string) {
	b.t.Helper()
	b.waitsFor("seeing "+selector, within(selector, "true"))
}

func (b *browser) findsNo(selector string) {
	b.t.Helper()
	b.waitsFor("no longer seeing "+selector, within(selector, "true")+" === null")
}

// findsText waits until an element has a text.
func (b *browser) findsText(selector, text string) {
	b.t.Helper()
	b.waitsFor(fmt.Sprintf("reading %q in %s", text, selector), within(selector, fmt.Sprintf(`e.innerText.includes(%s)`, quoted(text))))
}

// middleOf returns an expression that is the middle of an element, wherever it is, when nothing is in front of it, and else
// null.
func middleOf(selector string) string {
	return within(selector, `(() => {
		const doc = e.ownerDocument;
		if (e.disabled || !`+isPainted+`(doc) || doc.getAnimations().some((a) => a.playState === "running" && a.effect.getTiming().iterations !== Infinity)) return null;
		e.scrollIntoView({ block: "nearest" });
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		let front = e.getRootNode().elementFromPoint(x, y);
		if (front === e.getRootNode().host) front = e; // a text of the program's
		while (front && front !== e) front = front.assignedSlot ?? front.parentNode;
		return front ? [at.x + x, at.y + y] : null;
	})()`)
}

// touches clicks in the middle of such an element.
func (b *browser) touches(selector string) {
	b.t.Helper()
	b.clicksAt(selector, middleOf(selector), within(selector, "e.ownerDocument"))
}

// fills types into a text box, wherever it is.
func (b *browser) fills(selector, text string) {
	b.t.Helper()
	b.touches(selector)
	value[bool](b, within(selector, "e.select(), true"))
	b.presses(text)
}

// entersShop signs in with the password.
func (b *browser) entersShop(name string) {
	b.t.Helper()
	b.opens("/sign-in")
	b.fills("[name=name]", name)
	b.fills("[name=password]", shopPassword)
	b.presses(enter)
	b.isAt("/")
	b.finds(".name")
}

// leavesShop signs out with the last line of the menu, which is the shop's own.
func (b *browser) leavesShop() {
	b.t.Helper()
	b.touches(".name")
	b.touches("form[slot] button")
	b.isAt("/sign-in")
}

// opensPanel opens a panel by the menu.
func (b *browser) opensPanel(line int) {
	b.t.Helper()
	b.touches(".name")
	b.touches(fmt.Sprintf(".line:nth-of-type(%d)", line))
}

// isClosed waits until the panel is closed, its frame has gone, and the focus is back on the name.
func (b *browser) isClosed() {
	b.t.Helper()
	b.waitsFor("the panel to be closed", `(({ shadowRoot: s }) => !s.querySelector("dialog[open], iframe") && s.activeElement?.matches(".name"))(document.querySelector("keypeg-menu"))`)
}

// TestElements uses Keypeg's elements in a program in another language.
func TestElements(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server, whole)
	laptop := ann.hasDevice()
	laptop.touches(false)

	// She has no passkey, and adds the one that she is offered.
	ann.entersShop("ann")
	ann.findsText(".card", "Sign in faster next time")
	ann.isPictured("elements-offer")
	value[bool](ann, `globalThis.heard = [], ["ready", "close", "change"].forEach((what) => document.addEventListener("keypeg-" + what, (event) => heard.push(what + (event.detail?.passkeys ?? "")))), true`)
	ann.touches(".card .primary")
	ann.findsNo(".card")
	laptop.touches(true)
	ann.fills("#passkey-name", "Work laptop")
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.findsText("#passkeys", "Work laptop")
	ann.findsText("#passkeys", "IT desk, phone 12")
	ann.finds("#passkey-phone")
	ann.isPictured("elements-panel")
	if n := laptop.holds(); n != 1 {
		t.Fatalf("the device holds %d passkeys, want 1", n)
	}

	// The X, Escape and Back close the panel, and leave nothing in the history of the page.
	ann.touches("#passkeys-close")
	ann.isClosed()
	if heard := value[string](ann, `heard.join(" ")`); !strings.HasPrefix(heard, "change0 ready change1") || !strings.HasSuffix(heard, "close") {
		t.Errorf("the page heard %q", heard)
	}
	ann.opensPanel(1)
	ann.finds("#passkey-add")
	ann.presses(escape)
	ann.isClosed()
	ann.opensPanel(2)
	ann.findsText("#activity", "Work laptop")
	ann.isPictured("elements-activity")
	ann.goes("back")
	ann.isClosed()
	ann.touches(".name")
	ann.isPictured("elements-menu")
	ann.touches("[slot=items][href]")
	ann.isAt("/orders")
	ann.opensPanel(1)
	ann.finds("#passkey-add")
	ann.touches("#passkeys-close")
	ann.isClosed()
	ann.goes("back")
	ann.isAt("/")

	// She signs out, and in again: by autofill, and by the button.
	laptop.touches(false)
	ann.leavesShop()
	ann.finds(".sign-in button")
	ann.isPictured("elements-sign-in")
	laptop.touches(true)
	ann.opens("/sign-in")
	ann.isAt("/")
	ann.leavesShopFor("/sign-in")
	laptop.recognises(false)
	ann.touches(".sign-in button")
	ann.findsText(".sign-in [role=alert]", "No passkey of this device was used.")
	ann.touches(".sign-in button")
	ann.findsText(".sign-in [role=alert]", "Sign-in was cancelled or timed out, or no matching passkey is on this device.")
	laptop.recognises(true)
	ann.touches(".sign-in button")
	ann.isAt("/")
	ann.leavesShopFor("/sign-in-alone")
	ann.touches(".sign-in button")
	ann.isAt("/")
	ann.opensPanel(1)
	ann.findsText("#passkeys", "Last used")
	ann.hasNoComplaints()
}

// leavesShopFor signs out and opens a page where there is no autofill.
func (b *browser) leavesShopFor(path string) {
	b.t.Helper()
	autofills := b.cannotAutofill()
	b.leavesShop()
	b.opens(path)
	b.finds(".sign-in button")
	autofills()
}

// TestElementsForLong has pages open for longer than an introduction lasts, and the session end meanwhile.
func TestElementsForLong(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	s.changes(func() { s.lasts = 2 * time.Second })
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	s.changes(func() { s.lasts = 5 * time.Minute })
	ann.waitsFor("the introduction of the page to end", fmt.Sprintf(`Date.now() > %d`, time.Now().Add(2*time.Second).UnixMilli()))
	ann.opensPanel(1)
	ann.touches("#passkey-add")
	ann.fills("#passkey-name", "Work laptop")
	ann.losesIntroduction()
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.findsText("#passkeys", "Work laptop")

	// Her last proof is long ago, so she confirms: by the password, which the shop checks.
	s.changes(func() {
		for _, session := range s.sessions {
			session.proved = time.Now().Add(-time.Hour)
		}
	})
	ann.losesIntroduction()
	ann.opens("/")
	ann.opensPanel(1)
	ann.touches(row(1, ".row-buttons button:last-child"))
	ann.touches("#remove-ok")
	ann.fills("#confirm-password", "wrong")
	ann.presses(enter)
	ann.findsText("#confirm", "This password is not right.")
	ann.waitsFor("the dialog to be in the middle of the panel", within("#confirm", `((a, b) => Math.abs(a.left + a.right - b.left - b.right) < 2)(e.getBoundingClientRect(), e.parentElement.closest("dialog").getBoundingClientRect())`))
	ann.isPictured("elements-confirm")
	ann.fills("#confirm-password", shopPassword)
	ann.presses(enter)
	ann.findsText("#passkeys", "No passkeys yet")

	// Her session ends elsewhere. The panel says so to the page, which leads to the sign-in.
	ann.touches("#passkey-add")
	ann.finds("#passkey-register")
	s.changes(func() { clear(s.sessions) })
	ann.losesIntroduction()
	value[any](ann, within("#passkey-register", "e.click()")) // unless the panel has noticed already
	ann.isAt("/sign-in")

	// So does the panel within a page.
	ann.entersShop("ann")
	ann.opens("/settings")
	ann.findsText("#passkeys", "No passkeys yet")
	s.changes(func() { clear(s.sessions) })
	value[bool](ann, `document.querySelector("keypeg-panel").shadowRoot.querySelector("iframe").dispatchEvent(new CustomEvent("keypeg-signed-out", { bubbles: true, composed: true, cancelable: true }))`)
	ann.isAt("/sign-in")

	// The page can say it in its own way.
	ann.entersShop("ann")
	value[bool](ann, `document.querySelector("keypeg-menu").addEventListener("keypeg-signed-out", (event) => { event.preventDefault(); document.title = "Signed out"; }), true`)
	s.changes(func() { clear(s.sessions) })
	value[bool](ann, `document.querySelector("keypeg-menu").removeAttribute("introduction"), true`)
	ann.opensPanel(1)
	ann.waitsFor("the page to say it", `document.title === "Signed out" && location.pathname === "/"`)
	ann.isClosed()
}

// losesIntroduction ends what the browser is introduced with, as time does.
func (b *browser) losesIntroduction() {
	b.t.Helper()
	value[bool](b, `fetch(location.origin + "/keypeg/introduction", { method: "DELETE" }).then(() => true)`)
}

// TestElementsRefused: what a program does wrong is said to its developer, and to its user what they can do.
func TestElementsRefused(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	s.changes(func() { s.signs, s.errs = "another-secret-0123456789abcdefghijk", true })
	ann.entersShop("ann")
	ann.opensPanel(1)
	ann.findsText("dialog .card", "This program has not said correctly who you are. Please tell: IT desk, phone 12")
	ann.isPictured("elements-refused")
	ann.writes("both sides need the same secret")
	ann.touches("dialog .card button")
	ann.isClosed()
	ann.opens("/settings")
	ann.findsText("p[role=alert]", "Please tell: IT desk, phone 12")
}

// TestElementsInline has the panel within a page.
func TestElementsInline(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	ann.opens("/settings")
	ann.findsText("#passkeys", "No passkeys yet")
	ann.waitsFor("the frame to be as high as the panel", within("iframe", `Math.abs(e.getBoundingClientRect().height - e.contentDocument.querySelector("#passkeys").getBoundingClientRect().height) < 2 && e.contentDocument.documentElement.scrollHeight <= e.clientHeight`))
	ann.touches("#passkey-add")
	ann.touches("#passkey-register")
	ann.finds("input[id^=name-]")
	ann.isPictured("elements-inline-name")
	ann.touches("#passkey-try-end")
	ann.findsNo("input[id^=name-]")
	ann.isPictured("elements-inline")
	ann.touches(row(1, ".row-buttons button:last-child"))
	ann.isPictured("elements-inline-remove")
	ann.touches("#remove-ok")
	ann.findsText("#passkeys", "No passkeys yet")
	ann.touches("#passkey-add")
	ann.touches("#passkey-register")
	ann.fills("input[id^=name-]", "Desk")
	ann.touches("#passkey-try-end") // what was typed counts
	ann.findsText(row(1, "bdi"), "Desk")
	if at := value[string](ann, `location.pathname`); at != "/settings" {
		t.Errorf("the page is at %s", at)
	}
	ann.hasNoComplaints()
}

// TestElementsDrawn opens the panel before its program has come. It can be read and closed.
func TestElementsDrawn(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	ann.runsFirst(gate)
	ann.opens("/?lang=de")
	for _, closes := range []func(){
		func() { ann.presses(escape) },
		func() { ann.goes("back") },
		func() { ann.touches("#drawn .panel-head button") },
	} {
		ann.opensPanel(1)
		ann.findsText("#drawn", "Noch keine Passkeys")
		closes()
		ann.isClosed()
	}
	ann.opensPanel(1)
	ann.findsText("#drawn", "Noch keine Passkeys")
	ann.isPictured("elements-drawn")
	value[bool](ann, `document.querySelector("keypeg-menu").shadowRoot.querySelector("iframe").contentWindow.openGate(), true`)
	ann.findsText("dialog#passkeys", "Noch keine Passkeys")
	ann.hasNoComplaints()
}

// TestElementsLook: the panel looks like the page around it, which one sees beside it.
func TestElementsLook(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	for _, row := range []struct {
		page                string
		prefersDark, isDark bool // the reader's system, and the panel
	}{
		{page: "/"}, {page: "/", prefersDark: true},
		{page: "/?class=dark", isDark: true}, {page: "/?class=dark", prefersDark: true, isDark: true},
		{page: "/?class=both"}, {page: "/?class=both", prefersDark: true, isDark: true},
	} {
		ann.prefersDark(row.prefersDark)
		ann.opens(row.page)
		ann.opensPanel(1)
		ann.finds("#passkey-add")
		want := []string{"rgb(255, 255, 255)", "rgb(122, 31, 92)", "Georgia"}
		if row.isDark {
			want[0] = "rgb(26, 34, 41)"
		}
		got := value[[]string](ann, within("#passkey-add", `((style) => [style(e.closest("dialog")).backgroundColor, style(e).backgroundColor, style(e).fontFamily.split(",")[0]])(e.ownerDocument.defaultView.getComputedStyle)`))
		if !slices.Equal(got, want) {
			t.Errorf("%+v: the panel has %q, want %q", row, got, want)
		}
		if header, below := ann.colourAt(3, 3), ann.colourAt(3, 300); header == below {
			t.Errorf("%+v: beside the panel, all is %v", row, header)
		}
	}
}

// colourAt returns what colour a point of the screen has.
func (b *browser) colourAt(x, y int) color.Color {
	b.t.Helper()
	seen, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(seen))
	if err != nil {
		b.t.Fatal(err)
	}
	return picture.At(x, y)
}
