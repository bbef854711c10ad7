package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestOffline cuts the network between browser and server, for the page and for its service
// worker.
func TestOffline(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s, whole)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)

	t.Run("without a copy, every address opens to a sentence, and goes on by itself", func(t *testing.T) {
		ann.opens("/")
		ann.sees("#manage")
		ann.isCutOff(true)
		ann.sees("#offline-bar") // the page keeps no other copy
		value[bool](ann, `localStorage.removeItem("keypeg-copy"), true`)
		for _, path := range []string{"/sign-in", "/anything", "/passkeys"} {
			ann.opens(path)
			ann.readsIn("h1", "You are offline")
		}
		ann.isCutOff(false)
		ann.sees("dialog.panel")
		ann.reads("No passkeys yet")
	})
	t.Run("an address without a page of the app goes on by itself too", func(t *testing.T) {
		ann.isCutOff(true)
		ann.opens("/recovery")
		ann.readsIn("h1", "You are offline")
		ann.isCutOff(false)
		ann.sees("input[name=code]")
		ann.opens("/passkeys")
		ann.sees("dialog.panel")
	})
	t.Run("an open page says that it is offline, disables what needs the server, and goes on later", func(t *testing.T) {
		ann.addsPasskey("Zephyr")
		ann.isCutOff(true)
		ann.reads("Offline: as of ")
		ann.readsIn(row(1, "bdi"), "Zephyr")
		for _, button := range []string{"#passkey-add", row(1, "[id^=rename-]"), row(1, "[id^=remove-]")} {
			ann.isGreyed(button)
		}
		ann.isCutOff(false)
		ann.seesNo("#offline-bar")
		ann.clicks(row(1, "[id^=remove-]"))
		ann.hasFocusOn("#remove-cancel")
		ann.presses(escape)
		ann.seesNo("#remove")
	})
	t.Run("typed text and open dialogs stay", func(t *testing.T) {
		blinks := func(open string) {
			t.Helper()
			stays := func() {
				t.Helper()
				ann.waitsFor(open, open)
			}
			ann.isCutOff(true)
			ann.reads("Offline: as of ")
			stays()
			ann.isCutOff(false)
			ann.seesNo("#offline-bar")
			stays()
		}
		ann.clicks("#passkey-add")
		ann.types("#passkey-name", "Red laptop")
		blinks(`document.activeElement?.id === "passkey-name" && document.activeElement.value === "Red laptop"`)
		ann.clicks("#passkey-add-cancel")
		ann.clicks(row(1, "[id^=rename-]"))
		ann.types(row(1, "input"), "Red laptop")
		blinks(`document.activeElement?.closest(".rows") && document.activeElement.value === "Red laptop"`)
		ann.presses(escape)

		ann.opens("/")
		ann.clicks("#method-recovery-codes")
		ann.sees("#codes")
		codes := value[string](ann, `document.querySelector("#codes").innerText`)
		blinks(`document.querySelector("#codes:modal")?.innerText === ` + quoted(codes))
		ann.clicks("#codes-done")
		ann.opens("/passkeys")
		ann.sees("dialog.panel")
	})
	t.Run("a cold start shows the last known list, which can only be read", func(t *testing.T) {
		ann.isCutOff(true)
		ann.opens("/passkeys")
		ann.reads("Offline: as of ")
		ann.readsIn(row(1, "bdi"), "Zephyr")
		ann.isGreyed("#passkey-add")
		ann.opens("/sessions") // of which there is no copy
		ann.readsIn("#offline-bar", "You are offline")
		ann.opens("/passkeys")
		ann.reads("Offline: as of ")
		ann.isGreyed(row(1, "[id^=remove-]"))
		ann.clicks("#passkeys-close")
		ann.reads("1 passkey")
	})
	t.Run("changes from meanwhile appear when the network is back", func(t *testing.T) {
		phone := openBrowser(t, s)
		phone.hasDevice()
		phone.signsInWithPassword("ann", annsPassword)
		phone.opensPasskeys()
		phone.addsPasskey("Phone")
		ann.isCutOff(false)
		ann.reads("2 passkeys")
		ann.seesNo("#offline-bar")
	})
	t.Run("signing out leaves nothing that names the user", func(t *testing.T) {
		if traces := ann.traces(); len(traces) == 0 {
			t.Error("nothing names the user before, so that the check after proves nothing")
		}
		laptop.touches(false) // or autofill would sign her in again
		ann.signsOut()
		if traces := ann.traces("Ann Admin", "Zephyr"); len(traces) != 0 {
			t.Errorf("left behind: %q", traces)
		}
	})
	t.Run("a session that ended elsewhere leaves nothing that names the user, offline or not", func(t *testing.T) {
		ann.signsInWithPassword("ann", annsPassword)
		ann.isCutOff(true)
		ann.sees("#offline-bar")
		s.command(t, "another battery staple\n", "user", "passwd", "ann")
		ann.isCutOff(false)
		ann.isAt("/sign-in")
		if traces := ann.traces("Ann Admin", "Zephyr"); len(traces) != 0 {
			t.Errorf("left behind: %q", traces)
		}
	})
}

