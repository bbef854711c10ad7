package main

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

var printedSecret = regexp.MustCompile(`kph_[A-Za-z0-9_-]{43}`)

// addsProgram adds a tenant that is a program, and returns the secret that is printed.
func (p *program) addsProgram(name string, more ...string) (secret string) {
	p.Helper()
	out := p.does("", append([]string{"tenant", "add", name, "http://" + p.host(name), "--arrive", "http://" + p.host(name) + "/arrive"}, more...)...)
	if secret = printedSecret.FindString(out); secret == "" || strings.Contains(out, "setup") {
		p.Fatalf("keypeg tenant add %s printed no secret, or a set-up link:\n%s", name, out)
	}
	return secret
}

// heard keeps the headers of the last sign-in.
type heard struct {
	http.RoundTripper
	mu     sync.Mutex
	header http.Header
}

// RoundTrip implements http.RoundTripper.
func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := h.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Path == shared.PathSignInFinish {
		h.mu.Lock()
		h.header = answer.Header
		h.mu.Unlock()
	}
	return answer, err
}

// redeems is what a program asks of a tenant's Keypeg when a browser brings a proof.
func (p *program) redeems(at, secret, proof, cookies string) (status int, body string) {
	p.Helper()
	return p.asksAsProgram(at, secret, "POST "+shared.PathRedeem, url.Values{shared.FieldProof: {proof}}.Encode(), cookies)
}

// asksAsProgram sends what a program does, such as "GET /keypeg/users/ann/passkeys".
func (p *program) asksAsProgram(at, secret, what, form, cookies string) (status int, body string) {
	p.Helper()
	method, path, _ := strings.Cut(what, " ")
	r, err := http.NewRequest(method, "http://"+p.address+path, strings.NewReader(form))
	if err != nil {
		p.Fatal(err)
	}
	r.Host = p.host(at)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Cookie", cookies)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestTenantsOfPrograms tries to cross from a program to another one with everything that a program has: its secret, its
// introductions, its browsers' cookies and its proofs. Hooks go to the program alone whose user they are about.
func TestTenantsOfPrograms(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			secrets, hooks := map[string]string{}, map[string]*hookReceiver{}
			for _, name := range []string{"acme", "beta"} {
				hooks[name] = newHookReceiver(t)
				secret := p.addsProgram(name, "--hooks", hooks[name].URL)
				secrets[name] = secret
				hooks[name].secret.Store(&secret)
			}
			if secrets["acme"] == secrets["beta"] {
				t.Fatal("two programs have the same secret")
			}
			device := passkeytest.New(p.at("acme").url)
			ann := p.at("acme").opensTab(device, "")
			for _, row := range []struct {
				at, secret string
				code       shared.Code
			}{
				{"acme", secrets["beta"], shared.CodeIntroductionInvalid},
				{"beta", secrets["acme"], shared.CodeIntroductionInvalid},
				{"acme", "", shared.CodeIntroductionInvalid},
				{"beta", secrets["beta"], ""},
			} {
				if _, code := p.at(row.at).opensTab(nil, "").introduces("ann", row.secret); code != row.code {
					t.Errorf("at %s: got %q, want %q", row.at, code, row.code)
				}
			}
			if _, code := p.at("beta").opensTab(nil, "").introducesFor(p.at("acme").url, "ann", secrets["beta"]); code != shared.CodeIntroductionOrigin {
				t.Errorf("at beta, an introduction for acme: %q", code)
			}
			if status, code := ann.introduces("ann", secrets["acme"]); status != http.StatusNoContent {
				t.Fatalf("acme's own introduction: %d %s", status, code)
			}
			if _, err := ann.steps.Register(t.Context(), "Laptop", ""); err != nil {
				t.Fatal(err)
			}
			there := p.at("beta").opensTab(nil, "")
			there.jar.SetCookies(there.site, ann.jar.Cookies(ann.site))
			if _, err := there.Passkeys(t.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
				t.Errorf("acme's cookie at beta: %v", err)
			}
			for name, want := range map[string]string{"acme": "Laptop", "beta": "no passkey here"} {
				if out := p.does("", "host", "user", "ann", "--tenant", name); !strings.Contains(out, want) {
					t.Errorf("ann at %s: %s", name, out)
				}
			}

			// Beta has a user of its own. It asks of one with the id of acme's, and removes them.
			bob := p.at("beta").opensTab(passkeytest.New(p.at("beta").url), "")
			bob.introduces("bob", secrets["beta"])
			if _, err := bob.steps.Register(t.Context(), "Phone", ""); err != nil {
				t.Fatal(err)
			}
			const lists, removes = "GET " + shared.PathHostUser + "ann" + shared.PathHostPasskeys, "DELETE " + shared.PathHostUser + "ann"
			for _, row := range []struct {
				at, secret, what string
				status           int
				says             string
			}{
				{"acme", secrets["beta"], lists, 401, string(shared.CodeProgramRefused)},
				{"beta", secrets["acme"], lists, 401, string(shared.CodeProgramRefused)},
				{"acme", secrets["beta"], removes, 401, string(shared.CodeProgramRefused)},
				{"beta", secrets["beta"], lists, 200, `{"passkeys":[]}`},
				{"beta", secrets["beta"], removes, 204, ""},
				{"acme", secrets["acme"], lists, 200, `"Laptop"`},
			} {
				if status, body := p.asksAsProgram(row.at, row.secret, row.what, "", ""); status != row.status || !strings.Contains(body, row.says) {
					t.Errorf("%s at %s: %d %s, want %d with %s", row.what, row.at, status, body, row.status, row.says)
				}
			}

			signsIn := func() (proof, cookies string) {
				t.Helper()
				browser := p.at("acme").opensTab(device, "")
				hears := &heard{RoundTripper: browser.client.Transport}
				browser.client.Transport = hears
				if _, err := browser.steps.SignIn(t.Context()); err != nil {
					t.Fatal(err)
				}
				var all []string
				for _, cookie := range browser.jar.Cookies(browser.site) {
					all = append(all, cookie.Name+"="+cookie.Value)
				}
				return hears.header.Get(shared.HeaderProof), strings.Join(all, "; ")
			}
			proof, cookies := signsIn()
			for _, row := range []struct {
				at, secret string
				status     int
				says       string
			}{
				{"beta", secrets["beta"], 400, string(shared.CodeProofInvalid)},
				{"beta", secrets["acme"], 401, string(shared.CodeProgramRefused)},
				{"acme", secrets["beta"], 401, string(shared.CodeProgramRefused)},
				{"acme", secrets["acme"], 200, `"userId":"ann"`},
			} {
				if status, body := p.redeems(row.at, row.secret, proof, cookies); status != row.status || !strings.Contains(body, row.says) {
					t.Errorf("acme's proof at %s: %d %s, want %d with %s", row.at, status, body, row.status, row.says)
				}
			}
			if r := p.asksDoctor(t, "/dev/null", "--tenant", "acme"); strings.Join(wrong(r), ",") != "failed arrive" { // since no program is there
				t.Errorf("the doctor says\n%s", textOf(r))
			}
			for name, told := range map[string][]string{"acme": {"passkey.added ann", "passkey.sign-in ann"}, "beta": {"passkey.added bob"}} {
				for _, hook := range told {
					p.waitsFor("the hook "+hook, func() bool { return hooks[name].has(hook) })
				}
				if status, body := p.gets(p.host(name), "/metrics"); status != 404 {
					t.Errorf("%s reads the figures of all: %d %s", name, status, body)
				}
			}
			if acme, beta := hooks["acme"].all(), hooks["beta"].all(); strings.Contains(acme, " bob") || strings.Contains(beta, " ann") {
				t.Errorf("acme is told of %s, and beta of %s", acme, beta)
			}
			_, acmes := p.gets(p.host("acme"), shared.PathProofKeys)
			if _, betas := p.gets(p.host("beta"), shared.PathProofKeys); acmes == betas || !strings.Contains(acmes, `"ES256"`) {
				t.Errorf("two programs have the same keys: %s", acmes)
			}
		})
	}
}

