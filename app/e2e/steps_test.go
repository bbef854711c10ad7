package e2e

import "time"

// The steps of people that many tests share.

const (
	annsName     = "ann"
	annsPassword = "correct horse battery"
)

// setsUp makes the first administrator, Ann, by the link that the server printed.
func (b *browser) setsUp() {
	b.t.Helper()
	b.fillsInSetUp()
	b.isAt("/")
	b.readsIn("#user-menu-button", "Ann Admin")
}

func (b *browser) fillsInSetUp() {
	b.t.Helper()
	b.opens(b.server.setup)
	b.isAt("/setup?opened")
	b.types("input[name=name]", "Ann")
	b.types("input[name=display-name]", "Ann Admin")
	b.types("input[name=password]", annsPassword)
	b.clicks("button")
}

// The sentences after the button for passkeys: at first the browser asks only for those on this device.
const (
	notHere   = "No passkey of this device was used. Press the button again to use a phone or a security key."
	cancelled = "Sign-in was cancelled or timed out, or no matching passkey is on this device."
)

// submitsPassword fills in the form of the sign-in page.
func (b *browser) submitsPassword(name, password string) {
	b.t.Helper()
	b.opens("/sign-in")
	b.fillsInPassword(name, password)
}

// fillsInPassword does so where the sign-in page is open.
func (b *browser) fillsInPassword(name, password string) {
	b.t.Helper()
	b.fillsIn(name, password)
	b.clicks("#use-password")
}

// fillsIn leaves the form to be sent. A person who is greeted types no name.
func (b *browser) fillsIn(name, password string) {
	b.t.Helper()
	b.waitsFor("the whole sign-in page", `document.readyState !== "loading" && `+shown("#sign-in")) // of which its end says whom it greets
	const greeted = `document.querySelector("input[name=name][readonly]")?.value`
	if value[bool](b, greeted+` !== undefined && `+greeted+` !== `+quoted(name)) {
		b.clicks("[form=not-you]")
		b.sees("input[name=name]:not([readonly])")
	}
	if value[bool](b, greeted+` === undefined`) {
		b.types("input[name=name]", name)
	} else if value[bool](b, `document.querySelector("#by-password:not([open])") !== null`) {
		b.clicks("#by-password > summary")
	}
	b.types("input[name=password]", password)
}

func (b *browser) signsInWithPassword(name, password string) {
	b.t.Helper()
	b.submitsPassword(name, password)
	b.isAt("/")
	b.sees("#user-menu-button")
}

func (b *browser) opensPasskeys() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-passkeys")
	b.isAt("/passkeys")
	b.sees("dialog.panel")
}

func (b *browser) addsPasskey(name string) {
	b.t.Helper()
	b.clicks("#passkey-add")
	b.sees("#passkey-name")
	if name != "" {
		b.types("#passkey-name", name)
	}
	b.clicks("#passkey-register")
	if name == "" { // it can be named at once, or left as it is
		b.hasFocusOn("input[id^=name-]")
		b.presses(enter)
		b.seesNo("input[id^=name-]")
	}
	b.clicks("#passkey-try-end")
	b.sees("#passkey-add")
}

// growsOld sets every sign-in back by an hour, so that a confirmation is needed. It restarts
// the server for that. The person is on the same page then, which is loaded again.
func (b *browser) growsOld() {
	b.t.Helper()
	at := value[string](b, `location.href`)
	b.opens("about:blank")
	b.server.stops()
	b.server.agesSignIns(time.Hour)
	b.server.starts()
	b.opens(at)
}

func (b *browser) signsOut() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-sign-out")
	b.isAt("/sign-in")
}

// rows is a selector for the list of the passkeys panel, or of the page if the panel is closed.
const rows = ":is(.panel .rows, body:not(:has(.panel)) .rows)"

// row returns a selector for a part of a row of the list. The first row is 1.
func row(n int, part string) string {
	return rows + " > li:nth-child(" + string(rune('0'+n)) + ") " + part
}
