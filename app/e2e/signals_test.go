package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

// watchesSignals keeps a list of the signals that pages send to password managers, for all
// pages of the same origin.
func (b *browser) watchesSignals() {
	b.t.Helper()
	b.runsFirst(`for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
			const signal = PublicKeyCredential[name];
			PublicKeyCredential[name] = function (about) {
				sessionStorage.setItem("signals", (sessionStorage.getItem("signals") ?? "") + name + " ");
				return signal.call(this, about);
			};
		}`)
}

// hasSignalled checks that list.
func (b *browser) hasSignalled(want string) {
	b.t.Helper()
	if got := value[string](b, `sessionStorage.getItem("signals") ?? ""`); got != want {
		b.t.Errorf("password managers were told %q, want %q", got, want)
	}
}

// removesPasskey removes the passkey in row n of the panel, which has so many rows.
func (b *browser) removesPasskey(n, of int) {
	b.t.Helper()
	b.clicks(row(n, "[id^=remove-]"))
	b.clicks("#remove-ok")
	b.seesNo("#remove-ok")
	b.seesNo(row(of, "bdi"))
}

// isServedFrom moves the server's database away, and serves another one in its place.
func (s *server) isServedFrom(another func(away string)) {
	s.t.Helper()
	s.stops()
	away := filepath.Join(s.t.TempDir(), "away.db")
	if err := os.Rename(s.database, away); err != nil {
		s.t.Fatal(err)
	}
	another(away)
	s.starts()
}

// hasKey plugs a security key in.
func (b *browser) hasKey() *device {
	b.t.Helper()
	return b.hasDeviceWith(func(o *webauthn.VirtualAuthenticatorOptions) { o.Transport = webauthn.AuthenticatorTransportUsb })
}

func TestSignals(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.watchesSignals()
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	held := ann.onlyCredential()

	empty := func(list []*webauthn.Credential) bool { return len(list) == 0 }
	outdated := func() {
		laptop.isTakenAway()
		held.UserName, held.UserDisplayName = "old name", "Old Name"
		laptop = ann.hasDevice()
		laptop.gets(held)
	}

	t.Run("opening the panel sends no signal", func(t *testing.T) {
		outdated()
		ann.opens("/passkeys")
		ann.readsIn(row(1, "bdi"), "Laptop")
		ann.hasSignalled("signalCurrentUserDetails ") // of the registration
	})
	t.Run("adding a passkey signals the user's names", func(t *testing.T) {
		laptop.touches(false)
		key := ann.hasKey()
		ann.addsPasskey("Key")
		laptop.comesToHold("the new name", func(list []*webauthn.Credential) bool {
			return len(list) == 1 && list[0].UserName == "ann" && list[0].UserDisplayName == "Ann Admin"
		})
		t.Run("removing a passkey signals it at once", func(t *testing.T) {
			ann.removesPasskey(2, 2)
			key.comesToHold("nothing", empty)
			if n := laptop.holds(); n != 1 {
				t.Errorf("the other device holds %d passkeys, want 1", n)
			}
			key.isTakenAway()
		})
	})
	t.Run("the use of a passkey that was removed in another browser signals it", func(t *testing.T) {
		elsewhere := openBrowser(t, s)
		elsewhere.hasDevice()
		elsewhere.signsInWithPassword("ann", annsPassword)
		elsewhere.opensPasskeys()
		elsewhere.removesPasskey(1, 1)
		ann.reads("No passkeys yet")
		ann.opens("/")
		ann.signsOut()
		autofills := ann.cannotAutofill()
		defer autofills()
		ann.opens("/sign-in")
		if n := laptop.holds(); n != 1 {
			t.Fatalf("the device holds %d passkeys before, want 1", n)
		}
		laptop.touches(true)
		ann.clicks("#use-passkey")
		ann.reads("This passkey was removed here.")
		laptop.comesToHold("nothing", empty)
	})
	ann.hasNoComplaints()
}