// TestHooksOfTenants: what a program hasn't taken before a restart, it gets after it, though nobody comes there.
func TestHooksOfTenants(t *testing.T) {
	p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.starts()
	hooks := newHookReceiver(t)
	hooks.refuses.Store(true)
	secret := p.addsProgram("acme", "--hooks", hooks.URL)
	ann := p.at("acme").opensTab(passkeytest.New(p.at("acme").url), "")
	ann.introduces("ann", secret)
	if _, err := ann.steps.Register(t.Context(), "Laptop", ""); err != nil {
		t.Fatal(err)
	}
	p.waitsFor("a try of the hook", func() bool {
		return strings.Contains(p.does("", "host", "hooks", "--tenant", "acme"), "it answers 503")
	})
	p.ends(syscall.SIGTERM)
	hooks.refuses.Store(false)
	p.starts()
	p.waitsFor("the hook", func() bool { return hooks.has("passkey.added ann") })
}

// TestRotateTenant gives a program another secret, with an overlap and without. During the overlap the program takes hooks by
// either.
func TestRotateTenant(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			hooks := newHookReceiver(t)
			secrets := []string{p.addsProgram("acme", "--hooks", hooks.URL)}
			hears := func(user, secret string) { // which the program has
				t.Helper()
				hooks.secret.Store(&secret)
				adds := p.at("acme").opensTab(passkeytest.New(p.at("acme").url), "")
				adds.introduces(user, secret)
				if _, err := adds.steps.Register(t.Context(), "Laptop", ""); err != nil {
					t.Fatal(err)
				}
				p.waitsFor("the hook about "+user, func() bool { return hooks.has("passkey.added " + user) })
			}
			rotates := func(more ...string) {
				t.Helper()
				secrets = append(secrets, printedSecret.FindString(p.does("", append([]string{"tenant", "rotate", "acme"}, more...)...)))
			}
			expects := func(when string, want ...bool) { // which each node notices soon
				t.Helper()
				p.waitsFor(when, func() bool {
					for i, secret := range secrets {
						if _, code := p.at("acme").opensTab(nil, "").introduces("ann", secret); (code == "") != want[i] {
							return false
						}
					}
					return true
				})
			}
			rotates()
			expects("after the first rotation", true, true)
			hears("bob", secrets[0])
			hears("cid", secrets[1])
			rotates("--json")
			expects("after the second", false, true, true)
			ann := p.at("acme").opensTab(nil, "")
			ann.introduces("ann", secrets[1])
			if _, err := ann.Passkeys(t.Context()); err != nil {
				t.Fatal(err)
			}
			rotates("--now")
			expects("after one that ends the others", false, false, false, true)
			if _, err := ann.Passkeys(t.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
				t.Errorf("who was introduced with a secret that somebody else has: %v", err)
			}
			if out := p.does("", "tenant", "list", "--json"); !strings.Contains(out, `"arrive":"http://`+p.host("acme")+`/arrive","hooks":"`+hooks.URL+`","secretMade":"20`) || printedSecret.MatchString(out) {
				t.Errorf("the list: %s", out)
			}
			if printedSecret.MatchString(p.log.String()) {
				t.Errorf("a secret is in the log:\n%s", p.log)
			}
		})
	}
}

