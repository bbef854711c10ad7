package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Programs that aren't quite as the manual has them, and what their users see then.

// TestElementsAtFirst: a browser that has never been at Keypeg may have several elements on its first page, with one
// introduction.
func TestElementsAtFirst(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.mux.HandleFunc("GET /both", s.forUsers(`<header><keypeg-menu offer introduction="{introduction}">{name}</keypeg-menu></header><main><keypeg-panel introduction="{introduction}"></keypeg-panel></main>`))
	s.mux.HandleFunc("GET /enters", func(w http.ResponseWriter, r *http.Request) { // by a page without elements
		s.changes(func() { s.sessions["secret"] = &shopSession{"her-session", "ann", time.Now()} })
		http.SetCookie(w, &http.Cookie{Name: "shop", Value: "secret", Path: "/"})
		http.Redirect(w, r, "/both", http.StatusSeeOther)
	})
	ann := openBrowser(t, s.server)
	ann.opens("/enters")
	ann.findsText(".card", "Sign in faster next time")
	ann.findsText("#passkeys", "No passkeys yet")
	ann.hasNoComplaints()
}

// TestElementsStay: a page whose program says that nobody is signed in isn't loaded again and again, and one whose user
// asks for the panel leads to the sign-in, also where the program redirects to it.
func TestElementsStay(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true // "old" is no introduction
	var loads, asked atomic.Int32
	s.mux.HandleFunc("GET /lost", func(w http.ResponseWriter, r *http.Request) {
		if loads.Add(1) > 3 {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		s.serves(`<header><keypeg-menu offer introduction="old" fresh="/nobody">Ann</keypeg-menu></header>`)(w, r)
	})
	s.mux.HandleFunc("GET /nobody", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1); r.URL.RawQuery == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	})
	ann := openBrowser(t, s.server)
	ann.opens("/lost")
	ann.waitsFor("the program to be asked", `performance.getEntriesByName(location.origin + "/nobody").length > 0`)
	value[bool](ann, `new Promise((done) => setTimeout(() => setTimeout(() => done(true))))`) // when the page would be loaded again
	if got := value[string](ann, `location.pathname`); got != "/lost" || loads.Load() != 1 || asked.Load() != 1 {
		t.Errorf("the page at %s was loaded %d times", got, loads.Load())
	}
	s.mux.HandleFunc("GET /redirects", func(w http.ResponseWriter, r *http.Request) {
		if asked.Load() > 1 {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		s.serves(`<header><b>Shop</b><keypeg-menu introduction="old" fresh="/nobody?redirects">Ann</keypeg-menu></header><main>Tools</main>`)(w, r)
	})
	ann.opens("/redirects")
	value[bool](ann, `customElements.whenDefined("keypeg-menu").then(() => document.querySelector("keypeg-menu").open()).then(() => true)`)
	ann.isAt("/sign-in")
}

// TestElementsKeptOut: where something keeps the panel from its frame, the user can close the dialog.
func TestElementsKeptOut(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	var answer atomic.Value
	s.mux.HandleFunc("GET /keypeg/panel", func(w http.ResponseWriter, r *http.Request) {
		answer.Load().(http.HandlerFunc)(w, r)
	})
	ann := openBrowser(t, s.server)
	answer.Store(http.HandlerFunc(http.NotFound))
	ann.entersShop("ann")
	ann.touches(".card .quiet")
	for _, handler := range map[string]http.HandlerFunc{
		"a proxy that knows no such page": http.NotFound,
		"a proxy that lets nobody have it in a frame": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Frame-Options", "DENY")
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "the panel")
		},
		"a service worker that has one page for all": s.serves(`<h1>Shop</h1>`),
	} {
		answer.Store(handler)
		ann.opensPanel(1)
		ann.findsText("dialog .card", "reached")
		ann.writes("keeps the panel from its frame")
		ann.presses(enter)
		ann.isClosed()
		ann.opens("/settings")
		ann.findsText("p[role=alert]", "reached")
		ann.opens("/")
	}
}

