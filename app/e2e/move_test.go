package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/keypeg/keypeg/server/certtest"
)

// The addresses of an organisation that moves, as its people write them.
const (
	oldHost, newHost = "id.alpha.test", "id.beta.test"
	oldURL, newURL   = "https://" + oldHost, "https://" + newHost
)

// moving is an organisation at https://id.alpha.test that moves to https://id.beta.test.
type moving struct {
	*server
	trusted string // the hash of the certificate's key, by which Chromium is told to trust it
	usual   []string
}

func startMoving(t *testing.T) *moving {
	t.Helper()
	own := certtest.SelfSigned(t, 1, time.Now().Add(60*24*time.Hour), oldHost, newHost)
	cert, key := certtest.Write(t, t.TempDir(), own)
	public := sha256.Sum256(own.Leaf.RawSubjectPublicKeyInfo)
	s := startServer(t, "--public-url", oldURL, "--tls-cert", cert, "--tls-key", key)
	at := slices.Index(s.flags, "--public-url")
	return &moving{s, base64.StdEncoding.EncodeToString(public[:]), slices.Delete(slices.Clone(s.flags), at, at+2)}
}

// browser opens a browser of somebody. One that isn't able has no related origin requests.
func (m *moving) browser(able bool) *browser {
	m.t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.Flag("host-resolver-rules", fmt.Sprintf("MAP %s %s, MAP %s %s", oldHost, m.listens, newHost, m.listens)),
		chromedp.Flag("ignore-certificate-errors-spki-list", m.trusted),
	}
	b := openBrowser(m.t, m.server, options...)
	b.cannotAutofill() // which would answer before any button
	if !able {
		b.runsFirst(withoutRelatedOrigins)
	}
	return b
}

// hasAnn sets the server up with Ann, who has a password and a passkey at the old address, and has signed out.
func (m *moving) hasAnn(able bool) (ann *browser, laptop *device) {
	m.t.Helper()
	ann = m.browser(able)
	laptop = ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Old")
	ann.clicks("#passkeys-close")
	ann.signsOut()
	return ann, laptop
}

// withoutRelatedOrigins makes the browser refuse a relying party id of another domain at once, as one without
// related origin requests does.
const withoutRelatedOrigins = `
	for (const method of ["create", "get"]) {
		const asks = navigator.credentials?.[method].bind(navigator.credentials);
		if (asks) navigator.credentials[method] = async (options) => {
			const id = options.publicKey.rpId ?? options.publicKey.rp?.id;
			if (id && id !== location.hostname) throw new DOMException("no related origins", "SecurityError");
			return asks(options);
		};
	}`

// restarts lets the server have these settings from now on, while nobody has a page open.
func (m *moving) restarts(ann *browser, url string, more ...string) {
	m.t.Helper()
	ann.opens("about:blank")
	m.stops()
	m.url, m.flags = url, slices.Concat(m.usual, []string{"--public-url", url}, more)
	m.starts()
}

