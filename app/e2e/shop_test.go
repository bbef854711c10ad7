package e2e

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
)

// shop is a program that isn't built with Keypeg: it knows its users and has sessions, signs introductions by hand,
// and serves pages with Keypeg's elements under a strict policy. Its proxy sends what is Keypeg's on to it.
type shop struct {
	*server // as browsers reach it
	keypeg  *server
	mux     *http.ServeMux

	mu       sync.Mutex
	sessions map[string]*shopSession // by their secret
	lasts    time.Duration           // of an introduction
	signs    string                  // the secret of introductions
	errs     bool                    // it does something that IT is warned of
	redeemed []string                // what Keypeg said of proofs
	between  http.HandlerFunc        // a proxy before all of it, if there is one
}

type shopSession struct {
	id, user string
	proved   time.Time
}

const (
	shopSecret   = "a-secret-of-the-shop-0123456789abcdef"
	shopPassword = "correct horse"
	shopPolicy   = "default-src 'self'; require-trusted-types-for 'script'; base-uri 'none'; frame-ancestors 'none'"
)

func startShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{
		server:   &server{t: t, listens: proxytest.FreeAddress(t)},
		keypeg:   &server{t: t, program: keypeg, listens: proxytest.FreeAddress(t), log: &proxytest.Output{}},
		sessions: map[string]*shopSession{}, lasts: 5 * time.Minute, signs: shopSecret,
	}
	s.url = "http://" + s.listens
	s.startsKeypeg()
	s.routes()
	listener, err := net.Listen("tcp", s.listens)
	if err != nil {
		t.Fatal(err)
	}
	program := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		handler := s.between
		s.mu.Unlock()
		if handler == nil {
			handler = s.mux.ServeHTTP
		}
		handler(w, r)
	})}
	go program.Serve(listener)
	t.Cleanup(func() {
		program.Close()
		s.keypeg.stops()
		if warns := strings.Contains(s.keypeg.log.String(), "level=WARN"); warns != s.errs {
			t.Errorf("Keypeg warns IT: %t, want %t", warns, s.errs)
		}
		if t.Failed() {
			t.Logf("Keypeg's log:\n%s\nThe shop redeemed: %q", s.keypeg.log, s.redeemed)
		}
	})
	return s
}