// TestElementsMisanswered: where the program answers a password wrongly, its developer reads why in the console, and the
// user a sentence. Nobody is asked for the password again without a word.
func TestElementsMisanswered(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true // IT is warned of the introduction
	var isForged atomic.Bool
	s.mux.HandleFunc("GET /old", s.forUsers(`<header><keypeg-menu introduction="{introduction}" fresh="/misanswers">{name}</keypeg-menu></header>`))
	s.mux.HandleFunc("/misanswers", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "POST" && isForged.Load():
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<h1>CSRF token missing</h1>")
		default:
			io.WriteString(w, s.introduces(s.session(r))) // it forgets to note the time
		}
	})
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.finds(".card") // she is introduced
	s.changes(func() {
		for _, session := range s.sessions {
			session.proved = time.Now().Add(-time.Hour)
		}
	})
	ann.losesIntroduction()
	ann.opens("/old")
	ann.opensPanel(1)
	ann.touches("#passkey-add")
	ann.touches("#passkey-register")
	for _, row := range []struct {
		isForged     bool
		reads, tells string
	}{
		{false, "This program has not said correctly who you are.", "the password was right, and the introduction that the program answers says"},
		{true, "The server sent something unexpected.", "/misanswers answers a password with 403 and 27 bytes."},
	} {
		isForged.Store(row.isForged)
		ann.fills("#confirm-password", shopPassword)
		ann.presses(enter)
		ann.findsText("#confirm [role=alert]", row.reads)
		ann.writes(row.tells)
	}
}

// TestElementsFaster: whoever has opened the menu before the offer of a passkey comes has nothing in front of it.
func TestElementsFaster(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	opened := make(chan bool)
	s.changes(func() {
		s.between = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/keypeg/offer-") {
				<-opened
			}
			s.mux.ServeHTTP(w, r)
		}
	})
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.touches(".name")
	ann.finds(".line")
	close(opened)
	ann.waitsFor("the offer to come", `performance.getEntriesByType("resource").some((it) => it.name.includes("/keypeg/offer-") && it.responseEnd)`)
	ann.waitsFor("it to be made", `document.querySelector("keypeg-menu").shadowRoot.querySelector("section").childElementCount`)
	ann.findsNo(".card")
	ann.touches(".line")
	ann.finds("#passkey-add")
}

// TestElementsCookieless: where no cookie comes back, the page isn't loaded again and again, and IT is told.
func TestElementsCookieless(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true
	s.changes(func() {
		s.between = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/keypeg/") || strings.HasPrefix(r.URL.Path, "/api/v1/") {
				r.Header.Del("Cookie")
			}
			s.mux.ServeHTTP(w, r)
		}
	})
	var loads atomic.Int32
	for path, body := range map[string]string{
		"/panel":       `<keypeg-panel introduction="{introduction}"></keypeg-panel>`,
		"/panel-fresh": `<keypeg-panel introduction="{introduction}" fresh="/fresh"></keypeg-panel>`,
		"/menu-fresh":  `<header><keypeg-menu introduction="{introduction}" fresh="/fresh">{name}</keypeg-menu></header>`,
	} {
		page := s.forUsers(body)
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if loads.Add(1) > 3 {
				http.NotFound(w, r)
				return
			}
			page(w, r)
		})
	}
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	for _, path := range []string{"/panel", "/panel-fresh", "/menu-fresh"} {
		loads.Store(0)
		ann.opens(path)
		if path == "/menu-fresh" {
			ann.opensPanel(1)
		}
		ann.findsText("#passkeys", "Allow cookies for this site.")
		if n := loads.Load(); n != 1 {
			t.Errorf("%s was loaded %d times", path, n)
		}
	}
	ann.presses(escape)
	ann.isClosed()
	if log := s.keypeg.log.String(); !strings.Contains(log, "cause=cookies") {
		t.Error("nobody tells IT")
	}
}