// TestSignOutOffline signs out while the server can't be reached. The page closes at once, and
// the session ends later.
func TestSignOutOffline(t *testing.T) {
	t.Parallel()
	const left = "You are signed out on this device"
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	leaves := func() {
		t.Helper()
		ann.isCutOff(true)
		ann.sees("#offline-bar")
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-sign-out")
		ann.readsIn("h1", left)
		if traces := ann.traces("Ann Admin"); len(traces) != 0 {
			t.Errorf("left behind: %q", traces)
		}
	}

	t.Run("the session ends when the network is back", func(t *testing.T) {
		leaves()
		ann.opens("/passkeys") // a cold start shows nothing either
		ann.readsIn("h1", left)
		ann.isCutOff(false)
		ann.isAt("/sign-in")
		ann.opens("/")
		ann.isAt("/sign-in")
	})
	t.Run("the session ends at the latest when the app is opened next", func(t *testing.T) {
		ann.signsInWithPassword("ann", annsPassword)
		leaves()
		ann.do("leave the page", chromedp.Navigate("about:blank"))
		ann.isCutOff(false)
		ann.opens("/")
		ann.isAt("/sign-in")
		ann.opens("/")
		ann.isAt("/sign-in")
	})
	t.Run("a later session stays", func(t *testing.T) {
		ann.signsInWithPassword("ann", annsPassword)
		value[bool](ann, `localStorage.setItem("keypeg-signing-out", "2020-01-01T00:00:00Z"), true`)
		ann.opens("/sessions")
		ann.sees(".rows > li")
		ann.opens("/")
		ann.readsIn("#user-menu-button", "Ann Admin")
	})
	t.Run("signing out works while the server is away, and closes other tabs too", func(t *testing.T) {
		other := ann.opensTab()
		other.opens("/sessions")
		other.sees(".rows > li")
		s.stops()
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-sign-out")
		ann.readsIn("h1", left)
		ann.until("the other tab leaves", func() bool { return value[string](other, `document.querySelector("h1").innerText`) == left })
		s.starts()
		ann.isAt("/sign-in")
		ann.opens("/")
		ann.isAt("/sign-in")
	})
}

// TestColdStartWithoutServer opens the app while the server is stopped.
func TestColdStartWithoutServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	s.stops()
	ann.opens("/passkeys")
	ann.reads("Offline: as of ")
	ann.reads("The server can't be reached.") // a list that was never loaded isn't an empty one
	s.starts()
	ann.reads("No passkeys yet")
	ann.seesNo("#offline-bar")
	ann.clicks("#passkey-add")
	ann.sees("#passkey-name")

	// The other lists are never kept. Each page says so, and loads its list later by itself.
	for path, there := range map[string]string{"/sessions": ".rows > li", "/activity": ".rows > li"} {
		s.stops()
		ann.opens(path)
		ann.readsIn("#offline-bar", "You are offline")
		ann.reads("The server can't be reached.")
		ann.seesNo(".rows")
		s.starts()
		ann.sees(there)
		ann.seesNo("#offline-bar")
	}

	// The browser doesn't report that a server is back. The program that the service worker keeps
	// has no pages of administration.
	for path, there := range map[string]string{"/recovery": "input[name=code]", "/users": "#invite"} {
		s.stops()
		ann.opens(path)
		ann.readsIn("h1", "You are offline")
		s.starts()
		ann.sees(there)
	}
}
