package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/keypeg/keypeg/server/proxytest"
)

// builtIn is a program that Keypeg is built into, behind the same proxy.
type builtInWard struct {
	*ward
	application *httptest.Server
	answers     atomic.Pointer[http.HandlerFunc] // to a sign-in without a proof; nil answers as a good program does
	otherSecret atomic.Bool                      // the program has another secret than Keypeg
	takesHooks  atomic.Int32                     // the status for a hook that nobody has signed
	pages       atomic.Pointer[[2]string]        // a header of the program's pages
	secrets     string
}

func newBuiltIn(t *testing.T, at string) *builtInWard {
	t.Helper()
	needsPort443(t, at)
	b := &builtInWard{ward: &ward{at: at, paper: newPapers(t, examinedHost)}}
	b.takesHooks.Store(http.StatusUnauthorized)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /keypeg-arrive", func(w http.ResponseWriter, r *http.Request) {
		if other := b.answers.Load(); other != nil {
			(*other)(w, r)
			return
		}
		http.Redirect(w, r, "/sign-in?failed", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /hooks", func(w http.ResponseWriter, r *http.Request) {
		if b.hasSigned(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.WriteHeader(int(b.takesHooks.Load()))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "sign-in?next=/")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, _ *http.Request) {
		if header := b.pages.Load(); header != nil {
			w.Header().Set(header[0], header[1])
		}
	})
	b.application = httptest.NewServer(mux)
	t.Cleanup(b.application.Close)

	database := privateDatabase(t)
	b.program = newProgramOn(t, database, "https://"+examinedHost)
	b.secrets = filepath.Join(t.TempDir(), "host.secret")
	b.hasSecrets(t, "s3cret-s3cret-s3cret-s3cret-s3cret")
	config := filepath.Join(t.TempDir(), "keypeg.toml")
	content := "database = \"" + database + "\"\nlisten = \"" + b.address + "\"\npublic-url = \"" + b.url + "\"\ncontact = \"IT desk\"\ntrusted-proxies = \"127.0.0.1\"\n" +
		"[host]\nsecret-file = \"" + b.secrets + "\"\narrive = \"" + b.url + "/keypeg-arrive\"\nhooks = \"" + b.application.URL + "/hooks\"\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b.args = []string{"serve", "--config", config}
	b.starts()
	return b
}

const (
	toKeypeg  = "location ~ ^/(keypeg|api/v1)/ {" // in nginx
	toProgram = "\tlocation / { proxy_pass http://APPLICATION; proxy_set_header Host $http_host; }\n"
)

// nginx runs the manual's own file, with the program at the root and Keypeg below its paths, and with changes.
func (b *builtInWard) nginx(t *testing.T, changes ...string) {
	t.Helper()
	program := strings.Replace(toProgram, "APPLICATION", strings.TrimPrefix(b.application.URL, "http://"), 1)
	b.ward.nginx(t, append([]string{"\tlocation / {", program + "\t" + toKeypeg}, changes...)...)
}

// caddy does it with Caddy, with lines of the test in the site.
func (b *builtInWard) caddy(t *testing.T, site string) {
	t.Helper()
	proxytest.Caddy(t, b.at+":443", examinedHost+" {\nbind "+b.at+"\ntls "+b.paper.cert+" "+b.paper.key+"\n"+site+
		"\n@keypeg path /keypeg/* /api/v1/*\nhandle @keypeg {\nreverse_proxy "+b.address+"\n}\nhandle {\nreverse_proxy "+strings.TrimPrefix(b.application.URL, "http://")+"\n}\n}\n"+
		"http://"+examinedHost+" {\nbind "+b.at+"\nredir https://{host}{uri} 308\n}\n")
}