// startsKeypeg starts Keypeg beside the shop, as IT does.
func (s *shop) startsKeypeg() {
	s.t.Helper()
	folder := s.t.TempDir()
	secret, config := filepath.Join(folder, "host.secret"), filepath.Join(folder, "keypeg.toml")
	for path, content := range map[string]string{
		secret: shopSecret + "\n",
		config: fmt.Sprintf("database = %q\nlisten = %q\npublic-url = %q\nproduct = \"Shop\"\ncontact = \"IT desk, phone 12\"\n[host]\nsecret-file = %q\narrive = %q\n",
			filepath.Join(folder, "keypeg.db"), s.keypeg.listens, s.url, secret, s.url+"/arrive"),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.keypeg.flags = []string{"serve", "--config", config}
	s.keypeg.runs(func(line string) bool { return strings.HasPrefix(line, "Keypeg runs at") })
}

func (s *shop) routes() {
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s.keypeg.listens})
		r.Out.Host = r.In.Host
	}}
	mux := http.NewServeMux()
	s.mux = mux
	mux.Handle("/keypeg/", behind)
	mux.Handle("/api/v1/", behind)
	mux.HandleFunc("GET /shop.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		io.WriteString(w, `body { margin: 0; min-height: 200vh; font-family: Georgia, serif; } header { display: flex; justify-content: space-between; align-items: center; padding: 0.5rem 1rem; background: #123; color: #fff; }
			main { padding: 1rem; } :root { --keypeg-accent: #7a1f5c; --keypeg-accent-strong: #5c1745; --keypeg-on-accent: #fff; } .dark { color-scheme: dark; background: #111; color: #eee; } .both { color-scheme: light dark; }`)
	})
	mux.HandleFunc("GET /icon.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg"/>`)
	})
	mux.HandleFunc("GET /sign-in", s.serves(`<h1>Sign in</h1><form method="post" action="/sign-in"><input type="hidden" name="token" value="t0ken">
		<label>Name <input name="name" required autocomplete="username webauthn"></label> <label>Password <input name="password" required type="password"></label>
		<button id="go">Sign in</button> <keypeg-sign-in></keypeg-sign-in></form>`))
	mux.HandleFunc("GET /sign-in-alone", s.serves(`<h1>Sign in</h1><keypeg-sign-in></keypeg-sign-in>`))
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /arrive", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("GET /{$}", s.forUsers(`<header><b>Shop</b>{menu}</header><main><h1>Tools</h1><p>A hammer</p></main>`))
	mux.HandleFunc("GET /orders", s.forUsers(`<header><b>Shop</b>{menu}</header><main><h1>Orders</h1></main>`))
	mux.HandleFunc("GET /settings", s.forUsers(`<main><h1>Settings</h1><keypeg-panel introduction="{introduction}" fresh="/fresh"></keypeg-panel><p id="after">Below it</p></main>`))
	mux.HandleFunc("/fresh", s.fresh)
}

// serves answers with a page.
func (s *shop) serves(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", shopPolicy)
		lang := r.URL.Query().Get("lang")
		if lang == "" {
			lang = "en"
		}
		fmt.Fprintf(w, `<!doctype html><html lang="%s" class="%s"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
			<link rel="stylesheet" href="/shop.css"><link rel="icon" href="/icon.svg"><script type="module" src="/keypeg/elements.js"></script><body>%s`,
			html.EscapeString(lang), html.EscapeString(r.URL.Query().Get("class")), body)
	}
}

// menu is the user's name in a page.
const shopMenu = `<keypeg-menu offer introduction="{introduction}" fresh="/fresh">{name}<a slot="items" href="/orders">Orders</a><form slot="items" method="post" action="/sign-out"><button>Sign out</button></form></keypeg-menu>`

func (s *shop) forUsers(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := s.session(r)
		if now == nil {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		s.serves(strings.NewReplacer("{introduction}", s.introduces(now), "{name}", now.user).Replace(strings.ReplaceAll(body, "{menu}", shopMenu)))(w, r)
	}
}

// introduces signs an introduction, as any language can: by hand.
func (s *shop) introduces(who *shopSession) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"sub": "id-of-" + who.user, "name": who.user + "@shop.test", "displayName": strings.ToUpper(who.user[:1]) + who.user[1:], "sid": who.id, "hasPassword": true,
		"proved": who.proved.Unix(), "aud": s.url, "iat": now.Unix(), "exp": now.Add(s.lasts).Unix(), "jti": rand.Text(),
	})
	if err != nil {
		s.t.Error(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(s.signs))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *shop) session(r *http.Request) *shopSession {
	cookie, err := r.Cookie("shop")
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[cookie.Value]
}

// signIn takes a password or a proof.
func (s *shop) signIn(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("name")
	switch proof := r.FormValue("proof"); {
	case proof != "":
		if r.URL.Path == "/sign-in" && r.FormValue("token") != "t0ken" {
			http.Error(w, "forged", http.StatusForbidden)
			return
		}
		user = s.redeems(r, proof)
	case r.FormValue("password") != shopPassword:
		user = ""
	}
	if user == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	secret := rand.Text()
	s.mu.Lock()
	s.sessions[secret] = &shopSession{rand.Text(), user, time.Now()}
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "shop", Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// redeems asks Keypeg whose proof it is.
func (s *shop) redeems(r *http.Request, proof string) (user string) {
	asks, err := http.NewRequest("POST", "http://"+s.keypeg.listens+"/keypeg/redeem", strings.NewReader(url.Values{"proof": {proof}}.Encode()))
	if err != nil {
		s.t.Error(err)
		return ""
	}
	asks.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asks.Header.Set("Authorization", "Bearer "+shopSecret)
	asks.Header.Set("Cookie", r.Header.Get("Cookie"))
	answer, err := http.DefaultClient.Do(asks)
	if err != nil {
		s.t.Error(err)
		return ""
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body) // what is missing can't be decoded
	var proved struct{ UserID string }
	json.Unmarshal(body, &proved)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redeemed = append(s.redeemed, string(body))
	return strings.TrimPrefix(proved.UserID, "id-of-")
}

func (s *shop) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("shop"); err == nil {
		s.mu.Lock()
		delete(s.sessions, cookie.Value)
		s.mu.Unlock()
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// fresh answers another introduction, after a password one that says that it was just proved.
func (s *shop) fresh(w http.ResponseWriter, r *http.Request) {
	now := s.session(r)
	switch {
	case now == nil:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.Method == "POST" && r.FormValue("password") != shopPassword:
		w.WriteHeader(http.StatusForbidden)
		return
	case r.Method == "POST":
		s.mu.Lock()
		now.proved = time.Now()
		s.mu.Unlock()
	}
	io.WriteString(w, s.introduces(now))
}

// changes changes what the shop does from now on.
func (s *shop) changes(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
