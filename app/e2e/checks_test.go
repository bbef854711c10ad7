package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// opensChecks opens the page of checks, and waits until all were made.
func (b *browser) opensChecks() {
	b.t.Helper()
	b.opens("/checks")
	b.areMade()
}

// areMade waits until all checks were made.
func (b *browser) areMade() {
	b.t.Helper()
	b.waitsFor("all checks", `document.querySelector("#support")?.textContent.includes("Browser: ")`)
}

// wrongOfBrowser returns what isn't green of this browser's checks: "failed Permissions-Policy".
func (b *browser) wrongOfBrowser() string {
	b.t.Helper()
	return value[string](b, `[...document.querySelectorAll("#checks-all li[data-check^='This browser/']")]
		.filter((e) => ["failed", "warning"].includes(e.dataset.state)).map((e) => e.dataset.state + " " + e.dataset.check.split("/")[1]).join()`)
}

// isWrong checks that one of the browser's checks is red or yellow, and that its row says what to write.
func (b *browser) isWrong(want, mend string) {
	b.t.Helper()
	if got := b.wrongOfBrowser(); got != want {
		b.t.Errorf("wrong in this browser: %q, want %q\n%s", got, want, value[string](b, `document.querySelector("#support").textContent`))
		return
	}
	_, name, _ := strings.Cut(want, " ")
	row := fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ""`, quoted(`.wrong[data-check="This browser/`+name+`"]`))
	if got := value[string](b, row); !strings.Contains(got, mend) {
		b.t.Errorf("%s doesn't say %q: %q", want, mend, got)
	}
}

// TestChecks: an administrator behind a well configured proxy sees that all is well, tries a throwaway passkey, and
// copies a text for whoever helps.
func TestChecks(t *testing.T) {
	t.Parallel()
	s := startBehind(t, behindNginx(t))
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.watchesSignals()
	ann.setsUp()
	ann.opensUsers()
	ann.clicks(`.tabs a[href="/checks"]`)
	ann.isAt("/checks")
	ann.readsIn("h1", "Checks")
	ann.areMade()
	if got := ann.wrongOfBrowser(); got != "" {
		t.Errorf("false alarm: %s\n%s", got, value[string](ann, `document.querySelector("#support").textContent`))
	}
	for _, part := range []string{"keypeg ", "listen = ", "Address, port: ", "Browser: Mozilla/5.0", "cookies: these arrive: "} {
		ann.waitsFor(part, `document.querySelector("#support").textContent.includes(`+quoted(part)+`)`)
	}

	t.Log("The text is copied.")
	value[bool](ann, `(navigator.clipboard.writeText = async (text) => { globalThis.copied = text; }, true)`)
	ann.clicks("[aria-labelledby=checks-support] [data-copy]")
	ann.readsIn("[aria-labelledby=checks-support] [data-copy]", "Copied")
	for _, secret := range []string{annsPassword, "Ann Admin", "IT desk"} {
		if text := value[string](ann, `copied`); !strings.HasPrefix(text, "keypeg ") || strings.Contains(text, secret) {
			t.Errorf("she has copied %q, or no text for others:\n%s", secret, text)
		}
	}

	t.Log("A throwaway passkey is made, used and deleted. The server knows nothing of it.")
	ann.clicks("#throwaway")
	ann.readsIn("#tried", "OK: one was made and used, and the password manager was told that it exists no more. The device verified its user.")
	if n := laptop.holds(); n > 0 {
		t.Errorf("the device holds %d passkeys", n)
	}
	ann.hasSignalled("signalUnknownCredential ")
	ann.opensPasskeys()
	ann.reads("Add passkey")
	ann.seesNo(row(1, "bdi"))
	ann.hasNoComplaints()
}

// TestThrowawayPasskey: a passkey of the page of checks can't sign anybody in, also where the browser can't have it
// deleted. Then the page says that it must be deleted by hand.
func TestThrowawayPasskey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.runsFirst(`delete PublicKeyCredential.signalUnknownCredential;`)
	ann.setsUp()
	ann.opensChecks()

	t.Log("The prompt is closed.")
	value[bool](ann, `(() => {
		const { credentials } = navigator, { create } = credentials;
		credentials.create = () => { credentials.create = create; return Promise.reject(new DOMException("", "NotAllowedError")); };
		return true;
	})()`)
	ann.clicks("#throwaway")
	ann.readsIn("#tried", `Failed: none was made: the browser says "NotAllowedError"`)

	t.Log("It is made, and stays.")
	ann.clicks("#throwaway")
	ann.readsIn("#tried", "OK: one was made and used. This browser can't have it deleted: please delete it by hand in the password manager. The device verified its user.")
	if held := ann.onlyCredential(); held.UserName != "Keypeg check" {
		t.Errorf("it is called %q", held.UserName)
	}
	if text := value[string](ann, `document.querySelector("#support").textContent`); strings.Contains(text, base64.RawURLEncoding.EncodeToString(ann.onlyCredential().CredentialID)) {
		t.Error("the text for others has its id")
	}
	ann.opens("/")
	ann.signsOut()
	ann.clicks("#use-passkey")
	ann.reads("This passkey could not be verified.")
	ann.isAt("/sign-in")
}

// TestChecksBehindWrongProxies: each proxy breaks one thing. One of this browser's checks is red or yellow, with what
// to write.
func TestChecksBehindWrongProxies(t *testing.T) {
	t.Parallel()
	in := startBroken(t)
	for _, row := range []struct {
		mistake    string
		lines      []string
		want, mend string
	}{
		{"passkeys forbidden", []string{`proxy_hide_header Permissions-Policy;`, `add_header Permissions-Policy "publickey-credentials-create=()" always;`}, "failed Permissions-Policy", "remove publickey-credentials-create"},
		{"the Permissions-Policy taken away", []string{`proxy_hide_header Permissions-Policy;`}, "warning Permissions-Policy", "add_header Permissions-Policy"},
		{"a second Content-Security-Policy", []string{`add_header Content-Security-Policy "object-src 'none'" always;`}, "failed Content-Security-Policy", "remove add_header Content-Security-Policy"},
		{"pages kept", []string{`proxy_hide_header Cache-Control;`, `add_header Cache-Control "max-age=60";`}, "failed page", "proxy_hide_header Cache-Control"},
		{"framing allowed", []string{`proxy_hide_header X-Frame-Options;`}, "warning other headers", "proxy_hide_header X-Frame-Options"},
		{"Origin taken away", []string{`proxy_set_header Origin "";`, `proxy_set_header Host $http_host;`, `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`}, "failed Origin", "proxy_set_header Origin $http_origin"},
		{"no X-Forwarded-For", []string{`proxy_set_header Host $http_host;`}, "failed X-Forwarded-For", "$proxy_add_x_forwarded_for"},
		{"the stream held back", []string{`proxy_ignore_headers X-Accel-Buffering;`, `gzip on;`, `gzip_proxied any;`, `gzip_min_length 1;`, `gzip_types text/event-stream;`}, "failed event stream", "proxy_buffering off;"},
		{"the app with another type", []string{`location ~ /app\..*wasm$ { proxy_hide_header Content-Type; add_header Content-Type application/octet-stream; PASS }`}, "failed app.wasm", "proxy_pass_header Content-Type"},
		{"the app without its encoding", []string{`location ~ /app\..*wasm$ { proxy_hide_header Content-Encoding; PASS }`}, "failed app.wasm", "proxy_hide_header Content-Encoding"},
		{"the app with another encoding", []string{`location ~ /app\..*wasm$ { proxy_hide_header Content-Encoding; add_header Content-Encoding gzip; PASS }`}, "failed app.wasm", "add_header Content-Encoding"},
		{"no app", []string{`location ~ /app\..*wasm$ { return 404; }`}, "failed app.wasm", "without a location of its own for .wasm"},
		{"no service worker", []string{`location = /app-worker.js { return 404; }`}, "failed service worker", "/app-worker.js"},
	} {
		in.passes(row.mistake, behindNginx, row.lines, func(_ *testing.T, ann *browser) {
			ann.opensChecks() // everybody's program may not start now, that of administration does
			ann.isWrong(row.want, row.mend)
		})
	}
}

// TestChecksOfTenants: the administrator of a tenant sees its checks, and nothing of the machine or of other tenants.
func TestChecksOfTenants(t *testing.T) {
	t.Parallel()
	s := startCloud(t)
	acme := s.adds(t, "acme")
	s.adds(t, "beta")
	ann := openBrowser(t, acme)
	ann.setsUp()
	ann.opensChecks()
	if got := ann.wrongOfBrowser(); got != "" {
		t.Errorf("false alarm: %s", got)
	}
	ann.sees(`#checks-nothing`)
	text := value[string](ann, `document.body.textContent`)
	for _, part := range []string{"tenant = acme", acme.url, "Round trip by the public URL, server: " + acme.url + " is answered by this server"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	for _, secret := range []string{"beta", s.database, "listen = ", "database = "} {
		if strings.Contains(text, secret) {
			t.Errorf("they read %q in\n%s", secret, text)
		}
	}

	t.Log("An auditor has no such page.")
	s.command(t, annsPassword+"\n", "user", "add", "bob", "--edition", "cloud", "--tenant", "acme")
	s.command(t, "", "user", "role", "bob", "auditor", "--edition", "cloud", "--tenant", "acme")
	bob := openBrowser(t, acme)
	bob.signsInWithPassword("bob", annsPassword)
	bob.opens("/checks")
	bob.reads("Your role doesn't allow this. Ask an administrator.")
	bob.seesNo(`.tabs a[href="/checks"]`)
}

// TestChecksWithoutTheServer: what was found stays while the server is away, and the page that is opened then says so.
func TestChecksWithoutTheServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensChecks()
	s.stops()
	ann.sees("#offline-bar")
	ann.isGreyed("#checks-again")
	ann.isGreyed("#throwaway")
	ann.sees("#checks-nothing")
	s.starts()
	ann.seesNo("#offline-bar")
	ann.clicks("#checks-again")
	ann.areMade()
	ann.sees("#checks-nothing")
}

// TestChecksAtEachAddress: this browser's checks are green with https, over HTTP/2, and at each address of an
// organisation that moves.
func TestChecksAtEachAddress(t *testing.T) {
	t.Parallel()
	m := startMoving(t)
	ann := m.browser(true)
	ann.hasDevice()
	ann.setsUp()
	isGreen := func() {
		t.Helper()
		ann.opensChecks()
		ann.clicks("#throwaway")
		ann.readsIn("#tried", "OK: one was made and used, and the password manager was told that it exists no more. The device verified its user.")
		if got := ann.wrongOfBrowser(); got != "" {
			t.Errorf("false alarm: %s\n%s", got, value[string](ann, `document.querySelector("#support").textContent`))
		}
	}
	isGreen()
	m.restarts(ann, newURL, "--other-urls", oldURL)
	ann.signsInWithPassword("ann", annsPassword)
	isGreen()
	m.url = oldURL // where she is still signed in
	isGreen()
}
