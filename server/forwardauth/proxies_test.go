package forwardauth_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// The manual's blocks for proxies, with the real proxies of Debian.

const (
	wikiHost = "wiki.example.com"
	wiki     = "https://" + wikiHost
	password = "correct horse battery"

	otherHost = "open.example.com"
)

// street is a program behind a proxy, with Keypeg beside it.
type street struct {
	*testing.T
	keypeg, program, proxy string // addresses
	log                    *proxytest.Output
	client                 *http.Client // of bob, whose cookies it has
	other                  string       // the Cookie header of eve, who may pass another gate alone
	mistake, with          string       // what a test changes in a block

	accounts *account.Service
	away     func() // stops Keypeg

	mu  sync.Mutex
	got []*http.Request // that have reached the program, with their bodies read
}

// proxies are the proxies of the manual, by the function that runs its block.
var proxies = map[string]func(*street){
	"nginx": func(s *street) {
		cert, key := s.certificate(s.TempDir())
		proxytest.Nginx(s, s.proxy, s.block("nginx", "listen 443 ssl", "listen "+s.proxy+" ssl", "/etc/ssl/wiki.example.com.pem", cert, "/etc/ssl/wiki.example.com.key", key))
	},
	"caddy": func(s *street) {
		cert, key := s.certificate(s.TempDir())
		_, port, _ := net.SplitHostPort(s.proxy)
		proxytest.Caddy(s, s.proxy, s.block("caddy", wikiHost+" {", wikiHost+":"+port+" {\n\tbind 127.0.0.1\n\ttls "+cert+" "+key))
	},
	"haproxy": func(s *street) {
		folder := s.TempDir()
		cert, key := s.certificate(folder)
		both := filepath.Join(folder, "both.pem")
		s.writes(both, s.reads(cert)+s.reads(key))
		script := filepath.Join(folder, "keypeg.lua")
		s.writes(script, s.block("lua", "timeout = 10000", "timeout = 120000")) // a busy machine is no fault
		proxytest.HAProxy(s, s.proxy, s.block("haproxy", "bind :443", "bind "+s.proxy, "/etc/haproxy/wiki.example.com.pem", both, "/etc/haproxy/keypeg.lua", script))
	},
	"apache": func(s *street) {
		folder := proxytest.ReadableDir(s)
		cert, key := s.certificate(folder)
		script := filepath.Join(folder, "keypeg.lua")
		s.writes(script, strings.Replace(s.blocks("lua")[1], "http.TIMEOUT = 10\n", "http.TIMEOUT = 120\n", 1))
		proxytest.Apache(s, s.proxy, s.block("apache", "*:443", s.proxy, "/etc/ssl/wiki.example.com.pem", cert, "/etc/ssl/wiki.example.com.key", key, "/etc/apache2/keypeg.lua", script))
	},
}

func (s *street) certificate(folder string) (cert, key string) {
	return certtest.Write(s, folder, certtest.SelfSigned(s, 1, time.Now().Add(time.Hour), wikiHost))
}

func (s *street) writes(path, text string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

func (s *street) reads(path string) string {
	s.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// block is the manual's block of a language, with changes: pairs of an old and a new text. The addresses of Keypeg and of
// the program are changed too.
func (s *street) block(language string, changes ...string) string {
	s.Helper()
	text := s.blocks(language)[0]
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			s.Fatalf("the block for %s lacks %q", language, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	return text
}

func (s *street) blocks(language string) (found []string) {
	s.Helper()
	page := s.reads("../../web/manual/gates.md")
	if s.mistake != "" {
		if !strings.Contains(page, s.mistake) {
			s.Fatalf("the manual has no %q", s.mistake)
		}
		page = strings.Replace(page, s.mistake, s.with, 1)
	}
	for _, b := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		text := strings.ReplaceAll(b[1], "127.0.0.1:8080", s.keypeg)
		found = append(found, strings.ReplaceAll(text, "127.0.0.1:3000", s.program))
	}
	if len(found) == 0 {
		s.Fatalf("the manual has no block for %s", language)
	}
	return found
}

// newStreet starts Keypeg, the program and a proxy, and signs bob in to the program.
func newStreet(t *testing.T, proxy func(*street)) *street {
	s := &street{}
	s.opens(t, proxy)
	s.signsIn()
	return s
}

func (s *street) opens(t *testing.T, proxy func(*street)) {
	address := func() string { return proxytest.IPv4(proxytest.FreeAddress(t)) }
	s.T, s.keypeg, s.proxy, s.log = t, address(), address(), &proxytest.Output{}
	s.opensProgram()
	s.opensKeypeg()
	proxy(s)
}

// opensProgram serves a program that keeps what it gets, and takes each Upgrade.
func (s *street) opensProgram() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.program = listener.Addr().String()
	s.serves(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.got = append(s.got, r)
		s.mu.Unlock()
		if to := r.Header.Get("Upgrade"); to != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			accepted := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455, 1.3
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+to+"\r\n"+
				"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(accepted[:])+"\r\n\r\nhello")
			return
		}
		io.WriteString(w, "the program")
	}))
}

func (s *street) serves(listener net.Listener, handler http.Handler) (stop func()) {
	server := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(s.log, nil), slog.LevelDebug)}
	go server.Serve(listener)
	s.Cleanup(func() { server.Close() })
	return func() { server.Close() }
}