// TestDoctorOfHost examines a Keypeg that is built into a program: as it should be nothing is wrong, and each mistake of
// the proxy or of the program turns one check.
func TestDoctorOfHost(t *testing.T) {
	b := newBuiltIn(t, "127.7.7.21")
	for _, row := range []struct {
		mistake    string
		changes    []string
		want, mend string
	}{
		{"none", nil, "", ""},
		{"the program sets its own headers for its pages alone", []string{toKeypeg, "location /pages { add_header X-Frame-Options DENY; }\n\t" + toKeypeg}, "", ""},
		{"headers for the whole site that harm nothing", []string{toKeypeg, "add_header X-Content-Type-Options nosniff; add_header X-Frame-Options SAMEORIGIN; add_header Content-Security-Policy \"frame-ancestors 'self'; upgrade-insecure-requests\";\n\t" + toKeypeg}, "", ""},
		{"the program has an API of its own at the same place", []string{toKeypeg, locationOfPaths(t)}, "", ""},
		{"X-Frame-Options for everything", []string{toKeypeg, "add_header X-Frame-Options DENY;\n\t" + toKeypeg}, "warning its frame", "nginx: in the location of Keypeg, remove add_header X-Frame-Options"},
		{"a policy for everything that forbids frames", []string{toKeypeg, "add_header Content-Security-Policy \"frame-ancestors 'none'\";\n\t" + toKeypeg}, "failed its frame", "nginx: in the location of Keypeg, remove add_header Content-Security-Policy"},
		{"a policy for everything that forbids other things", []string{toKeypeg, "add_header Content-Security-Policy \"img-src 'none'\";\n\t" + toKeypeg}, "failed Content-Security-Policy", "nginx: remove add_header Content-Security-Policy"},
		{"the paths of the pages alone", []string{toKeypeg, "location ~ ^/(keypeg/panel|keypeg/static|keypeg/wasm_exec|api/v1)/? {"}, "failed elements.js,failed jwks.json", "location ~ ^/(keypeg|api/v1)/ { proxy_pass"},
		{"the API alone", []string{toKeypeg, "location /api/v1/ {"}, "failed panel", "nginx: location ~ ^/(keypeg|api/v1)/ { proxy_pass http://"},
		{"/keypeg/ alone", []string{toKeypeg, "location /keypeg/ {"}, "failed server", "nginx: location ~ ^/(keypeg|api/v1)/ { proxy_pass http://"},
		{"arrive leads to Keypeg too", []string{toKeypeg, "location ~ ^/(keypeg|api/v1) {"}, "failed arrive", "Keypeg gets location ~ ^/(keypeg|api/v1)/ alone"},
		{"the program is away", []string{strings.Split(toProgram, "APP")[0], "\tlocation / { proxy_pass http://127.0.0.1:1; } location /other { proxy_pass http://"}, "failed arrive", "start the program, or correct where the proxy looks for it"},
		{"the proxy asks for a password", []string{"\tlocation / {", "\tlocation / { auth_basic x; auth_basic_user_file /dev/null;"}, "failed arrive", "auth_basic off; in a location for /keypeg-arrive"},
	} {
		t.Run("nginx: "+row.mistake, func(t *testing.T) {
			b.nginx(t, row.changes...)
			b.has(t, row.want, row.mend)
		})
	}
	for site, want := range map[string]string{
		"": "", "encode gzip": "",
		"header X-Frame-Options DENY":                                "warning its frame",
		"header +Content-Security-Policy \"frame-ancestors 'none'\"": "failed its frame",
	} {
		t.Run("Caddy: "+site, func(t *testing.T) {
			b.caddy(t, site)
			b.has(t, want, "")
		})
	}
	b.nginx(t)
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for _, row := range []struct {
		mistake    string
		answers    http.HandlerFunc
		want, mend string
	}{
		{"it refuses", status(400), "", ""},
		{"it shows its sign-in page", status(200), "", ""},
		{"it demands a token against forgery", status(403), "", ""},
		{"it has nothing there", http.NotFound, "failed arrive", "let the program answer POST /keypeg-arrive, or correct arrive"},
		{"it takes GET alone", status(405), "failed arrive", "let the program answer POST /keypeg-arrive"},
		{"it fails", status(500), "failed arrive", "let it refuse what Keypeg doesn't redeem"},
		{"it wants people to be signed in", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login?next=%2Fkeypeg-arrive", http.StatusFound)
		}, "failed arrive", "let the program take POST /keypeg-arrive from everybody"},
	} {
		t.Run(row.mistake, func(t *testing.T) {
			b.answers.Store(&row.answers)
			b.has(t, row.want, row.mend)
		})
	}
	b.answers.Store(nil)
	b.hasPages(t)
	for answer, row := range map[int32]struct{ want, mend string }{
		http.StatusBadRequest:          {"", ""},
		http.StatusOK:                  {"warning hooks", "check the header Webhook-Signature with the secret"},
		http.StatusNotFound:            {"failed hooks", "correct hooks, or let the program answer there"},
		http.StatusInternalServerError: {"failed hooks", "see its log"},
		http.StatusFound:               {"failed hooks", "write the address where it leads as hooks"},
	} {
		b.takesHooks.Store(answer)
		b.has(t, row.want, row.mend)
	}
	b.takesHooks.Store(http.StatusUnauthorized)
	b.hasSecrets(t, "the-next-s3cret-the-next-s3cret-00", "s3cret-s3cret-s3cret-s3cret-s3cret") // the program has the old one
	b.has(t, "", "")
	b.otherSecret.Store(true)
	b.has(t, "failed hooks", "give the program the first line of "+b.secrets)
	b.otherSecret.Store(false)
	changesMode(t, b.secrets, 0o644)
	b.has(t, "warning notice", "everybody on this machine can read the secret of [host]: chmod o-rwx "+b.secrets)
}

