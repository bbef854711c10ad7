package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/proxytest"
)

// startCloud runs the program for several organisations until the test ends.
func startCloud(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{t: t, program: keypeg, listens: proxytest.FreeAddress(t), database: filepath.Join(t.TempDir(), "keypeg.db"), log: &proxytest.Output{}}
	s.url = "http://" + s.listens
	s.setup = "none: a tenant's link is printed when it is added"
	s.flags = append([]string{"serve", "--edition", "cloud", "--listen", s.listens, "--database", s.database}, flags...)
	s.starts()
	t.Cleanup(func() {
		s.stops()
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})
	return s
}

// tenant runs a command about tenants.
func (s *server) tenant(t *testing.T, args ...string) string {
	t.Helper()
	return s.command(t, "", append([]string{"tenant", "--edition", "cloud"}, args...)...)
}

// adds adds a tenant. It returns the server at the address of the tenant, with the tenant's
// own set-up link.
func (s *server) adds(t *testing.T, name string, more ...string) *server {
	t.Helper()
	url := strings.Replace(s.url, "localhost", name+".localhost", 1)
	out := s.tenant(t, append([]string{"add", name, url}, more...)...)
	return &server{t: t, url: url, setup: regexp.MustCompile(`http://\S+/setup\?token=\S+`).FindString(out)}
}

func TestSeveralOrganisations(t *testing.T) {
	t.Parallel()
	s := startCloud(t)
	acme, beta := s.adds(t, "acme", "--product", "Acme ID", "--contact", "Acme's desk"), s.adds(t, "beta")
	ann := openBrowser(t, acme)
	laptop := ann.hasDevice()

	// Ann sets up Acme by its link, adds a passkey, and signs in with it.
	ann.setsUp()
	ann.reads("Acme ID")
	ann.opensPasskeys()
	ann.addsPasskey("Work laptop")
	ann.clicks("#passkeys-close")
	ann.seesNo("dialog.panel")
	laptop.touches(false)
	ann.signsOut()
	autofills := ann.cannotAutofill()
	ann.opens("/sign-in")
	laptop.touches(true)
	ann.clicks("#use-passkey")
	ann.isAt("/")
	ann.readsIn("#user-menu-button", "Ann Admin")

	// Beta knows neither her, nor her passkey, nor that she is signed in.
	ann.server = beta
	ann.opens("/")
	ann.isAt("/sign-in")
	ann.fillsInPassword(annsName, annsPassword)
	ann.reads("The user name or the password is not right.")
	ann.opens("/sign-in")
	ann.clicks("#use-passkey")
	ann.reads(notHere)
	autofills()
	ann.opens(strings.Replace(acme.setup, "acme.localhost", "beta.localhost", 1))
	ann.reads("This set-up link is not valid any more.")

	// Beta has an administrator of its own, in a browser of their own.
	bea := openBrowser(t, beta)
	bea.hasDevice()
	bea.setsUp()
	bea.opensPasskeys()
	bea.addsPasskey("Phone")

	// Acme is suspended. Its users read whom to ask. Beta goes on.
	ann.server = acme
	ann.opens("/")
	ann.readsIn("#user-menu-button", "Ann Admin")
	s.tenant(t, "disable", "acme")
	ann.reads("This organisation is switched off. Please ask: Acme's desk")
	ann.opens("/")
	ann.reads("This organisation is switched off. Please ask: Acme's desk")
	bea.clicks("#passkeys-close")
	bea.seesNo("dialog.panel")
	bea.readsIn("#way-passkeys li:first-child", "1 passkey")
	bea.opens("/sessions")
	bea.reads("You are signed in nowhere else.")

	// Acme is resumed, and she is still signed in.
	s.tenant(t, "enable", "acme")
	ann.opens("/")
	ann.readsIn("#user-menu-button", "Ann Admin")

	// Acme is removed, and its address serves nobody.
	s.tenant(t, "disable", "acme")
	s.tenant(t, "remove", "acme", "--yes", "acme")
	ann.opens("/sign-in")
	ann.reads("No organisation is served at this address.")
	bea.opens("/")
	bea.readsIn("#user-menu-button", "Ann Admin")
	bea.hasNoComplaints()
}
