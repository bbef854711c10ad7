package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/keypeg/keypeg/shared/message"
)

// TestElementsOffer: the offer stays below the name, wherever that goes, and on a phone at the bottom, where it leaves the
// beginning of the page to see. It makes way for the menu, and goes when the panel opens.
func TestElementsOffer(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	below := func(when string) {
		t.Helper()
		ann.waitsFor("the offer below the name "+when, `(({ shadowRoot: s }) => { const [name, card] = [".name", ".card"].map((it) => s.querySelector(it).getBoundingClientRect()); return card.height > 0 && Math.abs(name.right - card.right) < 1 && card.top >= name.bottom && card.top < name.bottom + 10; })(document.querySelector("keypeg-menu"))`)
	}
	ann.finds(".card .quiet")
	below("at first")
	value[bool](ann, `scrollTo(0, 50), true`)
	below("when the page is scrolled")
	ann.isSize(700, 500)
	below("in a smaller window")
	ann.isSize(390, 700)
	ann.waitsFor("the offer at the bottom of a phone", within(".card", `((r) => r.left >= 0 && r.right <= innerWidth && innerHeight - r.bottom < 16 && r.top > 350)(e.getBoundingClientRect())`))
	ann.touches(".name")
	ann.finds(".line")
	ann.findsNo(".card")
	ann.presses(escape)
	ann.finds(".card")
	ann.isSize(1280, 800)
	ann.opensPanel(1)
	ann.finds("#passkey-add")
	ann.touches("#passkeys-close")
	ann.isClosed()
	ann.findsNo(".card")
	ann.opens("/")
	ann.touches(".card .quiet")
	ann.findsNo(".card")
	ann.hasNoComplaints()
}

// TestElementsPhone: "Add on my phone" works in a program in another language too.
func TestElementsPhone(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	ann.opensPanel(1)
	ann.touches("#passkey-phone")
	ann.finds("#link .qr path")
	ann.isPictured("elements-phone-code")
	link := value[string](ann, within("#link-url", "e.value"))

	phone := openBrowser(t, s.server)
	device := phone.hasDevice()
	phone.cannotAutofill()
	phone.opens(link)
	phone.readsIn("h1", "Passkey for this device")
	phone.reads("With it, you sign in on this device as ann@shop.test.")
	phone.isPictured("elements-phone")
	phone.clicks("#use-passkey")
	phone.isAt("/api/v1/enrol/done")
	if n := device.holds(); n != 1 {
		t.Fatalf("the phone holds %d passkeys, want 1", n)
	}
	ann.findsNo("#link") // it comes by itself
	ann.finds(".row.lit")
	phone.opens("/sign-in")
	phone.touches(".sign-in button")
	phone.isAt("/")
	phone.hasNoComplaints()
	ann.hasNoComplaints()
}

// TestElementsByKeyboard uses the menu without a mouse.
func TestElementsByKeyboard(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	isOn := func(what string) {
		t.Helper()
		ann.waitsFor("the focus on "+what, `((e) => (e.shadowRoot?.activeElement ?? e).innerText.trim() === `+quoted(what)+`)(document.activeElement)`)
	}
	value[bool](ann, `document.querySelector("keypeg-menu").shadowRoot.querySelector(".name").focus(), true`)
	for _, step := range []struct{ key, on string }{
		{down, "Passkeys"}, {down, "Activity"}, {down, "Orders"}, {down, "Sign out"}, {down, "Passkeys"}, {up, "Sign out"},
	} {
		ann.presses(step.key)
		isOn(step.on)
	}
	ann.presses(escape)
	ann.findsNo(".line")
	ann.isClosed() // the focus is on the name
	ann.presses(enter)
	isOn("Passkeys")
	ann.presses(enter)
	ann.findsText("#passkeys", "No passkeys yet")
	ann.waitsFor("the focus in the panel", within("#passkeys-title", `e.ownerDocument.activeElement === e && document.hasFocus() && e.ownerDocument.hasFocus()`))
	ann.presses(escape)
	ann.isClosed()
	ann.hasNoComplaints()
}

// TestElementsSpeak: the elements and the panel have the language of the page.
func TestElementsSpeak(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.hasDevice().recognises(false)
	ann.cannotAutofill()
	for _, text := range message.Languages {
		ann.opens("/sign-in?lang=" + text.Lang)
		ann.findsText(".sign-in button", text.SignIn.Passkey)
		ann.touches(".sign-in button")
		ann.findsText(".sign-in [role=alert]", message.SignInPageIn(text).NotHere)
	}
	ann.entersShop("ann")
	for _, text := range message.Languages {
		ann.opens("/?lang=" + text.Lang + "-XX")
		ann.findsText(".card", text.Home.OfferLead)
		ann.touches(".name")
		ann.findsText(".line", text.Shell.Passkeys)
		ann.touches(".line")
		ann.findsText("#passkeys", text.Panel.EmptyTitle)
	}
	ann.hasNoComplaints()
}

