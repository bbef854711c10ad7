package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// watchesSignals keeps a list of what pages tell password managers, over all of them that are
// opened at the same address.
func (b *browser) watchesSignals() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
			const signal = PublicKeyCredential[name];
			PublicKeyCredential[name] = function (about) {
				sessionStorage.setItem("signals", (sessionStorage.getItem("signals") ?? "") + name + " ");
				return signal.call(this, about);
			};
		}`,
	}); err != nil {
		b.t.Fatal(err)
	}
}

// hasSignalled checks that list.
func (b *browser) hasSignalled(want string) {
	b.t.Helper()
	if got := value[string](b, `sessionStorage.getItem("signals") ?? ""`); got != want {
		b.t.Errorf("password managers were told %q, want %q", got, want)
	}
}

// removesPasskey removes the one in a row of the panel, of so many.
func (b *browser) removesPasskey(n, of int) {
	b.t.Helper()
	b.clicks(row(n, "[id^=remove-]"))
	b.clicks("#remove-ok")
	b.seesNo("#remove-ok")
	b.seesNo(row(of, "bdi"))
}

// isServedFrom takes the server's database from its place, and serves another one there.
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

// TestTwoServersOfOneRelyingParty has a passkey tried where it wasn't made.
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

// TestOlderDatabase serves an older state for a while, and changes something there. What the
// password manager got since stays where it is.
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
