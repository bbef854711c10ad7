package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/server/proxytest"
)

// crib is a tool crib: a host program with people of its own.
type crib struct {
	*server
	folder    string
	passwords map[string]string // by name, as it printed them
}

func startCrib(t *testing.T) *crib {
	t.Helper()
	c := &crib{&server{t: t, program: toolcrib, listens: proxytest.FreeAddress(t), log: &proxytest.Output{}}, t.TempDir(), map[string]string{}}
	c.url = "http://" + c.listens
	c.flags = []string{"-listen", c.listens, "-data", c.folder, "-app", toolcribApp}
	c.opens()
	t.Cleanup(func() {
		c.stops()
		if t.Failed() {
			t.Logf("the crib's log:\n%s", c.log)
		}
	})
	return c
}

// opens starts the crib, and waits until its output says that it can be reached.
func (c *crib) opens() {
	c.t.Helper()
	c.runs(func(line string) bool {
		if name, password, ok := strings.Cut(line, "  "); ok {
			c.passwords[name] = password
		}
		return strings.HasPrefix(line, "The tool crib is open")
	})
}

// growsOld sets every session back by an hour. It restarts the crib for that.
func (c *crib) growsOld() {
	c.t.Helper()
	c.stops()
	path := filepath.Join(c.folder, "crib.json")
	kept, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	proved := regexp.MustCompile(`"proved": "[^"]*"`)
	if !proved.Match(kept) {
		c.t.Fatalf("nobody is signed in: %s", kept)
	}
	before := time.Now().Add(-time.Hour).Format(time.RFC3339)
	if err := os.WriteFile(path, proved.ReplaceAll(kept, []byte(`"proved": "`+before+`"`)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.opens()
}

// entersCrib signs in with the password that the crib has printed.
func (b *browser) entersCrib(c *crib, name string) {
	b.t.Helper()
	b.opens("/")
	b.isAt("/sign-in")
	b.types("#sign-in-name", name)
	b.types("#sign-in-password", c.passwords[name])
	b.clicks("#sign-in-submit")
	b.isAt("/")
	b.readsIn("#user-menu-button", name)
}

func (b *browser) opensPasskeysInCrib() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-passkeys")
	b.sees("#passkeys")
}

func (b *browser) leavesCrib() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-sign-out")
	b.isAt("/sign-in")
	b.sees("#sign-in-name")
}

// TestToolcrib uses a host program from the first sign-in on.
func TestToolcrib(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	ann := openBrowser(t, c.server)
	laptop := ann.hasDevice()
	laptop.touches(false)

	// A wrong password comes first, and then the crib's own work.
	ann.opens("/")
	ann.isAt("/sign-in")
	ann.hasFocusOn("#sign-in-name")
	ann.isPictured("crib-sign-in")
	ann.types("#sign-in-name", "ann")
	ann.types("#sign-in-password", "wrong")
	ann.clicks("#sign-in-submit")
	ann.readsIn(".notice-bad", "The name or the password is not right.")
	ann.isPictured("crib-sign-in-refused")
	if name := value[string](ann, `document.querySelector("#sign-in-name").value`); name != "ann" {
		t.Errorf("the name is %q now", name)
	}
	ann.types("#sign-in-password", c.passwords["ann"])
	ann.presses(enter)
	ann.isAt("/")
	ann.readsIn("#tool-1 .crib-quiet", "In the crib")
	ann.clicks("#tool-1 button")
	ann.readsIn("#tool-1 .crib-quiet", "You have it")
	ann.hasFocusOn("#tool-1 button")
	ann.isPictured("crib-tools")

	// She opens Passkeys below her name, and adds one.
	ann.opensPasskeysInCrib()
	ann.reads("No passkeys yet")
	ann.reads("the keeper of the crib") // whom to ask
	ann.sees("#passkey-phone")
	ann.goes("back") // closes the panel, and leaves the page where it is
	ann.seesNo("#passkeys")
	ann.readsIn("#tool-1 .crib-quiet", "You have it")
	ann.hasFocusOn("#user-menu-button")
	ann.goes("forward")
	ann.sees("#passkeys")
	value[bool](ann, `setTimeout(() => location.reload()), true`)
	ann.sees("#passkeys")
	ann.reads("No passkeys yet")
	laptop.touches(true)
	ann.addsPasskey("Work laptop")
	ann.isPictured("crib-panel")
	if n := laptop.holds(); n != 1 {
		t.Fatalf("the device holds %d passkeys, want 1", n)
	}
	ann.clicks("#passkeys-close")
	ann.seesNo("#passkeys")
	ann.hasFocusOn("#user-menu-button")

	// She signs out, and in again with the passkey: by autofill, and by the button where
	// the browser has no autofill.
	laptop.touches(false)
	ann.leavesCrib()
	laptop.touches(true)
	ann.opens("/sign-in")
	ann.isAt("/")
	ann.readsIn("#user-menu-button", "ann")
	laptop.touches(false)
	ann.leavesCrib()
	autofills := ann.cannotAutofill()
	ann.opens("/sign-in")
	laptop.touches(true)
	laptop.recognises(false)
	ann.clicks("#sign-in-passkey")
	ann.readsIn(".notice", "Sign-in was cancelled or timed out, or no matching passkey is on this device.")
	ann.hasFocusOn("#sign-in-passkey")
	laptop.recognises(true)
	ann.clicks("#sign-in-passkey")
	ann.isAt("/")
	autofills()
	ann.opensPasskeysInCrib()
	ann.reads("You signed in with it")
	ann.hasNoComplaints()
	ann.seesHerActivityInCrib()

	// The crib restarts and keeps everything. She confirms to remove a passkey.
	c.growsOld()
	ann.opens("/")
	ann.readsIn("#tool-1 .crib-quiet", "You have it")
	ann.opensPasskeysInCrib()
	ann.clicks(row(1, ".row-buttons button:last-child"))
	ann.reads("It is your last passkey. You'll sign in with your password.")
	ann.reads("Also end sessions that were started with it elsewhere")
	ann.clicks("#remove-ok")
	laptop.recognises(false)
	ann.clicks("#confirm-passkey")
	ann.readsIn("#confirm .notice", "Nothing was confirmed. The prompt was closed or timed out, or no matching passkey is on this device.")
	ann.hasFocusOn("#confirm-passkey")
	laptop.recognises(true)
	ann.types("#confirm-password", "wrong")
	ann.clicks("#confirm-submit")
	ann.reads("This password is not right.")
	ann.hasFocusOn("#confirm-submit")
	ann.isPictured("crib-confirm")
	ann.types("#confirm-password", c.passwords["ann"])
	ann.clicks("#confirm-submit")
	ann.reads("No passkeys yet")
	laptop.comesToHold("no passkey that works", func(held []*webauthn.Credential) bool { return len(held) == 0 })
}

