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
	ann.sees("#sign-in-name")
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

	// She opens Passkeys below her name, and adds one. The crib has no links for phones.
	ann.opensPasskeysInCrib()
	ann.reads("No passkeys yet")
	ann.reads("the keeper of the crib") // whom to ask
	ann.seesNo("#passkey-phone")
	value[bool](ann, `history.back(), true`) // closes the panel, and leaves the page where it is
	ann.seesNo("#passkeys")
	ann.readsIn("#tool-1 .crib-quiet", "You have it")
	ann.hasFocusOn("#user-menu-button")
	value[bool](ann, `history.forward(), true`)
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
