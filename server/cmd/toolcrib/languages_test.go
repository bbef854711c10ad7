package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/cribtest"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// inLanguage is a crib in another language, with a Keypeg of this process beside it.
type inLanguage struct {
	*cribtest.Crib
	secrets atomic.Pointer[[]string] // that Keypeg has
}

// keypegHas gives Keypeg its secrets, the newest first.
func (c *inLanguage) keypegHas(secrets ...string) { c.secrets.Store(&secrets) }

func onEveryLanguage(t *testing.T, test func(*testing.T, *inLanguage)) {
	for _, language := range cribtest.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			test(t, startIn(t, language))
		})
	}
}

func startIn(t *testing.T, language string) *inLanguage {
	t.Helper()
	c := &inLanguage{Crib: cribtest.Start(t, language)}
	c.keypegHas(c.Secret)
	c.servesKeypeg(t)
	return c
}

func (c *inLanguage) servesKeypeg(t *testing.T) {
	t.Helper()
	address, err := server.ParseAddress(c.URL, "", true)
	if err != nil {
		t.Fatal(err)
	}
	log := &proxytest.Output{}
	hub := live.NewHub()
	keypeg, err := server.New(t.Context(), server.Config{
		Store: hub.Store(memstore.New(time.Now)), Live: hub, Address: address, Product: "Tool crib", Asset: func(name string) string { return "/keypeg/static/" + name },
		Embed: func() embed.Program {
			return embed.Program{Arrive: c.Arrive, Hooks: c.Hooks, Secrets: *c.secrets.Load()}
		},
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", c.Keypeg)
	if err != nil {
		t.Fatal(err)
	}
	serves := &http.Server{Handler: keypeg}
	go serves.Serve(listener)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		keypeg.RunHooks(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		serves.Close()
		if t.Failed() {
			t.Logf("Keypeg's log:\n%s", log)
		}
	})
}

// user is a person's browser, without what elements.js does: the test does that.
type user struct {
	*testing.T
	crib   *inLanguage
	client *http.Client
	device *passkeytest.Device
}

func (c *inLanguage) user(t *testing.T) *user {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stays := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &user{t, c, &http.Client{Jar: jar, CheckRedirect: stays, Timeout: time.Minute}, passkeytest.New(c.URL)}
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   string
}

func (u *user) asks(method, path, kind, body string, headers ...string) got {
	u.Helper()
	r, err := http.NewRequestWithContext(u.Context(), method, u.crib.URL+path, strings.NewReader(body))
	if err != nil {
		u.Fatal(err)
	}
	r.Header.Set("Origin", u.crib.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := u.client.Do(r)
	if err != nil {
		u.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		u.Fatal(err)
	}
	return got{answer.StatusCode, answer.Header, string(content)}
}

func (u *user) opens(path string) got { u.Helper(); return u.asks("GET", path, "", "") }

func (u *user) submits(path string, form url.Values, headers ...string) got {
	u.Helper()
	return u.asks("POST", path, "application/x-www-form-urlencoded", form.Encode(), headers...)
}

// api asks Keypeg, as the pages do.
func (u *user) api(status int, method, path string, in, out any) http.Header {
	u.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			u.Fatal(err)
		}
	}
	answer := u.asks(method, path, "application/json", string(body))
	if answer.status != status {
		u.Fatalf("%s %s: %d %s, want %d", method, path, answer.status, answer.body, status)
	}
	if out != nil {
		if err := json.NewDecoder(bytes.NewReader([]byte(answer.body))).Decode(out); err != nil {
			u.Fatal(err)
		}
	}
	return answer.header
}

func (u *user) signsIn(name string) {
	u.Helper()
	if answer := u.submits("/sign-in", url.Values{"name": {name}, "password": {u.crib.Passwords[name]}}); answer.status != 303 || answer.header.Get("Location") != "/" {
		u.Fatalf("%s signs in: %d %s", name, answer.status, answer.body)
	}
}

var writtenIntroduction = regexp.MustCompile(`introduction="([^"]+)" fresh="/keypeg-introduction"`)

// introduces brings Keypeg what the page says, as the elements do.
func (u *user) introduces() {
	u.Helper()
	page := u.opens("/")
	found := writtenIntroduction.FindStringSubmatch(page.body)
	if found == nil {
		u.Fatalf("the page has no introduction: %d %s", page.status, page.body)
	}
	u.api(204, "POST", shared.PathIntroduction, shared.Introduce{Introduction: found[1]}, nil)
}

