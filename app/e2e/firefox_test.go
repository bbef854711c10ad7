package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// firefox is a person's Firefox. It is controlled by Marionette, Firefox's own protocol for
// tests.
type firefox struct {
	t      *testing.T
	server *server
	conn   net.Conn
	reader *bufio.Reader
	calls  int
	last   error // of the last try at an element
}

// openFirefox starts a fresh Firefox: no cookies, no passkeys.
func openFirefox(t *testing.T, s *server) *firefox {
	t.Helper()
	profile := t.TempDir()
	preferences := `user_pref("marionette.port", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("security.webauth.webauthn_enable_softtoken", true);
user_pref("security.webauth.webauthn_enable_usbtoken", false);
user_pref("intl.accept_languages", "en");
`
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	program := exec.Command("firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", profile)
	program.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1")
	if err := program.Start(); err != nil {
		t.Fatalf("starting Firefox: %v", err)
	}
	t.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
	})

	f := &firefox{t: t, server: s}
	f.until("Firefox to listen", func() bool {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err != nil || len(port) == 0 {
			return false
		}
		f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)))
		return err == nil
	})
	t.Cleanup(func() { f.conn.Close() })
	f.reader = bufio.NewReader(f.conn)
	f.read() // it introduces itself
	f.call("WebDriver:NewSession", map[string]any{})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Firefox shows: %s", f.evaluates(`location.href + "\n" + document.body.innerText`))
		}
	})
	return f
}

// until waits until so returns true.
func (f *firefox) until(what string, so func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited in vain for %s: %v", what, f.last)
		}
	}
}

// read takes a message: its length, a colon, and JSON.
func (f *firefox) read() json.RawMessage {
	f.t.Helper()
	head, err := f.reader.ReadString(':')
	if err != nil {
		f.t.Fatalf("reading from Firefox: %v", err)
	}
	length, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
	if err != nil {
		f.t.Fatalf("reading from Firefox: %v", err)
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(f.reader, message); err != nil {
		f.t.Fatalf("reading from Firefox: %v", err)
	}
	return message
}

func (f *firefox) try(command string, parameters any) (json.RawMessage, error) {
	f.t.Helper()
	f.calls++
	message, err := json.Marshal([]any{0, f.calls, command, parameters})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(message), message); err != nil {
		f.t.Fatalf("writing to Firefox: %v", err)
	}
	var answer [4]json.RawMessage // 1, the call, an error or null, the result
	if err := json.Unmarshal(f.read(), &answer); err != nil {
		f.t.Fatalf("reading from Firefox: %v", err)
	}
	if string(answer[2]) != "null" {
		return nil, fmt.Errorf("%s", answer[2])
	}
	return answer[3], nil
}

func (f *firefox) call(command string, parameters any) json.RawMessage {
	f.t.Helper()
	result, err := f.try(command, parameters)
	if err != nil {
		f.t.Fatalf("%s: %v", command, err)
	}
	return result
}

func (f *firefox) evaluates(expression string) string {
	f.t.Helper()
	result, err := f.try("WebDriver:ExecuteScript", map[string]any{"script": "return " + expression, "args": []any{}})
	if err != nil {
		return err.Error() // the page is being left
	}
	var value struct{ Value json.RawMessage }
	if err := json.Unmarshal(result, &value); err != nil {
		f.t.Fatal(err)
	}
	return string(value.Value)
}

func (f *firefox) waitsFor(what, expression string) {
	f.t.Helper()
	f.until(what, func() bool { return f.evaluates("("+expression+") === true") == "true" })
}

func (f *firefox) opens(path string) {
	f.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = f.server.url + path
	}
	f.call("WebDriver:Navigate", map[string]any{"url": path})
}

func (f *firefox) reads(text string) {
	f.t.Helper()
	f.waitsFor("reading "+text, `document.body.innerText.includes(`+quoted(text)+`)`)
}