// seesHerActivityInCrib opens Activity from the passkeys, and comes back by the Back button.
func (b *browser) seesHerActivityInCrib() {
	b.t.Helper()
	b.clicks("#passkeys-close")
	b.clicks("#user-menu-button")
	b.clicks("#menu-activity")
	b.hasFocusOn("#activity-title")
	b.readsIn("#activity .rows > li:first-child .row-name bdi", "Signed in with “Work laptop”")
	b.readsIn("#activity .rows > li:first-child .tag", "This browser")
	b.reads("Passkey “Work laptop” added")
	b.reads("Need help? the keeper of the crib")
	b.isPictured("crib-activity")
	value[bool](b, `setTimeout(() => location.reload()), window.before = true`)
	b.waitsFor("the page to be loaded again", `!window.before && document.querySelector("#activity")`)
	b.hasFocusOn("#activity-title")
	b.presses(escape)
	b.seesNo("#activity")
	b.hasFocusOn("#user-menu-button")
	b.goes("back")
	b.sees("#activity")
	b.clicks("#activity-close")
	b.seesNo("#activity")
}

// TestToolcribOffers: whoever signs in with the crib's password and has no passkey is offered one, on
// the crib's own page.
func TestToolcribOffers(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	bob := openBrowser(t, c.server)
	device := bob.hasDevice()
	device.touches(false)
	bob.entersCrib(c, "bob")
	bob.readsIn("#offer .row-name", "Sign in faster next time")
	bob.isPictured("crib-offer")
	bob.clicks("#offer-add")
	bob.hasFocusOn("#passkey-name")
	bob.goes("back") // closes the form, and leaves the page where it is
	bob.seesNo("#passkeys")
	bob.clicks("#offer-add")
	device.touches(true)
	bob.types("#passkey-name", "Phone")
	bob.clicks("#passkey-register")
	bob.reads("Passkey added")
	bob.seesNo("#offer")
	bob.clicks("#passkeys-close")
	bob.seesNo("#passkeys")
	bob.hasFocusOn("#user-menu-button")
	bob.opens("/")
	bob.readsIn("#user-menu-button", "bob")
	bob.seesNo("#offer")

	// Not now is for 30 days, and for this browser.
	ann := openBrowser(t, c.server)
	ann.entersCrib(c, "ann")
	ann.clicks("#offer-not-now")
	ann.seesNo("#offer")
	ann.hasFocusOn("#user-menu-button")
	ann.leavesCrib()
	ann.entersCrib(c, "ann")
	ann.seesNo("#offer")
	if until := value[int64](ann, `Number(localStorage.getItem("keypeg-offer-after")) - Math.floor(Date.now() / 1000)`); until < 30*24*3600-600 || until > 30*24*3600 {
		t.Errorf("the offer rests for %d seconds", until)
	}
	value[bool](ann, `localStorage.setItem("keypeg-offer-after", Math.floor(Date.now() / 1000) - 1), true`)
	ann.opens("/")
	ann.sees("#offer")
	bob.hasNoComplaints()
	ann.hasNoComplaints()
}