// TestElementsBlocked: a browser that stores nothing for this site says so in the panel, whose program can't begin there.
func TestElementsBlocked(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true
	folder := filepath.Join(t.TempDir(), "Default")
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "Preferences"), []byte(`{"profile":{"default_content_setting_values":{"cookies":2}}}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	ann := openBrowser(t, s.server, whole, chromedp.UserDataDir(filepath.Dir(folder)))
	who := &shopSession{"her-session", "ann", time.Now()} // the program knows her by something else than a cookie
	s.mux.HandleFunc("GET /known", s.serves(`<header><keypeg-menu introduction="`+s.introduces(who)+`">Ann</keypeg-menu></header>`))
	ann.opens("/known")
	ann.opensPanel(1)
	ann.findsText("#app-stuck", "Allow cookies for this site.")
	ann.presses(escape)
	ann.isClosed()
}

// TestElementsForbidden: a policy that forbids passkeys isn't taken for a user who has cancelled.
func TestElementsForbidden(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.errs = true
	s.changes(func() {
		s.between = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Permissions-Policy", "publickey-credentials-create=(), publickey-credentials-get=()")
			s.mux.ServeHTTP(w, r)
		}
	})
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.opens("/sign-in-alone?lang=de")
	ann.touches(".sign-in button")
	ann.findsText(".sign-in [role=alert]", "verbietet Passkeys auf dieser Seite.")
	ann.entersShop("ann")
	ann.touches(".card .primary")
	ann.touches("#passkey-register")
	ann.findsText("#passkeys", "forbids passkeys on this page.")
	if log := s.keypeg.log.String(); strings.Count(log, "cause=passkey-policy") != 1 {
		t.Error("nobody tells IT")
	}
}

// TestElementsAtPath: a program at a path has addresses that are relative to its pages, and the panel finds them too. So it
// does where a <base> leads elsewhere.
func TestElementsAtPath(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.mux.HandleFunc("GET /shop/{$}", s.forUsers(`<header><keypeg-menu introduction="{introduction}" fresh="fresh">{name}</keypeg-menu></header>`))
	s.mux.HandleFunc("GET /based", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><script type="module" src="/keypeg/elements.js"></script><base href="https://elsewhere.example/shop/">
			<keypeg-menu introduction="%s" fresh="fresh" offer>Ann</keypeg-menu>`, s.introduces(s.session(r)))
	})
	s.mux.HandleFunc("/shop/fresh", s.fresh)
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	for _, page := range []string{"/shop/", "/based"} {
		device := ann.hasDevice()
		ann.opens(page)
		ann.opensPanel(1)
		ann.touches("#passkey-add")
		ann.fills("#passkey-name", "At "+page)
		ann.losesIntroduction()
		ann.touches("#passkey-register")
		ann.touches("#passkey-try-end")
		ann.findsText("#passkeys", "At "+page)
		device.isTakenAway()
	}
}

// TestElementsOther: a page that isn't loaded anew may have another user, whose panel it shows then. Another introduction of
// the same user changes nothing. A page from a cache that names somebody else has to be loaded again.
func TestElementsOther(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.mux.HandleFunc("GET /cached", s.forUsers(`<header><keypeg-menu introduction="{introduction}" fresh="/of-bob">Ann</keypeg-menu></header>`))
	bob := func() string { return s.introduces(&shopSession{"session-of-bob", "bob", time.Now()}) }
	s.mux.HandleFunc("GET /of-bob", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, bob()) })
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.touches(".card .primary")
	ann.fills("#passkey-name", "Ann's laptop")
	ann.touches("#passkey-register")
	ann.findsText("#passkeys", "Ann's laptop")
	ann.opens("/settings")
	ann.findsText("#passkeys", "Ann's laptop")
	introduces := func(introduction string) (asked int) {
		return value[int](ann, `(async () => {
			const { fetch } = globalThis, asks = [];
			globalThis.fetch = (...all) => { asks.push(all); return fetch(...all); };
			document.querySelector("keypeg-panel").setAttribute("introduction", `+quoted(introduction)+`);
			await new Promise((done) => setTimeout(done));
			globalThis.fetch = fetch;
			return asks.length;
		})()`)
	}
	if n := introduces(bob()); n != 1 {
		t.Errorf("for another user, the element asks %d times", n)
	}
	ann.findsText("#passkeys", "No passkeys yet")
	if n := introduces(bob()); n != 0 {
		t.Errorf("for the same user, the element asks %d times", n)
	}

	s.changes(func() { s.lasts = 2 * time.Second })
	ann.opens("/cached")
	s.changes(func() { s.lasts = 5 * time.Minute })
	ann.waitsFor("the introduction of the page to end", fmt.Sprintf(`Date.now() > %d`, time.Now().Add(2*time.Second).UnixMilli()))
	for range 2 {
		ann.opensPanel(1)
		ann.findsText("dialog .card", "Please load it again.")
		ann.touches("dialog .card button")
		ann.isClosed()
	}
}