// TestMove moves an organisation in Chromium, between two https hosts, and gives it up half-way. At each step people
// sign in with what they have.
func TestMove(t *testing.T) {
	t.Parallel()
	m := startMoving(t)
	ann, laptop := m.hasAnn(true)

	// The address changes. The old passkey signs in there at once.
	m.restarts(ann, newURL, "--former-urls", oldURL)
	ann.opens(oldURL + "/sign-in")
	ann.clicks("#use-passkey")
	ann.isAt("/moved")
	ann.clicks("[name=later]")
	ann.readsIn("#offer h3", "Make a new passkey for "+newHost+"?") // whoever stays is still shown the way
	ann.clicks("#offer-add")
	ann.isAt("/moved")
	ann.sees("#make-passkey")
	ann.opens(oldURL + "/")
	ann.signsOut()
	ann.usesPasskeyAt(newURL)
	ann.isAtHost(newHost)
	ann.readsIn("#offer h3", "Make a new passkey for "+newHost+"?")
	ann.reads("Your passkey was made for " + oldHost + ", which is about to end.")
	ann.opensPasskeys()
	ann.reads("Made for " + oldHost + ", which is about to end")
	ann.clicks("#passkeys-close")
	ann.clicks("#offer-add")
	ann.types("#passkey-name", "New")
	ann.clicks("#passkey-register")
	laptop.comesToHold("one for each address", hasRPIDs(oldHost, newHost))
	ann.readsIn(row(2, ".row-name bdi"), "New")
	ann.clicks("#passkey-try-end")
	ann.clicks("#passkeys-close")
	ann.seesNo("#offer")
	ann.signsOut()

	// The browser remembers the new one; a link leads to the other.
	ann.usesPasskeyAt(newURL)
	ann.isAtHost(newHost)
	ann.opensPasskeys()
	ann.readsIn(row(2, ".tag"), "You signed in with it")
	ann.clicks("#passkeys-close")
	ann.signsOut()
	ann.readsIn("[data-rp-id='"+oldHost+"']", "Use a passkey for "+oldHost)
	ann.seesNo("[data-rp-id='" + newHost + "']")
	ann.clicks("[data-rp-id='" + oldHost + "']")
	ann.isAtHost(newHost)
	ann.opensPasskeys()
	ann.readsIn(row(1, ".tag"), "You signed in with it")
	ann.clicks("#passkeys-close")
	ann.signsOut()

	// The former address is served, and says where it moves.
	ann.opens(oldURL + "/sign-in")
	ann.readsIn("#reason span", "This address moves to "+newHost+".")
	ann.clicks("#use-passkey")
	ann.isAt("/") // she has put the page away
	ann.isAtHost(oldHost)
	ann.signsOut()

	// Given up half-way, both passkeys work at the old address.
	m.restarts(ann, oldURL, "--former-urls", newURL)
	ann.usesPasskeyAt(oldURL)
	ann.isAtHost(oldHost)
	ann.signsOut()
	ann.clicks("[data-rp-id]:not([hidden])")
	ann.isAt("/")
	ann.signsOut()

	// IT ends the old one. Nobody needs it any more.
	m.restarts(ann, newURL, "--former-urls", oldURL)
	m.command(t, "", "domain", "end", oldHost)
	m.restarts(ann, newURL)
	ann.usesPasskeyAt(newURL)
	ann.isAtHost(newHost)
	ann.opensPasskeys()
	ann.reads("Made for another address: it doesn't work here")
	ann.hasNoComplaints()
}

// TestMoveWithoutRelatedOrigins moves somebody whose browser has no related origin requests, and who has a passkey
// alone: by the former address, which makes a link to the new one.
func TestMoveWithoutRelatedOrigins(t *testing.T) {
	t.Parallel()
	m := startMoving(t)
	ann, laptop := m.hasAnn(false)

	m.restarts(ann, newURL, "--former-urls", oldURL)
	ann.opens(newURL + "/sign-in")
	ann.clicks("#use-passkey") // there is none that this browser could use
	ann.sees("#refusal:not([hidden])")
	ann.clicks("[data-rp-id='" + oldHost + "']") // which leads to the former address
	ann.isAtHost(oldHost)
	ann.clicks("#use-passkey")
	ann.isAt("/moved")
	ann.clicks("#make-passkey")
	ann.isAtHost(newHost)
	ann.clicks("#use-passkey")
	ann.isAt("/enrol/done")
	laptop.comesToHold("one for each address", hasRPIDs(oldHost, newHost))
	ann.usesPasskeyAt(newURL)
	ann.isAtHost(newHost)
	ann.opensPasskeys()
	ann.readsIn(row(2, ".tag"), "You signed in with it")
}

// usesPasskeyAt opens the sign-in page of an address, and signs in by the button.
func (b *browser) usesPasskeyAt(url string) {
	b.t.Helper()
	b.opens(url + "/sign-in")
	b.clicks("#use-passkey")
	b.isAt("/")
	b.sees("#user-menu-button")
}

func (b *browser) isAtHost(host string) {
	b.t.Helper()
	b.waitsFor("being at "+host, fmt.Sprintf(`location.host === %s`, quoted(host)))
}

// hasRPIDs reports whether the passkeys on a device are for these relying party ids, in their order.
func hasRPIDs(want ...string) func([]*webauthn.Credential) bool {
	return func(held []*webauthn.Credential) bool {
		var got []string
		for _, c := range held {
			got = append(got, c.RpID)
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	}
}