func (u *user) registers(name string) (made shared.Passkey) {
	u.Helper()
	var begun shared.Ceremony
	u.api(200, "POST", shared.PathRegisterBegin, nil, &begun)
	credential, err := passkeytest.Take(u.device.Create, begun.PublicKey)
	if err != nil {
		u.Fatal(err)
	}
	u.api(201, "POST", shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: name}, &made)
	return made
}

// proof uses a passkey on the page to sign in at.
func (u *user) proof() string {
	u.Helper()
	var begun shared.Ceremony
	u.api(200, "POST", shared.PathSignInBegin, shared.BeginSignIn{}, &begun)
	credential, err := passkeytest.Take(u.device.Get, begun.PublicKey)
	if err != nil {
		u.Fatal(err)
	}
	header := u.api(200, "POST", shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, nil)
	if at := header.Get(shared.HeaderArrive); at != u.crib.Arrive {
		u.Fatalf("the proof goes to %q", at)
	}
	return header.Get(shared.HeaderProof)
}

// arrives brings a proof to the crib, and returns whether the browser is signed in then.
func (u *user) arrives(proof string, headers ...string) bool {
	u.Helper()
	answer := u.submits("/keypeg-arrive", url.Values{"proof": {proof}}, headers...)
	return answer.status == 303 && u.isIn()
}

func (u *user) isIn() bool {
	u.Helper()
	return u.opens("/").status == 200
}

// TestLanguages is what people do in a crib in any language, at the level of HTTP; app/e2e tells it in a browser.
func TestLanguages(t *testing.T) {
	onEveryLanguage(t, func(t *testing.T, c *inLanguage) {
		ann, phone, bob := c.user(t), c.user(t), c.user(t)
		phone.device = ann.device // it has the same passkeys
		if answer := ann.submits("/sign-in", url.Values{"name": {"ann"}, "password": {"wrong"}}); answer.status != 403 || !strings.Contains(answer.body, "The name or the password is not right.") || ann.isIn() {
			t.Fatalf("a wrong password: %d %s", answer.status, answer.body)
		}
		ann.signsIn("ann")
		bob.signsIn("bob")
		ann.borrowsAndReturns(bob)

		made := ann.hasPasskey(phone)
		// After an hour she confirms with her password.
		c.GrowsOld()
		ann.api(204, "DELETE", shared.PathIntroduction, nil, nil) // it has ended too, within the hour
		ann.introduces()
		ann.api(403, "POST", shared.PathRegisterBegin, nil, nil)
		if answer := ann.submits("/keypeg-introduction", url.Values{"password": {"wrong"}}); answer.status != 403 || answer.body != "" {
			t.Errorf("a wrong password gives %d %q", answer.status, answer.body)
		}
		confirmed := ann.submits("/keypeg-introduction", url.Values{"password": {c.Passwords["ann"]}})
		if confirmed.status != 200 {
			t.Fatalf("her password gives %d %q", confirmed.status, confirmed.body)
		}
		ann.api(204, "POST", shared.PathIntroduction, shared.Introduce{Introduction: confirmed.body, Fresh: true}, nil)

		ann.removes(made, phone)
		if !bob.isIn() {
			t.Error("another session has ended too")
		}
	})
}

// hasPasskey adds a passkey, and signs in with it in two browsers.
func (u *user) hasPasskey(phone *user) shared.Passkey {
	u.Helper()
	u.introduces()
	made := u.registers("Work laptop")
	if answer := u.submits("/sign-out", nil); answer.status != 303 || u.isIn() {
		u.Fatalf("she signs out: %d %s", answer.status, answer.body)
	}
	u.api(401, "GET", shared.PathPasskeys, nil, nil) // also at Keypeg, at once
	if !u.arrives(u.proof()) || !phone.arrives(phone.proof()) {
		u.Fatal("she isn't signed in")
	}
	u.introduces()
	phone.introduces()
	var list shared.PasskeyList
	u.api(200, "GET", shared.PathPasskeys, nil, &list)
	if len(list.Passkeys) != 1 || !list.Passkeys[0].Current || !list.EndsSessions || !list.HasPassword {
		u.Errorf("her list is %+v", list)
	}
	return made
}

// removes removes it, and her phone is signed out.
func (u *user) removes(made shared.Passkey, phone *user) {
	u.Helper()
	u.api(200, "DELETE", shared.PathPasskey+made.ID+"?"+shared.QueryEndSessions, nil, nil)
	phone.api(401, "GET", shared.PathPasskeys, nil, nil)
	for deadline := time.Now().Add(3 * time.Minute); phone.isIn(); time.Sleep(20 * time.Millisecond) { // until the hook has come
		if time.Now().After(deadline) {
			u.Fatal("her phone stays signed in")
		}
	}
	if !u.isIn() {
		u.Error("her session has ended too")
	}
	if answer := phone.opens("/keypeg-introduction"); answer.status != 401 || strings.Contains(answer.body, ".") {
		u.Errorf("her phone gets the introduction %d %q", answer.status, answer.body)
	}
}