func (s *street) opensKeypeg() {
	_, port, _ := net.SplitHostPort(s.keypeg)
	origin := "http://localhost:" + port
	at, err := server.ParseAddress(origin, "", true)
	if err != nil {
		s.Fatal(err)
	}
	var gates []forwardauth.Gate
	for _, g := range []forwardauth.Gate{{Name: "wiki", Title: "Wiki", Host: wikiHost, Groups: []string{"staff"}}, {Name: "open", Host: otherHost}} {
		g, err := server.ParseGate(g)
		if err != nil {
			s.Fatal(err)
		}
		gates = append(gates, g)
	}
	db := memstore.New(time.Now)
	log := slog.New(slog.NewTextHandler(s.log, nil))
	accounts := account.New(account.Config{Store: db, Log: log, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	for name, shown := range map[string]string{"bob": "Bob Müller", "eve": "Eve"} {
		if _, err := accounts.AddUser(s.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: shown, Password: password}); err != nil {
			s.Fatal(err)
		}
	}
	s.accounts = accounts
	s.isIn("staff", "a,b")
	handler, err := server.New(s.Context(), server.Config{
		Store: db, Accounts: accounts, Log: log, Address: at, Product: "Keypeg", Asset: func(name string) string { return "/static/" + name },
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Gates: gates,
	})
	if err != nil {
		s.Fatal(err)
	}
	listener, err := net.Listen("tcp", s.keypeg)
	if err != nil {
		s.Fatal(err)
	}
	s.away = s.serves(listener, handler)

	s.client = s.browser(origin, "bob")
	s.other = s.passesOther(s.browser(origin, "eve"))
}

// isIn puts bob into groups, and into no others.
func (s *street) isIn(groups ...string) {
	s.Helper()
	bob, err := s.accounts.IT(s.Context(), "bob")
	if err == nil {
		_, err = s.accounts.Change(s.Context(), bob, shared.ChangeMember{Groups: &groups}, false)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// browser is one in which a user is signed in.
func (s *street) browser(origin, name string) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 2 * time.Minute, Transport: s.transport(), CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		navigates(r.Header)
		return nil
	}}
	body, err := json.Marshal(shared.PasswordSignIn{Name: name, Password: password})
	if err != nil {
		s.Fatal(err)
	}
	answer, err := client.Post(origin+shared.PathSignInPassword, "application/json", bytes.NewReader(body))
	if err != nil || answer.StatusCode != 200 {
		s.Fatalf("signing in: %v %v", answer, err)
	}
	return client
}

// passesOther signs a browser in at the other gate, for which Keypeg itself stands, and returns its Cookie header there.
func (s *street) passesOther(client *http.Client) (cookie string) {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	to := "https://" + otherHost + shared.GateEnter
	for range 3 { // enter, authorize, arrive
		r, err := http.NewRequestWithContext(s.Context(), "GET", to, nil)
		if err != nil {
			s.Fatal(err)
		}
		navigates(r.Header)
		if r.URL.Host == otherHost {
			r.Header.Set("Cookie", cookie)
			r.Host, r.URL.Scheme, r.URL.Host = otherHost, "http", s.keypeg
		}
		answer, err := client.Do(r)
		if err != nil || answer.StatusCode != http.StatusSeeOther {
			s.Fatalf("signing in at the other gate: %v %v\n%s", answer, err, s.log)
		}
		if r.Host == otherHost {
			for _, c := range answer.Cookies() {
				if c.MaxAge > 0 {
					cookie = c.Name + "=" + c.Value
				}
			}
		}
		to = answer.Header.Get("Location")
	}
	return cookie
}

// transport leads each host to where it is served.
func (s *street) transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == wikiHost+":443" {
				address = s.proxy
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}

func navigates(h http.Header) {
	h.Set("Sec-Fetch-Mode", "navigate")
	h.Set("Sec-Fetch-Site", "cross-site")
	h.Set("Accept", "text/html")
}

// arrives opens a page of the program, which leads bob through Keypeg and back.
func (s *street) arrives() (status int, text string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), "GET", wiki+aPath, nil)
	if err != nil {
		s.Fatal(err)
	}
	navigates(r.Header)
	answer, err := s.client.Do(r)
	if err != nil {
		s.Fatalf("opening the program: %v\n%s", err, s.log)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

const aPath = "/a%2Fb/%C3%A9;d?x=a%26b%3Dc%20d&y=%25"

func (s *street) signsIn() {
	s.Helper()
	status, text := s.arrives()
	if got := s.took(); status != 200 || text != "the program" || len(got) != 1 {
		s.Fatalf("opening the program: %d %s, and it got %d requests\n%s", status, text, len(got), s.log)
	} else if got[0].RequestURI != aPath {
		s.Errorf("the program got %s, want %s", got[0].RequestURI, aPath)
	}
}

// took returns the requests that the program got since.
func (s *street) took() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// cookie is bob's Cookie header at the program.
func (s *street) cookie() string {
	at, _ := url.Parse(wiki)
	var all []string
	for _, c := range s.client.Jar.Cookies(at) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// sends writes a request as it stands, and returns the answer.
func (s *street) sends(text string) (*http.Response, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 2 * time.Minute}, "tcp", s.proxy, &tls.Config{InsecureSkipVerify: true, ServerName: wikiHost})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.WriteString(conn, text); err != nil {
		return nil, err
	}
	method, _, _ := strings.Cut(text, " ")
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	return answer, nil
}