// TestToolcribPhone: a person shows a code on the screen, and their phone gets a passkey for the
// crib.
func TestToolcribPhone(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	ann := openBrowser(t, c.server)
	ann.entersCrib(c, "ann")
	ann.opensPasskeysInCrib()
	makes := func() string {
		ann.clicks("#passkey-phone")
		ann.readsIn("#link-title", "Add a passkey on your phone")
		ann.sees("#link .qr path")
		return value[string](ann, `document.getElementById("link-url").value`)
	}
	first := makes()
	ann.clicks("#link-done")
	ann.seesNo("#link")
	makes()
	ann.isPictured("crib-phone-code")

	// Back closes the panel, the code with it, and not the page.
	ann.goes("back")
	ann.seesNo("#passkeys")
	ann.opensPasskeysInCrib()
	link := makes()

	phone := openBrowser(t, c.server)
	device := phone.hasDevice()
	phone.cannotAutofill()
	phone.opens(first)
	phone.reads("This code was used already, or is older than five minutes. Show a new one on your other device.")
	phone.isPictured("crib-phone-gone")
	phone.opens(link)
	phone.isAt("/api/v1/enrol?opened") // the code is in no address any more
	phone.readsIn("h1", "Passkey for this device")
	phone.reads("With it, you sign in on this device as ann.")
	phone.reads("Need help? the keeper of the crib")
	phone.isPictured("crib-phone")
	if colour := value[string](phone, `getComputedStyle(document.querySelector("#use-passkey")).backgroundColor`); colour != "rgb(138, 75, 8)" {
		t.Errorf("the button has the colour %s, and not the crib's", colour)
	}
	phone.clicks("#use-passkey")
	phone.isAt("/api/v1/enrol/done")
	phone.isPictured("crib-phone-done")
	if n := device.holds(); n != 1 {
		t.Fatalf("the phone holds %d passkeys, want 1", n)
	}
	ann.seesNo("#link") // it comes by itself
	ann.sees(".row.lit")
	phone.clicks("a.button.primary")
	phone.isAt("/sign-in")
	phone.clicks("#sign-in-passkey")
	phone.isAt("/")
	phone.readsIn("#user-menu-button", "ann")
	phone.complains("status of 404", 1) // the first code; a port may have these digits
	phone.hasNoComplaints()
	ann.hasNoComplaints()
}

// TestToolcribActivity: whoever reads of a passkey that they haven't added reads whom to ask, and
// comes to the passkeys. Each sees only their own.
func TestToolcribActivity(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	thief := openBrowser(t, c.server)
	device := thief.hasDevice()
	device.touches(false)
	thief.entersCrib(c, "bob")
	thief.opensPasskeysInCrib()
	device.touches(true)
	thief.addsPasskey("Stolen <b>phone</b>")

	bob := openBrowser(t, c.server)
	bob.entersCrib(c, "bob")
	bob.clicks("#user-menu-button")
	bob.clicks("#menu-activity")
	bob.reads("Passkey “Stolen <b>phone</b>” added")
	bob.clicks("#activity .row-buttons button")
	bob.readsIn("#advice-title", "This wasn't me")
	bob.readsIn("#advice p", "Whom to ask: the keeper of the crib")
	bob.isPictured("crib-activity-advice")
	bob.hasFocusOn("#advice-passkey")
	bob.presses(escape)
	bob.seesNo("#advice")
	bob.hasFocusOn("#activity-title")
	bob.clicks("#activity .row-buttons button")
	bob.clicks("#advice-passkey")
	bob.sees("#passkeys")
	bob.reads("Stolen <b>phone</b>")
	bob.seesNo("#activity")
	bob.goes("back")
	bob.sees("#activity")

	kim := openBrowser(t, c.server)
	kim.entersCrib(c, "kim")
	kim.clicks("#user-menu-button")
	kim.clicks("#menu-activity")
	kim.readsIn("#activity .rows", "Nothing has happened yet.")
	bob.hasNoComplaints()
	kim.hasNoComplaints()
}

