package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/proxytest"
)

// provider is an OpenID provider, a program of its own.
type provider struct {
	t       *testing.T
	port    string
	server  *server
	running *exec.Cmd
}

// startServerWithProvider runs Keypeg and a provider, which has the name Example. People at
// example.com get accounts when they sign in there.
func startServerWithProvider(t *testing.T, flags ...string) (*server, *provider) {
	t.Helper()
	_, port, _ := strings.Cut(proxytest.FreeAddress(t), ":")
	p := &provider{t: t, port: port}
	folder := t.TempDir()
	for name, content := range map[string]string{
		"secret": "keypeg-test\n",
		"keypeg.toml": `[provider.test]
name = "Example"
issuer = "http://localhost:` + p.port + `"
client-id = "keypeg"
client-secret-file = "` + filepath.Join(folder, "secret") + `"
create-users = true
allowed-domains = ["example.com"]
sign-out = true
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.server = startServer(t, append(flags, "--config", filepath.Join(folder, "keypeg.toml"))...)
	t.Cleanup(p.stops)
	p.starts()
	return p.server, p
}

func (p *provider) starts() {
	p.t.Helper()
	p.running = exec.Command(openIDProvider, "-listen", "localhost:"+p.port, "-callback", p.server.url+"/sign-in/sso/test/callback")
	stdout, err := p.running.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.running.Start(); err != nil {
		p.t.Fatal(err)
	}
	if lines := bufio.NewScanner(stdout); !lines.Scan() {
		p.t.Fatal("the provider didn't start")
	}
}

func (p *provider) stops() {
	if p.running != nil {
		p.running.Process.Kill()
		p.running.Wait()
		p.running = nil
	}
}

// choosesAt chooses an account at the provider's page.
func (b *browser) choosesAt(p *provider, who string) {
	b.t.Helper()
	b.waitsFor("the provider's page", `location.port === "`+p.port+`"`)
	b.readsIn("h1", "Who are you?")
	value[bool](b, `[...document.querySelectorAll("button")].find((b) => b.textContent === "`+who+`").click(), true`)
}

const ssoButton = `#providers a[href^="/sign-in/sso/test"]`

// TestSSO signs in at the company's provider.
func TestSSO(t *testing.T) {
	t.Parallel()
	s, provider := startServerWithProvider(t)
	ann := openBrowser(t, s)
	ann.setsUp()

	bob := openBrowser(t, s)
	laptop := bob.hasDevice()
	laptop.touches(false)
	bob.opens("/passkeys")
	bob.isAt("/sign-in?next=%2Fpasskeys")
	bob.readsIn(ssoButton, "Continue with Example")
	bob.clicks(ssoButton)
	bob.choosesAt(provider, "Bob Builder")
	bob.isAt("/passkeys") // where he wanted to go
	bob.readsIn("#user-menu-button", "Bob Builder")

	// He adds a passkey, and signs in with it the next time.
	laptop.touches(true)
	bob.addsPasskey("Laptop")
	bob.presses(escape)
	bob.isAt("/")
	bob.readsIn(".row:has([aria-label='Unlink Example']) li", "bob@example.com")
	laptop.touches(false)
	bob.clicks("#user-menu-button")
	bob.clicks("#menu-sign-out")
	bob.isAt("/sign-in") // by way of the provider
	bob.opens("/sign-in")
	again := bob.cannotAutofill()
	bob.opens("/sign-in")
	laptop.touches(true)
	bob.clicks("#use-passkey")
	bob.isAt("/")
	bob.readsIn("#user-menu-button", "Bob Builder")
	again()

	// With a passkey, the provider isn't the only sign-in method any more. So he can unlink
	// it, and link it again.
	bob.clicks("[aria-label='Unlink Example']")
	bob.reads("Not linked")
	bob.clicks("[aria-label='Link Example']")
	bob.choosesAt(provider, "Bob Builder")
	bob.isAt("/")
	bob.readsIn(".row:has([aria-label='Unlink Example']) li", "bob@example.com")
	bob.opens("/activity")
	bob.reads("Example unlinked")
	bob.reads("Signed in at Example")
	bob.opens("/sessions")
	bob.reads("Signed in with “Laptop”")

	// Ann links the same provider, but not Bob's identity there.
	ann.opens("/")
	ann.clicks("[aria-label='Link Example']")
	ann.choosesAt(provider, "Bob Builder")
	ann.reads("This sign-in at Example belongs to another account.")
	ann.opens("/")
	ann.clicks("[aria-label='Link Example']")
	ann.choosesAt(provider, "Ann Admin")
	ann.isAt("/")
	ann.readsIn(".row:has([aria-label='Unlink Example']) li", "ann@example.com")
	ann.hasNoComplaints()

	// People of another domain can't sign in, and neither can people who cancel.
	eve := openBrowser(t, s)
	for who, sentence := range map[string]string{
		"Eve Elsewhere": "Example knows you, but you have no account here yet. Please ask IT for one.",
		"Cancel":        "You weren't signed in at Example. Please try again, or sign in another way.",
	} {
		eve.opens("/sign-in")
		eve.clicks(ssoButton)
		eve.choosesAt(provider, who)
		eve.isAt("/sign-in")
		eve.readsIn("#refusal", sentence)
		eve.opens("/sign-in")
		eve.seesNo("#refusal")
	}

	// While the provider is away, its button says so, and the others work.
	provider.stops()
	s.stops()
	s.starts() // it has forgotten what the provider said
	eve.opens("/sign-in")
	eve.clicks(ssoButton)
	eve.isAt("/sign-in")
	eve.readsIn("#refusal", "Example can't be reached at this moment. Please try again later, or sign in another way.")
	eve.signsInWithPassword(annsName, annsPassword)
}

// TestSSOConfirmation confirms as a user whose only sign-in method is a provider.
func TestSSOConfirmation(t *testing.T) {
	t.Parallel()
	s, provider := startServerWithProvider(t, "--confirm-after", "1s")
	bob := openBrowser(t, s)
	bob.hasDevice()
	bob.opens("/sign-in")
	bob.clicks(ssoButton)
	bob.choosesAt(provider, "Bob Builder")
	bob.isAt("/")
	bob.reads("your only way to sign in")
	bob.opensPasskeys()
	bob.waitsFor("the sign-in to be a while ago", `fetch("/api/v1/passkeys/register/begin", { method: "POST" }).then((r) => r.status === 403)`)
	bob.clicks("#passkey-add")
	bob.clicks("#passkey-register")
	bob.readsIn("#confirm-at-test", "Confirm at Example")
	bob.clicks("#confirm-at-test")
	bob.choosesAt(provider, "Bob Builder") // asked again, though he is signed in there
	bob.isAt("/passkeys")
	if log := s.log.String(); !regexp.MustCompile(`path=/api/v1/confirm/sso/test .*status=200`).MatchString(log) {
		t.Errorf("nothing was confirmed:\n%s", log)
	}
	bob.opens("/activity")
	bob.reads("Confirmed that it's you")
}

// TestSSOTabs signs in from five tabs, as after a browser has restored them, and uses the
// browser's Back and Forward buttons.
func TestSSOTabs(t *testing.T) {
	t.Parallel()
	s, provider := startServerWithProvider(t)
	bob := openBrowser(t, s)
	tabs := []*browser{bob}
	for range 4 {
		tabs = append(tabs, bob.opensTab())
	}
	for _, tab := range tabs {
		tab.opens("/sign-in")
		tab.clicks(ssoButton)
		tab.waitsFor("the provider's page", `location.port === "`+provider.port+`"`)
	}
	// The tab that left last comes back first, and all of them arrive.
	for i := range tabs {
		tab := tabs[len(tabs)-1-i]
		tab.choosesAt(provider, "Bob Builder")
		tab.isAt("/")
		tab.readsIn("#user-menu-button", "Bob Builder")
	}

	// Back goes to the provider. Its answer was used already, so it leads to the start page:
	// by Forward, and by its address in the history.
	bob.goes("back")
	bob.waitsFor("to be back at the provider, or led on", `location.port === "`+provider.port+`" || document.querySelector("#user-menu-button") !== null`)
	for _, answer := range []string{"?code=spent&state=spent", "?error=access_denied&state=spent", ""} {
		bob.opens("/sign-in/sso/test/callback" + answer)
		bob.isAt("/")
		bob.readsIn("#user-menu-button", "Bob Builder")
	}

	// A refusal in one tab doesn't end a session that began in another.
	bob.signsOut()
	first, second := tabs[1], tabs[2]
	for _, tab := range []*browser{first, second} {
		tab.opens("/sign-in")
		tab.clicks(ssoButton)
	}
	first.choosesAt(provider, "Bob Builder")
	first.isAt("/")
	second.choosesAt(provider, "Cancel")
	second.isAt("/")
	second.readsIn("#user-menu-button", "Bob Builder")
	for _, tab := range tabs {
		tab.hasNoComplaints()
	}
}