// borrowsAndReturns is the crib's own work.
func (u *user) borrowsAndReturns(other *user) {
	u.Helper()
	tool := url.Values{"tool": {"1"}}
	if answer := u.submits("/borrow", tool); answer.status != 303 || !strings.Contains(u.opens("/").body, "You have it") {
		u.Fatalf("she borrows: %d %s", answer.status, answer.body)
	}
	if answer := other.submits("/borrow", tool); answer.status != 409 || !strings.Contains(answer.body, "ann has it") || !strings.Contains(answer.body, "Somebody was faster") {
		u.Errorf("he borrows it too: %d %s", answer.status, answer.body)
	}
	if answer := other.submits("/return", tool); answer.status != 409 {
		u.Errorf("he brings it back: %d %s", answer.status, answer.body)
	}
	if answer := u.submits("/borrow", url.Values{"tool": {"2"}}, "Sec-Fetch-Site", "cross-site"); answer.status != 403 {
		u.Errorf("another site borrows: %d", answer.status)
	}
	if answer := u.submits("/return", tool); answer.status != 303 || strings.Contains(u.opens("/").body, "You have it") {
		u.Errorf("she brings it back: %d %s", answer.status, answer.body)
	}
}

// TestExpress is the same in a program with Express, whose part about Keypeg is in the manual: where keypeg.mjs checks proofs
// and hooks, and where other people's libraries do.
func TestExpress(t *testing.T) {
	for _, kind := range []string{cribtest.Express, cribtest.Libraries} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testExpress(t, startIn(t, kind))
		})
	}
}

func testExpress(t *testing.T, c *inLanguage) {
	ann, phone := c.user(t), c.user(t)
	phone.device = ann.device
	ann.signsIn("ann")
	made := ann.hasPasskey(phone)
	if answer := ann.submits("/keypeg-introduction", url.Values{"password": {"wrong"}}); answer.status != 403 {
		t.Errorf("a wrong password gives %d %q", answer.status, answer.body)
	}
	confirmed := ann.submits("/keypeg-introduction", url.Values{"password": {c.Passwords["ann"]}})
	ann.api(204, "POST", shared.PathIntroduction, shared.Introduce{Introduction: confirmed.body, Fresh: true}, nil)
	if phone.arrives("forged") || phone.asks("POST", "/keypeg-hooks", "", "").status != 401 {
		t.Error("a forged proof or hook counts")
	}
	tablet := c.user(t)
	tablet.device = ann.device
	if proof := tablet.proof(); c.user(t).arrives(proof) || !tablet.arrives(proof) || tablet.arrives(proof) {
		t.Error("a proof counts in another browser, or twice, or not at all")
	}
	c.keypegHas("the-next-secret-of-keypeg-and-the-crib", c.Secret)
	ann.removes(made, phone)
}

// TestLanguagesRefuse: nobody but Keypeg ends sessions, and a proof counts once, in the browser in which it was made.
func TestLanguagesRefuse(t *testing.T) {
	onEveryLanguage(t, func(t *testing.T, c *inLanguage) {
		ann, thief := c.user(t), c.user(t)
		ann.signsIn("ann")
		ann.introduces()
		ann.registers("Work laptop")
		proof := ann.proof()
		if thief.arrives(proof) {
			t.Error("a proof counts in another browser")
		}
		if answer := thief.submits("/keypeg-arrive", url.Values{"proof": {proof}}); answer.status != 403 || !strings.Contains(answer.body, "did not work") {
			t.Errorf("the thief reads %d %s", answer.status, answer.body)
		}
		fresh := c.user(t)
		fresh.device = ann.device
		for what, text := range map[string]string{"nothing": "", "something": "proof", "half a proof": proof[:len(proof)/2]} {
			if fresh.arrives(text) {
				t.Errorf("%s signs in", what)
			}
		}
		proof = fresh.proof()
		if fresh.arrives(proof, "Sec-Fetch-Site", "cross-site") || !fresh.arrives(proof) {
			t.Error("a proof doesn't count, or by another site")
		}
		fresh.submits("/sign-out", nil)
		if fresh.arrives(proof) {
			t.Error("a proof counts twice")
		}
		if !strings.Contains(c.Log(), "proof") {
			t.Errorf("the crib's log doesn't tell its developer why:\n%s", c.Log())
		}

		for what, headers := range map[string][]string{
			"unsigned":        nil,
			"signed wrongly":  {"Webhook-Id", "1", "Webhook-Timestamp", "1", "Webhook-Signature", "v1,x"},
			"with odd values": {"Webhook-Id", "\u00e9", "Webhook-Timestamp", "now", "Webhook-Signature", "v1,\u00e9"},
			"of odd letters":  {"Webhook-Id", "1", "Webhook-Timestamp", "1", "Webhook-Signature", "v1," + strings.Repeat("\u00e9", 22)},
			"of one é more":   {"Webhook-Id", "1", "Webhook-Timestamp", "1", "Webhook-Signature", "v1," + strings.Repeat("x", 43) + "\u00e9"},
			"with blanks":     {"Webhook-Id", "1", "Webhook-Timestamp", "1", "Webhook-Signature", " v1,x  v1,y"},
		} {
			if answer := thief.asks("POST", "/keypeg-hooks", "application/json", `{"type":"sessions.end","data":{}}`, headers...); answer.status != 401 {
				t.Errorf("a hook %s gets %d %s", what, answer.status, answer.body)
			}
		}
		for range 10 {
			thief.submits("/sign-in", url.Values{"name": {"bob"}, "password": {"guess"}})
		}
		if answer := thief.submits("/sign-in", url.Values{"name": {"bob"}, "password": {c.Passwords["bob"]}}); answer.status != 429 {
			t.Errorf("after ten guesses a password gets %d", answer.status)
		}
	})
}