// TestChangeTenant runs with a server and without.
func TestChangeTenant(t *testing.T) {
	for _, running := range []bool{true, false} {
		p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
		p.begins()
		if running {
			p.starts()
		}
		p.refusesTo("--arrive: arrive must be an address of the program itself: http://"+p.host("acme")+"/keypeg-arrive, for example", "", "tenant", "add", "acme", "http://"+p.host("acme"), "--arrive", "http://"+p.host("beta")+"/a")
		p.refusesTo("--hooks goes with --arrive", "", "tenant", "add", "acme", "http://"+p.host("acme"), "--hooks", "https://x.example")
		p.addsProgram("acme")
		p.adds("beta")
		p.refusesTo("nothing is typed that could be changed", "", "tenant", "change", "acme")
		p.refusesTo("--hooks: hooks must be a URL", "", "tenant", "change", "acme", "--hooks", "acme.example")
		if out := p.does("", "tenant", "change", "acme", "--hooks", "https://acme.example/hooks", "--contact", "acme's desk"); out != "Changed acme.\n" {
			t.Errorf("running %t: %s", running, out)
		}
		if out := p.does("", "tenant", "list", "--json"); !strings.Contains(out, `"hooks":"https://acme.example/hooks"`) {
			t.Errorf("running %t: %s", running, out)
		}
		p.refusesTo("people sign in at the program", "", "user", "list", "--tenant", "acme")
		p.refusesTo("people sign in at the program", "", "setup-link", "--tenant", "acme")
		p.refusesTo("has users of its own", "", "host", "hooks", "--tenant", "beta")
		p.refusesTo("the tenant beta has users of its own, and no program", "", "tenant", "rotate", "beta")

		p.does("correct horse battery\n", "user", "add", "ann", "--tenant", "beta")
		p.refusesTo("has 1 users of Keypeg's own", "", "tenant", "change", "beta", "--arrive", "http://"+p.host("beta")+"/arrive")
		p.does("", "user", "list", "--tenant", "beta")
		p.adds("gamma")
		if out := p.does("", "tenant", "change", "gamma", "--arrive", "http://"+p.host("gamma")+"/arrive"); !printedSecret.MatchString(out) {
			t.Errorf("running %t: a tenant that becomes a program gets no secret: %s", running, out)
		}
		p.does("", "host", "hooks", "--tenant", "gamma")
		p.does("", "tenant", "change", "gamma", "--arrive", "")
		p.does("", "user", "list", "--tenant", "gamma")

		moved := strings.Replace("http://"+p.host("acme"), "acme.", "tools.", 1)
		p.does("", "tenant", "change", "acme", "--hooks", "http://"+p.host("acme")+"/hooks")
		p.does("", "domain", "move", moved, "--tenant", "acme")
		if out := p.does("", "tenant", "list", "--json"); !strings.Contains(out, `"arrive":"`+moved+`/arrive","hooks":"`+moved+`/hooks"`) {
			t.Errorf("running %t: the program isn't where its tenant is: %s", running, out)
		}
	}
}