// TestElementsAccessible has axe-core look at the elements.
func TestElementsAccessible(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../../bin/axe.min.js")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("axe-core is missing: run make tools")
	}
	if err != nil {
		t.Skip("axe-core is missing: run make tools")
	}
	s := startShop(t)
	ann := openBrowser(t, s.server)
	finds := func(what, selector string) {
		t.Helper()
		for _, dark := range []bool{false, true} {
			ann.prefersDark(dark)
			found := value[[]string](ann, `axe.run(`+quoted(selector)+`, { preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then(({ violations }) => violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html + " " + n.failureSummary)))`)
			if len(found) > 0 {
				t.Errorf("%s, dark %t: %q", what, dark, found)
			}
		}
	}
	ann.runsFirst(string(axe))
	ann.opens("/sign-in?class=both")
	ann.finds(".sign-in button")
	finds("sign-in", "keypeg-sign-in")
	ann.entersShop("ann")
	ann.opens("/?class=both")
	ann.finds(".card .quiet")
	finds("the offer", "keypeg-menu")
	ann.touches(".card .quiet")
	ann.touches(".name")
	ann.finds(".line")
	finds("the menu", "keypeg-menu")
	ann.touches(".line")
	ann.finds("#passkey-add")
	finds("the panel", "keypeg-menu")
	ann.opens("/settings?class=both")
	ann.finds("#passkey-add")
	finds("the panel within the page", "keypeg-panel")
}

// TestElementsProofs: a program that sends the proof itself can let the user try again. One that gets it by its form doesn't
// get it again with the next one, as a proof works once.
func TestElementsProofs(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.touches(".card .primary")
	ann.fills("#passkey-name", "Laptop")
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.touches("#passkeys-close")
	ann.isClosed()
	ann.cannotAutofill()

	ann.leavesShopFor("/sign-in-alone")
	value[bool](ann, `globalThis.proofs = [], addEventListener("keypeg-proof", (event) => { event.preventDefault(); proofs.push(event.detail.proof); }), true`)
	for n := range 2 {
		ann.touches(".sign-in button")
		ann.waitsFor("another proof", fmt.Sprintf(`new Set(proofs).size === %d`, n+1))
		ann.findsText(".sign-in button", "Sign in with a passkey")
	}

	ann.opens("/sign-in")
	value[bool](ann, `globalThis.form = document.querySelector("form"), HTMLFormElement.prototype.submit = function () { globalThis.sent = new FormData(this).get("proof"); }, true`)
	ann.touches(".sign-in button")
	ann.waitsFor("the proof to be sent", `!!globalThis.sent`)
	if value[bool](ann, `new FormData(form).has("proof")`) {
		t.Error("the form has the proof that it has sent")
	}
	ann.hasNoComplaints()
}

// TestElementsOwnTree: within the shadow tree of a program's own component, the elements have the language of the page and
// the program's colours, and the menu has what the program wants in it.
func TestElementsOwnTree(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.mux.HandleFunc("GET /own", s.forUsers(`<div id="own" data-introduction="{introduction}"></div>`))
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.opens("/own?lang=de")
	value[bool](ann, `(({ dataset, style }, root) => {
		style.setProperty("--keypeg-menu-text", "rgb(1, 2, 3)");
		const menu = Object.assign(document.createElement("keypeg-menu"), { textContent: "Ann" });
		for (const [name, value] of Object.entries({ ...dataset, fresh: "/fresh", "no-activity": "" })) menu.setAttribute(name, value);
		root.append(document.createElement("keypeg-sign-in"), menu);
	})(document.querySelector("#own"), document.querySelector("#own").attachShadow({ mode: "open" })), true`)
	ann.findsText(".sign-in button", "Mit Passkey anmelden")
	ann.waitsFor("the program's colour of the name", within(".name", `getComputedStyle(e).color === "rgb(1, 2, 3)"`))
	ann.touches(".name")
	ann.findsText(".line", "Passkeys")
	ann.waitsFor("the line about passkeys alone", within("[popover]", `e.querySelectorAll(".line").length === 1`))
	ann.touches(".line")
	ann.findsText("#passkeys", "Noch keine Passkeys")
	ann.touches("#passkeys-close")
	ann.findsNo("#passkeys")
	ann.hasNoComplaints()
}