// TestTwoServersOfOneRelyingParty uses a passkey at a server that it wasn't made at.
func TestTwoServersOfOneRelyingParty(t *testing.T) {
	t.Parallel()
	here, there := startServer(t, "--rp-id", "localhost"), startServer(t, "--rp-id", "localhost")
	ann := openBrowser(t, here)
	ann.cannotAutofill()
	ann.watchesSignals()
	laptop, key := ann.hasDevice(), ann.hasKey()
	ann.setsUp()
	ann.opensPasskeys()
	key.touches(false)
	ann.addsPasskey("Laptop")
	made := laptop.credentials()[0].CredentialID

	// At the other server nobody has it.
	ann.server = there
	ann.opens("/sign-in")
	ann.clicks("#use-passkey")
	ann.reads("This passkey could not be verified. Please try again.")
	ann.hasSignalled("")

	// What is added and removed there concerns the one that is removed.
	ann.setsUp()
	ann.opensPasskeys()
	laptop.touches(false)
	key.touches(true)
	ann.addsPasskey("Key")
	ann.removesPasskey(1, 1)
	key.comesToHold("nothing", func(list []*webauthn.Credential) bool { return len(list) == 0 })
	laptop.touches(true)
	if held := laptop.credentials(); len(held) != 1 || !bytes.Equal(held[0].CredentialID, made) {
		t.Fatalf("the passkey of the first server: %+v", held)
	}

	key.isTakenAway()
	ann.server = here
	ann.signsInWithPasskey()
	ann.hasNoComplaints()
}

// TestEmptyDatabase starts the server in a wrong folder for a while.
func TestEmptyDatabase(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.cannotAutofill()
	ann.watchesSignals()
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	ann.clicks("#passkeys-close")
	ann.seesNo("dialog.panel")
	ann.signsOut()

	var right string
	s.isServedFrom(func(away string) { right = away })
	ann.opens("/sign-in")
	ann.clicks("#use-passkey")
	ann.reads("This passkey could not be verified. Please try again.")
	if n := laptop.holds(); n != 1 {
		t.Errorf("the device holds %d passkeys, want 1", n)
	}

	s.isServedFrom(func(string) { copies(t, right, s.database) })
	ann.signsInWithPasskey()
}

// TestOlderDatabase serves an older database for a while, and makes a change there. The
// password manager keeps the passkeys that it got since.
func TestOlderDatabase(t *testing.T) {
	t.Parallel()
	for how, test := range map[string]struct {
		takes, puts func(s *server, older string)
		isKnown     bool // that it is an older one
	}{
		"by restore": {
			takes:   func(s *server, older string) { s.command(t, "", "backup", older) },
			puts:    func(s *server, older string) { s.command(t, "", "restore", older) },
			isKnown: true,
		},
		"by a copy of the file": {
			takes: func(s *server, older string) { s.stops(); copies(t, s.database, older); s.starts() },
			puts:  func(s *server, older string) { copies(t, older, s.database) },
		},
	} {
		t.Run(how, func(t *testing.T) {
			s := startServer(t)
			ann := openBrowser(t, s)
			ann.cannotAutofill()
			ann.watchesSignals()
			laptop := ann.hasDevice()
			ann.setsUp()
			ann.opensPasskeys()
			ann.addsPasskey("Laptop")

			older := filepath.Join(t.TempDir(), "older.db")
			test.takes(s, older)
			key := ann.hasKey()
			laptop.touches(false)
			ann.opens("/passkeys")
			ann.addsPasskey("Newer key")
			ann.clicks("#passkeys-close")
			ann.seesNo("dialog.panel")
			ann.signsOut()
			newer := key.credentials()[0].CredentialID
			keepsNewer := func() {
				t.Helper()
				if !slices.ContainsFunc(key.credentials(), func(c *webauthn.Credential) bool { return bytes.Equal(c.CredentialID, newer) }) {
					t.Fatal("the newer passkey has gone")
				}
			}

			s.isServedFrom(func(string) { test.puts(s, older) })
			value[bool](ann, `(sessionStorage.removeItem("signals"), true)`)
			ann.opens("/sign-in")
			ann.clicks("#use-passkey")
			ann.reads("Press the button again to use a phone or a security key.")
			ann.clicks("#use-passkey")
			ann.reads("This passkey could not be verified. Please try again.")
			ann.signsInWithPassword("ann", annsPassword)
			ann.opensPasskeys()
			ann.readsIn(row(1, "bdi"), "Laptop")
			ann.hasSignalled("")

			key.touches(false)
			phone := ann.hasKey()
			ann.addsPasskey("Phone")
			ann.removesPasskey(1, 2)
			if test.isKnown {
				ann.hasSignalled("")
				if n := laptop.holds(); n != 1 {
					t.Errorf("the laptop holds %d passkeys, want 1", n)
				}
				if out := s.command(t, "", "signals", "on"); out[:3] != "on:" {
					t.Errorf("keypeg signals on: %s", out)
				}
			} else {
				laptop.comesToHold("nothing", func(list []*webauthn.Credential) bool { return len(list) == 0 })
			}
			keepsNewer()
			ann.removesPasskey(1, 1)
			phone.comesToHold("nothing", func(list []*webauthn.Credential) bool { return len(list) == 0 })
			keepsNewer()
		})
	}
}

func copies(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