// TestToolcribNamesContact: whoever can't sign in for a reason that they can't mend reads whom to
// ask, although the crib's server doesn't know who it is.
func TestToolcribNamesContact(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startCrib(t).server)
	ann.opens("/sign-in")
	ann.hasFocusOn("#sign-in-name")
	value[bool](ann, `navigator.credentials.get = () => Promise.reject(new DOMException("", "SecurityError")), true`)
	ann.clicks("#sign-in-passkey")
	ann.reads("Whom to ask: the keeper of the crib")
}

// TestToolcribRemovesSomebody removes a person from the crib. Nobody can sign in as them any
// more.
func TestToolcribRemovesSomebody(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	// His browser asks for German, and the crib is in English: all of it.
	bob := openBrowser(t, c.server, chromedp.Flag("accept-lang", "de-CH,de"))
	phone := bob.hasDevice()
	phone.touches(false)
	bob.entersCrib(c, "bob")
	bob.clicks("#tool-2 button")
	bob.readsIn("#tool-2 .crib-quiet", "You have it")
	bob.opensPasskeysInCrib()
	phone.touches(true)
	bob.addsPasskey("Phone")
	bob.clicks("#passkeys-close")

	kim := openBrowser(t, c.server)
	kim.entersCrib(c, "kim")
	kim.readsIn("#tool-2 .crib-quiet", "bob has it")
	kim.reads("People")
	kim.isPictured("crib-keeper")
	phone.touches(false)
	removeBob := "#" + value[string](kim, `[...document.querySelectorAll("[id^=person-]")].find((e) => e.innerText.includes("bob")).querySelector("button").id`)
	kim.clicks(removeBob)
	kim.reads("Remove bob?")
	kim.hasFocusOn("#removal-cancel")
	kim.isPictured("crib-remove")
	kim.presses(escape)
	kim.seesNo("#removal")
	kim.hasFocusOn(removeBob)
	kim.clicks(removeBob)
	kim.clicks("#removal-cancel")
	kim.seesNo("#removal")
	kim.readsIn("#tool-2 .crib-quiet", "bob has it")
	kim.clicks(removeBob)
	kim.clicks("#removal-remove")
	kim.hasFocusOn("#people")
	kim.readsIn("#tool-2 .crib-quiet", "In the crib")

	// His page closes by itself or with his next click. Then he can sign in neither with
	// the passkey nor with the password.
	bob.isAt("/sign-in")
	bob.cannotAutofill()
	bob.opens("/sign-in")
	phone.touches(true)
	bob.clicks("#sign-in-passkey")
	bob.readsIn(".notice-bad", "This passkey was removed here. Delete it in your password manager too, and use another one.")
	phone.comesToHold("no passkey that nobody knows", func(held []*webauthn.Credential) bool { return len(held) == 0 })
	bob.types("#sign-in-name", "bob")
	bob.types("#sign-in-password", c.passwords["bob"])
	bob.clicks("#sign-in-submit")
	bob.readsIn(".notice-bad", "The name or the password is not right.")
	kim.hasNoComplaints()
	bob.hasNoComplaints()
}

// TestToolcribMenuIsBelowTheName: the menu opens below the name, whatever a host's header is
// and wherever the name is in it.
func TestToolcribMenuIsBelowTheName(t *testing.T) {
	t.Parallel()
	c := startCrib(t)
	ann := openBrowser(t, c.server)
	ann.entersCrib(c, "ann")
	for _, header := range []string{
		"display: block", "display: block; direction: rtl",
		"display: flex; justify-content: space-between", "display: flex; justify-content: flex-start", "display: flex; flex-direction: row-reverse; justify-content: flex-end",
		"display: grid", "display: grid; grid-template-columns: 1fr 1fr", "display: grid; justify-items: start", "display: grid; justify-items: start; direction: rtl",
	} {
		for _, width := range []int64{1280, 390} {
			ann.isSize(width, 800)
			value[bool](ann, `document.querySelector(".crib-top").style = `+quoted(header)+`, true`)
			ann.clicks("#user-menu-button")
			ann.hasFocusOn("#menu-passkeys")
			apart := value[string](ann, `(() => {
				const name = document.querySelector("#user-menu-button").getBoundingClientRect(), list = document.querySelector("#user-menu").getBoundingClientRect();
				if (list.left < 0 || list.right > innerWidth) return "the list sticks out";
				if (list.top < name.bottom || list.top > name.bottom + 12) return "the list isn't below the name";
				return Math.min(Math.abs(list.left - name.left), Math.abs(list.right - name.right)) > 1 ? "the list isn't at the name" : "";
			})()`)
			if apart != "" {
				t.Errorf("in a header with %s, %d wide, %s", header, width, apart)
			}
			ann.presses(escape)
			ann.seesNo("#user-menu")
		}
	}
	ann.hasNoComplaints()
}