// TestLanguagesRotate: IT replaces the secret while both run.
func TestLanguagesRotate(t *testing.T) {
	onEveryLanguage(t, func(t *testing.T, c *inLanguage) {
		const next = "the-next-secret-of-keypeg-and-the-crib"
		ann := c.user(t)
		ann.signsIn("ann")
		ann.introduces()
		for _, both := range [][]string{{next, c.Secret}, {next}} {
			c.Share(both...)
			c.keypegHas(both...)
			ann.introduces()
		}
		ann.registers("Work laptop")
		if !ann.arrives(ann.proof()) {
			t.Error("her passkey doesn't sign her in")
		}
		c.keypegHas(c.Secret) // somebody has restored an old file
		other := c.user(t)
		other.device = ann.device
		if other.arrives(other.proof()) {
			t.Error("the program has another secret, and is told who signs in")
		}
	})
}

// TestLanguagesHearWhileRotating: no hook is lost while a secret is replaced, whichever side has the new one first.
func TestLanguagesHearWhileRotating(t *testing.T) {
	const next = "the-next-secret-of-keypeg-and-the-crib"
	onEveryLanguage(t, func(t *testing.T, c *inLanguage) {
		ann := c.user(t)
		ann.signsIn("ann")
		for _, row := range []struct{ keypeg, crib []string }{
			{[]string{next, c.Secret}, []string{c.Secret}},
			{[]string{next, c.Secret}, []string{next}},
			{[]string{c.Secret}, []string{next, c.Secret}},
		} {
			phone := c.user(t)
			phone.device = ann.device
			made := ann.hasPasskey(phone)
			c.keypegHas(row.keypeg...)
			c.Share(row.crib...)
			ann.removes(made, phone)
			c.keypegHas(c.Secret)
			c.Share(c.Secret)
			ann.device = passkeytest.New(c.URL)
		}
	})
}

// TestLanguagesWithoutKeypeg: while Keypeg doesn't run, people use the crib with their passwords.
func TestLanguagesWithoutKeypeg(t *testing.T) {
	for _, language := range cribtest.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			c := &inLanguage{Crib: cribtest.Start(t, language)}
			ann := c.user(t)
			ann.signsIn("ann")
			if answer := ann.submits("/keypeg-arrive", url.Values{"proof": {"x"}}); answer.status != 403 || !strings.Contains(answer.body, "did not work") {
				t.Errorf("a proof: %d %s", answer.status, answer.body)
			}
			if answer := ann.submits("/sign-out", nil); answer.status != 303 || ann.isIn() {
				t.Errorf("she signs out: %d %s", answer.status, answer.body)
			}
		})
	}
}

// TestLanguagesAreShort: the manual promises how little is needed.
func TestLanguagesAreShort(t *testing.T) {
	for _, path := range []string{"php/keypeg.php", "python/keypeg.py", "node/keypeg.mjs"} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := range strings.Lines(string(source)) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
			if len([]rune(line)) > 160 {
				t.Errorf("%s has a line that nobody reads: %s", path, line)
			}
		}
		if lines > 60 {
			t.Errorf("%s has %d lines", path, lines)
		}
	}
}