// TestElementsSignInRefused: a refusal of a sign-in stands below the button, as wide as that, and is red if it is a failure.
func TestElementsSignInRefused(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	seen := make(chan bool)
	away := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/sign-in/") {
			<-seen
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		s.mux.ServeHTTP(w, r)
	}
	ann := openBrowser(t, s.server)
	ann.hasDevice().recognises(false)
	ann.cannotAutofill()
	ann.opens("/sign-in-alone")
	ann.finds(".sign-in button")
	width := func() int {
		return value[int](ann, within(".sign-in button", `Math.round(e.getBoundingClientRect().width)`))
	}
	atFirst := width()
	isRed := within(".sign-in [role=alert]", `((c) => +c[0] > 2 * +c[1])(getComputedStyle(e).color.match(/\d+/g))`)
	ann.touches(".sign-in button")
	ann.findsText(".sign-in [role=alert]", "No passkey of this device was used.")
	ann.isPictured("elements-sign-in-cancelled")
	if now := width(); now != atFirst || value[bool](ann, isRed) {
		t.Errorf("the button was %d wide, and is %d wide below a notice, which is red: %t", atFirst, now, value[bool](ann, isRed))
	}
	s.changes(func() { s.between = away })
	ann.touches(".sign-in button")
	ann.findsText(".sign-in button", "One moment")
	if now := width(); now != atFirst {
		t.Errorf("the button was %d wide, and is %d wide at work", atFirst, now)
	}
	close(seen)
	ann.findsText(".sign-in [role=alert]", "The server can't be reached.")
	ann.isPictured("elements-sign-in-refused")
	if now := width(); now != atFirst || !value[bool](ann, isRed) {
		t.Errorf("the button was %d wide, and is %d wide below a refusal, which is red: %t", atFirst, now, value[bool](ann, isRed))
	}
}

// TestElementsIsolated: a page that is isolated from other origins has the panel too.
func TestElementsIsolated(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	page := s.forUsers(`<header><keypeg-menu introduction="{introduction}">{name}</keypeg-menu></header>`)
	s.mux.HandleFunc("GET /isolated", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		page(w, r)
	})
	ann := openBrowser(t, s.server)
	ann.entersShop("ann")
	ann.opens("/isolated")
	if !value[bool](ann, `crossOriginIsolated`) {
		t.Fatal("the page isn't isolated")
	}
	ann.opensPanel(1)
	ann.findsText("#passkeys", "No passkeys yet")
	ann.hasNoComplaints()
}

// TestElementsTwice: of two places to sign in on a page, for wide and narrow screens for example, both work.
func TestElementsTwice(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	s.mux.HandleFunc("GET /twice", s.serves(`<form><input name="name" autocomplete="username webauthn"></form><div id="one"><keypeg-sign-in></keypeg-sign-in></div><div id="two"><keypeg-sign-in></keypeg-sign-in></div>`))
	ann := openBrowser(t, s.server)
	ann.hasDevice()
	ann.entersShop("ann")
	ann.touches(".card .primary")
	ann.fills("#passkey-name", "Laptop")
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.touches("#passkeys-close")
	ann.isClosed()
	ann.runsFirst(oneAtATime)
	for _, place := range []string{"#one", "#two"} {
		ann.leavesShop()
		ann.opens("/twice")
		ann.waitsFor("autofill to wait", `performance.getEntriesByType("resource").filter((it) => it.name.endsWith("/passkey/begin")).length >= 2 && globalThis.waiting === 1`)
		ann.touches(place + " keypeg-sign-in")
		ann.isAt("/")
	}
}

// oneAtATime has autofill wait for ever, as it does while nobody picks a passkey, and refuses another ceremony meanwhile,
// as browsers do.
const oneAtATime = `{
	const get = navigator.credentials.get.bind(navigator.credentials);
	globalThis.waiting = 0;
	navigator.credentials.get = async (options) => {
		if (waiting) throw new DOMException("A request is already pending.", "OperationError");
		if (!options.mediation) return get(options);
		waiting++;
		return new Promise((_, refuse) => options.signal.addEventListener("abort", () => {
			waiting--;
			refuse(options.signal.reason);
		}));
	};
}`

// writes waits until a program of the page has written something to the console.
func (b *browser) writes(text string) {
	b.t.Helper()
	b.until("the console has "+quoted(text), func() bool { return b.hasSaid(text) })
}

// hasSaid reports whether a program of the page has written something to the console.
func (b *browser) hasSaid(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(strings.Join(b.said, "\n"), text)
}