// hasPages has the doctor look at pages of the program with headers of its own.
func (b *builtInWard) hasPages(t *testing.T) {
	t.Helper()
	defer b.pages.Store(nil)
	for _, row := range []struct{ header, value, want, mend string }{
		{"X-Frame-Options", "DENY", "", ""},
		{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'", "", ""},
		{"Content-Security-Policy", "default-src 'none'; script-src 'nonce-x' 'strict-dynamic'; connect-src https:; frame-src https://" + examinedHost + "; form-action *", "", ""},
		{"Content-Security-Policy", "default-src https://*.keypeg.test; connect-src *.keypeg.test:443; frame-src https://" + examinedHost + ":443/; form-action http://" + examinedHost + ":*", "", ""},
		{"Content-Security-Policy", "default-src https://*.example.org", "failed its pages", "let default-src of the program's"},
		{"Permissions-Policy", "camera=(), publickey-credentials-get=(self)", "", ""},
		{"Permissions-Policy", "camera=(), publickey-credentials-create=()", "failed its pages", "nginx: remove publickey-credentials-create"},
		{"Content-Security-Policy", "default-src 'none'", "failed its pages", "let default-src of the program's Content-Security-Policy have 'self'"},
		{"Content-Security-Policy", "default-src 'self'; frame-src 'none'", "failed its pages", "let frame-src of the program's"},
		{"Content-Security-Policy", "script-src https://cdn.example.com 'unsafe-inline'", "failed its pages", "let script-src of the program's"},
		{"Content-Security-Policy", "form-action", "failed its pages", "let form-action of the program's"},
		{"Content-Security-Policy", "sandbox allow-scripts allow-forms", "failed its pages", "let sandbox of the program's Content-Security-Policy have allow-same-origin"},
	} {
		b.pages.Store(&[2]string{row.header, row.value})
		t.Run(row.header+": "+row.value, func(t *testing.T) { b.has(t, row.want, row.mend) })
	}
}

// hasSecrets writes the file of secrets.
func (b *builtInWard) hasSecrets(t *testing.T, secrets ...string) {
	t.Helper()
	if err := os.WriteFile(b.secrets, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hasSigned reports whether Keypeg has signed a hook, as the program sees it.
func (b *builtInWard) hasSigned(r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	secret := "s3cret-s3cret-s3cret-s3cret-s3cret"
	if b.otherSecret.Load() {
		secret = "another-another-another-another-another"
	}
	return err == nil && isSignedWith(r.Header, body, secret)
}

// has checks what is wrong, and that the first of it is told with what to write.
func (b *builtInWard) has(t *testing.T, want, mend string) {
	t.Helper()
	r := b.asksDoctor(t)
	if got := strings.Join(wrong(r), ","); got != want {
		t.Errorf("wrong are %q, want %q\n%s", got, want, textOf(r))
	}
	if text := textOf(r); !strings.Contains(text, mend) {
		t.Errorf("it doesn't say %q:\n%s", mend, text)
	}
}
