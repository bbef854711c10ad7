package e2e

// What people do, in steps that several stories share.

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

func (b *browser) signsInWithPassword(name, password string) {
	b.t.Helper()
	b.opens("/sign-in")
	b.types("input[name=name]", name)
	b.types("input[name=password]", password)
	b.clicks("form button.primary")
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
	b.seesNo("#passkey-name")
	if name == "" { // it can be named at once, or left as it is
		b.hasFocusOn("input[id^=name-]")
		b.presses(enter)
		b.seesNo("input[id^=name-]")
	}
}

// growsOld waits until a sign-in doesn't count as a confirmation any more.
func (b *browser) growsOld() {
	b.t.Helper()
	b.waitsFor("the sign-in to be too old", `fetch("/api/v1/passkeys/register/begin", { method: "POST" }).then((r) => r.status === 403)`)
}

func (b *browser) signsOut() {
	b.t.Helper()
	b.clicks("#user-menu-button")
	b.clicks("#menu-sign-out")
	b.isAt("/sign-in")
}

// row is a selector for a part of the n-th row of the list, from 1 on.
func row(n int, part string) string {
	return ".rows > li:nth-child(" + string(rune('0'+n)) + ") " + part
}