func (f *firefox) isAt(path string) {
	f.t.Helper()
	f.waitsFor("being at "+path, `location.pathname === `+quoted(path))
}

// on runs a command on an element, as soon as that is possible.
func (f *firefox) on(selector, command string, parameters map[string]any) {
	f.t.Helper()
	f.last = nil
	f.until(command+" of "+selector, func() bool {
		found, err := f.try("WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector})
		if err != nil {
			f.last = err
			return false
		}
		var element struct{ Value map[string]string }
		if err := json.Unmarshal(found, &element); err != nil {
			f.t.Fatal(err)
		}
		if f.evaluates(`document.querySelector(`+quoted(selector)+`)?.disabled === true`) == "true" {
			return false
		}
		for _, id := range element.Value {
			parameters["id"] = id
		}
		_, f.last = f.try(command, parameters)
		return f.last == nil
	})
}

func (f *firefox) clicks(selector string) {
	f.t.Helper()
	f.on(selector, "WebDriver:ElementClick", map[string]any{})
}

// types replaces the text of a text box.
func (f *firefox) types(selector, text string) {
	f.t.Helper()
	f.on(selector, "WebDriver:ElementClear", map[string]any{})
	f.on(selector, "WebDriver:ElementSendKeys", map[string]any{"text": text})
}

func TestFirefox(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openFirefox(t, s)
	ann.call("WebAuthn:AddVirtualAuthenticator", map[string]any{
		"protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
		"hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
	})

	ann.opens(s.setup)
	ann.types("input[name=name]", "Ann")
	ann.types("input[name=display-name]", "Ann Admin")
	ann.types("input[name=password]", annsPassword)
	ann.clicks("button")
	ann.isAt("/")
	ann.reads("Your account")

	// A passkey, named and renamed.
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-passkeys")
	ann.reads("No passkeys yet")
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Work laptop")
	ann.clicks("#passkey-register")
	ann.reads("“Work laptop” was added.")
	ann.clicks("[id^=rename-]")
	ann.types("[id^=name-]", "Laptop <b>")
	ann.clicks("[id^=save-]")
	ann.reads("Laptop <b>")

	// The same device again.
	ann.clicks("#passkey-try-end")
	ann.clicks("#passkey-add")
	ann.clicks("#passkey-register")
	ann.reads("This device has one already: “Laptop <b>”.")
	ann.clicks("#passkey-add-cancel")

	// Out, and in again with it.
	ann.clicks("#passkeys-close")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-sign-out")
	ann.isAt("/sign-in")
	ann.clicks("#use-passkey")
	ann.isAt("/")
	ann.reads("1 passkey")
	ann.opens("/passkeys")
	ann.reads("You signed in with it")
	ann.opens("/sessions")
	ann.reads("Firefox on Linux")
	ann.opens("/activity")
	ann.reads("Signed in with “Laptop <b>”")

	// Live: what another browser adds appears here.
	ann.opens("/passkeys")
	other := openBrowser(t, s)
	other.hasDevice()
	other.signsInWithPassword("ann", annsPassword)
	other.opensPasskeys()
	other.addsPasskey("In Chromium")
	ann.reads("In Chromium")

	// Remove both. What was removed no longer signs in.
	for range 2 {
		ann.clicks(".row [id^=remove-]")
		ann.clicks("#remove-ok")
		ann.waitsFor("the dialog to close", `document.querySelector("#remove") === null`)
	}
	ann.reads("No passkeys yet")
	ann.clicks("#passkeys-close")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-language-de")
	ann.reads("Ihr Konto")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-sign-out")
	ann.isAt("/sign-in")
	ann.clicks("#use-passkey")
	ann.waitsFor("a refusal", `!document.querySelector("#refusal").hidden && document.documentElement.lang === "de"`)
	ann.types("input[name=name]", "ann")
	ann.types("input[name=password]", annsPassword)
	ann.clicks("#use-password")
	ann.isAt("/")
}

// finds waits until an element is visible, also in the elements' shadow trees and in their frames.
func (f *firefox) finds(selector string) {
	f.t.Helper()
	f.waitsFor("seeing "+selector, within(selector, "true"))
}

// touches clicks in the middle of such an element, when nothing is in front of it.
func (f *firefox) touches(selector string) {
	f.t.Helper()
	f.until("a click on "+selector, func() bool {
		var at []float64
		middle := listening(selector, middleOf(selector), within(selector, "e.ownerDocument"))
		if json.Unmarshal([]byte(f.evaluates(middle)), &at) != nil || len(at) != 2 {
			return false
		}
		f.acts("pointer",
			map[string]any{"type": "pointerMove", "x": int(at[0]), "y": int(at[1]), "origin": "viewport"},
			map[string]any{"type": "pointerDown", "button": 0}, map[string]any{"type": "pointerUp", "button": 0})
		return f.evaluates(missed) != "true"
	})
}

// presses presses a key, by its code in WebDriver (17.4.2).
func (f *firefox) presses(key string) {
	f.t.Helper()
	f.acts("key", map[string]any{"type": "keyDown", "value": key}, map[string]any{"type": "keyUp", "value": key})
}

func (f *firefox) acts(kind string, actions ...map[string]any) {
	f.t.Helper()
	f.call("WebDriver:PerformActions", map[string]any{"actions": []any{map[string]any{"type": kind, "id": kind, "actions": actions}}})
}

// TestFirefoxElements uses Keypeg's elements in a program in another language.
func TestFirefoxElements(t *testing.T) {
	t.Parallel()
	c := startCloud(t, "--trusted-proxies", "127.0.0.1").addsCrib(t, "python")
	ann := openFirefox(t, c.server)
	ann.call("WebAuthn:AddVirtualAuthenticator", map[string]any{
		"protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
		"hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
	})
	ann.opens("/")
	ann.finds(c.byPasskey)
	ann.types(c.name, "ann")
	ann.types(c.password, c.passwords["ann"])
	ann.clicks(c.submit)
	ann.touches(c.notNow)

	// By keys: the menu opens and closes, its first line opens the panel, and Escape closes that.
	const down, enter, escape = "\ue015", "\ue007", "\ue00c"
	isClosed := func() {
		t.Helper()
		ann.waitsFor("the panel to be closed", `(({ shadowRoot: s }) => !s.querySelector("dialog[open], iframe") && s.activeElement?.matches(".name"))(document.querySelector("keypeg-menu"))`)
	}
	ann.waitsFor("the focus", `document.querySelector("keypeg-menu").shadowRoot.querySelector(".name").focus() === undefined`)
	ann.presses(down)
	ann.finds(".line")
	ann.presses(escape)
	isClosed()
	ann.presses(down)
	ann.finds(".line")
	ann.presses(enter)
	ann.finds("#passkey-add")
	ann.waitsFor("the focus in the panel", within("#passkeys-title", `e.ownerDocument.activeElement === e && e.ownerDocument.hasFocus()`))
	ann.presses(escape)
	isClosed()

	// By mouse: she adds a passkey. The X and Back close the panel.
	ann.touches(".name")
	ann.touches(".line")
	ann.touches("#passkey-add")
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.finds(row(1, "bdi"))
	ann.touches("#passkeys-close")
	isClosed()
	ann.touches(".name")
	ann.touches(".line")
	ann.finds(row(1, "bdi"))
	ann.evaluates(`history.back()`) // the command of WebDriver would wait for a page to load
	isClosed()
	ann.isAt("/")

	// She signs out, and in with it.
	ann.touches(".name")
	ann.touches(c.signOut)
	ann.isAt("/sign-in")
	ann.touches(c.byPasskey)
	ann.isAt("/")
	ann.finds(".name")
}
