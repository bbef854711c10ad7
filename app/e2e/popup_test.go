package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// oidcClient is where npm has put what signs in in a popup.
const oidcClient = "../../bin/oidc-client-ts/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"

// notes is a program that runs in the browser alone, at another origin, and signs people in with oidc-client-ts in a popup.
const notes = `<!doctype html><link rel="icon" href="data:,"><title>Notes</title><h1>Notes</h1>
<button id="begin">Sign in</button><p id="got"></p>
<script src="/oidc-client-ts.js"></script>
<script>
const here = location.origin;
const manager = new oidc.UserManager({
	authority: "%s", client_id: "notes", redirect_uri: here + "/back", popup_redirect_uri: here + "/back", scope: "openid profile",
	popupWindowFeatures: { width: 400, height: 600 },
});
let wishes = {};
const says = (text) => (document.querySelector("#got").innerText = text);
document.querySelector("#begin").addEventListener("click", () => {
	says("waiting");
	localStorage.clear();
	// Without it, the library goes on by a channel when the popup is cut off.
	manager.signinPopup({ popupAbortOnClose: true, ...wishes }).then((user) => says("Hello, " + user.profile.name), (error) => says("Refused: " + error.message));
});
if (location.pathname === "/back") {
	localStorage.setItem("opener", window.opener !== null);
	manager.signinPopupCallback();
}
</script>`

type notesProgram struct {
	*server
	url string
}

func startServerWithNotes(t *testing.T) notesProgram {
	t.Helper()
	library, err := os.ReadFile(oidcClient)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("oidc-client-ts is missing: run make tools")
		}
		t.Skip("oidc-client-ts is missing: run make tools")
	}
	p := notesProgram{}
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oidc-client-ts.js" {
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(library)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, fmt.Sprintf(notes, p.server.url))
	}))
	t.Cleanup(program.Close)
	config := filepath.Join(t.TempDir(), "keypeg.toml")
	text := "[client.notes]\nname = \"Notes\"\nauthentication = \"none\"\nredirects = [\"" + program.URL + "/back\"]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.server, p.url = startServer(t, "--config", config), program.URL
	return p
}

// beginsInPopup presses the button of the program, and returns the popup.
func (b *browser) beginsInPopup(wishes string) *browser {
	b.t.Helper()
	value[bool](b, `wishes = `+wishes+`, true`)
	// While it leaves the empty page of a popup for ours, Chromium refuses what is asked about it.
	opened := chromedp.WaitNewTarget(b.ctx, func(popup *target.Info) bool { return strings.HasPrefix(popup.URL, b.server.url) })
	b.clicks("#begin")
	popup := b.opensTab(chromedp.WithTargetID(arrives(b, "a popup with an opener that comes to Keypeg", opened)))
	popup.waitsFor("being at Keypeg", `location.origin === `+quoted(b.server.url))
	popup.isSize(400, 600)
	return popup
}

// hears waits until the program has an answer from the popup, which must come to a page that still has its opener.
func (b *browser) hears(answer string) {
	b.t.Helper()
	b.waitsFor("an answer", `!["", "waiting"].includes(document.querySelector("#got").innerText)`)
	b.readsIn("#got", answer)
	if got := value[string](b, `String(localStorage.getItem("opener"))`); got != "true" {
		b.t.Errorf("the popup that brings %q has an opener: %s", answer, got)
	}
}

// fits fails the test if a page is wider than the popup.
func (b *browser) fits() {
	b.t.Helper()
	if wide := value[int](b, `document.documentElement.scrollWidth`); wide > 400 {
		b.t.Errorf("%s is %d pixels wide in a popup of 400", value[string](b, `location.pathname`), wide)
	}
}

// TestSignInInPopup signs in to a program that opens a popup for it, as oidc-client-ts does: the popup must stay connected to
// the program's page all the way, or the program says that its user has closed it.
func TestSignInInPopup(t *testing.T) {
	t.Parallel()
	p := startServerWithNotes(t)
	ann := openBrowser(t, p.server)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	passkey := laptop.credentials()[0]

	ann.opens(p.url)
	t.Run("cancelled", func(t *testing.T) {
		popup := ann.beginsInPopup(`{}`)
		popup.readsIn("h1", "Sign in to Notes as Ann Admin")
		popup.fits()
		popup.clicks("#language > summary")
		popup.clicks("#language [value=de]")
		popup.readsIn("h1", "Bei Notes als Ann Admin anmelden")
		popup.clicks("#language > summary")
		popup.clicks("#language [value=en]")
		popup.readsIn("h1", "Sign in to Notes as Ann Admin")
		popup.clicks("button[value=cancel]")
		ann.hears("Refused: the user has cancelled")
	})
	t.Run("with another account, a wrong password, and the right one", func(t *testing.T) {
		popup := ann.beginsInPopup(`{}`)
		popup.clicks("[form=other-account]")
		popup.isAtSignIn()
		popup.fits()
		popup.fillsInPassword("ann", "a wrong password")
		popup.sees("#refusal")
		popup.fillsInPassword("ann", annsPassword)
		popup.readsIn("h1", "Sign in to Notes as Ann Admin")
		popup.clicks("button[value=allow]")
		ann.hears("Hello, Ann Admin")
	})
	t.Run("confirmed with a passkey, after a try without", func(t *testing.T) {
		popup := ann.beginsInPopup(`{ acr_values: "phr", prompt: "login" }`)
		popup.readsIn("h1", "Confirm that it’s you")
		popup.fits()
		here := popup.hasDevice()
		here.gets(passkey)
		here.touches(false)
		popup.clicks("#use-passkey")
		popup.clicks("#cancel-passkey")
		popup.seesNo("#cancel-passkey")
		here.touches(true)
		popup.clicks("#use-passkey")
		popup.clicks("button[value=allow]")
		ann.hears("Hello, Ann Admin")
	})
	t.Run("with a passkey", func(t *testing.T) {
		popup := ann.beginsInPopup(`{}`)
		popup.cannotAutofill()
		popup.clicks("[form=other-account]")
		popup.isAtSignIn()
		passkey.SignCount += 10 // the other copy was used
		popup.hasDevice().gets(passkey)
		popup.clicks("#use-passkey")
		popup.clicks("button[value=allow]")
		ann.hears("Hello, Ann Admin")
	})
	t.Run("wrong request", func(t *testing.T) {
		value[bool](ann, `wishes = { max_age: "soon" }, true`)
		ann.clicks("#begin")
		ann.hears("Refused: max_age must be a number of seconds")
	})
	ann.hasNoComplaints()
}

// TestPopupOfOurPages has another site open pages of ours in a window. It keeps no hold on them.
func TestPopupOfOurPages(t *testing.T) {
	t.Parallel()
	p := startServerWithNotes(t)
	ann := openBrowser(t, p.server)
	ann.setsUp()
	ann.opens(p.url)
	for _, path := range []string{"/?display=popup", "/sign-in?display=popup", "/openid/authorize?display=popup", "/openid/continue/aaaaaaaaaaaaaaaa?display=popup"} {
		value[bool](ann, fmt.Sprintf(`document.querySelector("#begin").onclick = () => (other = open(%s)), true`, quoted(p.server.url+path)))
		ann.clicks("#begin")
		ann.waitsFor(path+" to be cut off", `other.closed`)
	}
}
