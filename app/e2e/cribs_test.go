package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/cribtest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// cribIn is the tool crib in any language. Where its pages differ, the selectors say so.
type cribIn struct {
	*server
	language  string
	passwords map[string]string
	growsOld  func() // sets every session back by an hour; nil in Go, where TestToolcrib does it
	losesNode func() // has a node of Keypeg crash; nil if there is one alone

	name, password, submit, byPasskey string // on the page to sign in at
	top, menu, passkeys, signOut      string // the name at the top right, and what is behind it
	tool, notNow                      string // the button of the first tool, and the one that ends the offer of a passkey
}

// startGoCrib starts the crib in Go, which has Keypeg inside.
func startGoCrib(t *testing.T) *cribIn {
	t.Helper()
	c := startCrib(t)
	return &cribIn{
		c.server, "go", c.passwords, nil, nil,
		"#sign-in-name", "#sign-in-password", "#sign-in-submit", "#sign-in-passkey",
		"#user-menu-button", "#user-menu-button", "#menu-passkeys", "#menu-sign-out", "#tool-1 button", "#offer-not-now",
	}
}

// startCribOnNodes starts a crib, and two nodes of Keypeg beside it with the table [host], to which nginx sends requests in
// turn.
func startCribOnNodes(t *testing.T, language string) *cribIn {
	t.Helper()
	addresses := []string{proxytest.FreeAddress(t), proxytest.FreeAddress(t)}
	c := cribtest.StartBeside(t, language, cribtest.Beside{Nodes: addresses})
	database, log := pgtest.Empty(t), &proxytest.Output{}
	var nodes []*server
	for _, address := range addresses {
		settings := filepath.Join(t.TempDir(), "keypeg.toml")
		written := fmt.Sprintf("public-url = %q\nlisten = %q\ntrusted-proxies = \"127.0.0.1\"\ndatabase = %q\nproduct = \"Tool crib\"\ncontact = \"the keeper of the crib\"\n\n[host]\nsecret-file = %q\narrive = %q\nhooks = %q\n",
			c.URL, address, database, c.SecretFile, c.Arrive, c.Hooks)
		if err := os.WriteFile(settings, []byte(written), 0o600); err != nil {
			t.Fatal(err)
		}
		node := &server{t: t, url: c.URL, program: keypeg, listens: address, log: log, flags: []string{"serve", "--config", settings}}
		node.runs(func(line string) bool { return strings.HasPrefix(line, "Keypeg runs at") })
		t.Cleanup(node.stops)
		nodes = append(nodes, node)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of Keypeg's nodes:\n%s", log)
		}
	})
	return besideKeypeg(nodes[0], c, language, nodes[0].crashes)
}

// addsCrib starts a crib, and adds it as a tenant.
func (s *server) addsCrib(t *testing.T, language string) *cribIn {
	t.Helper()
	c := cribtest.StartBeside(t, language, cribtest.Beside{Nodes: []string{s.listens}, Tenant: language})
	out := s.tenant(t, "add", language, c.URL, "--arrive", c.Arrive, "--hooks", c.Hooks, "--product", "Tool crib", "--contact", "the keeper of the crib")
	c.Share(regexp.MustCompile(`kph_\S+`).FindString(out))
	return besideKeypeg(&server{t: t, url: c.URL}, c, language, nil)
}

func besideKeypeg(s *server, c *cribtest.Crib, language string, losesNode func()) *cribIn {
	return &cribIn{
		s, language, c.Passwords, c.GrowsOld, losesNode,
		"[name=name]", "[name=password]", ".crib-form button", ".sign-in button",
		"keypeg-menu", ".name", ".line:nth-of-type(1)", "button[slot]", "#tool-1 button", ".card .quiet",
	}
}

// enters signs in with the password that the crib has printed.
func (b *browser) enters(c *cribIn, name string) {
	b.t.Helper()
	b.opens("/")
	b.isAt("/sign-in")
	b.fills(c.name, name)
	b.fills(c.password, c.passwords[name])
	b.touches(c.submit)
	b.isAt("/")
	b.findsText(c.top, name)
}

func (b *browser) leaves(c *cribIn) {
	b.t.Helper()
	b.touches(c.menu)
	b.touches(c.signOut)
	b.isAt("/sign-in")
}

func (b *browser) opensPasskeysOf(c *cribIn) {
	b.t.Helper()
	b.touches(c.menu)
	b.touches(c.passkeys)
	b.finds("#passkey-add")
}

// TestCribs is one story in each language: who has a password gets a passkey, signs in with it, and removes it. In Go Keypeg is
// inside of the program. Beside the others it runs in the ways that there are: on two nodes, of which one crashes, and once for
// two programs, a tenant each.
func TestCribs(t *testing.T) {
	t.Parallel()
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		startGoCrib(t).isUsed(t)
	})
	t.Run("node", func(t *testing.T) {
		t.Parallel()
		startCribOnNodes(t, "node").isUsed(t)
	})
	t.Run("php and python", func(t *testing.T) {
		t.Parallel()
		cloud := startCloud(t, "--trusted-proxies", "127.0.0.1")
		php, python := cloud.addsCrib(t, "php"), cloud.addsCrib(t, "python")
		ann := php.isUsed(t)
		python.isUsed(t)
		ann.isKeptFrom(php, python)
	})
}

// isUsed tells the story, and returns the browser of Ann, who is signed in and has no passkey.
func (c *cribIn) isUsed(t *testing.T) (ann *browser) {
	t.Helper()
	ann = openBrowser(t, c.server)
	laptop := ann.hasDevice()
	laptop.touches(false)

	// Her name is at the top right, with Passkeys below it.
	ann.opens("/sign-in")
	ann.finds(c.byPasskey)
	ann.isPictured("crib-" + c.language + "-sign-in")
	ann.enters(c, "ann")
	ann.touches(c.notNow)
	ann.findsNo(c.notNow)
	ann.touches(c.tool)
	ann.findsText("#tool-1", "You have it")
	ann.isPictured("crib-" + c.language + "-tools")
	laptop.touches(true)
	ann.opensPasskeysOf(c)
	ann.findsText("#passkeys", "No passkeys yet")
	ann.findsText("#passkeys", "the keeper of the crib")
	ann.touches("#passkey-add")
	ann.fills("#passkey-name", "Work laptop")
	ann.touches("#passkey-register")
	ann.touches("#passkey-try-end")
	ann.findsText(row(1, "bdi"), "Work laptop")
	ann.isPictured("crib-" + c.language + "-panel")
	ann.touches("#passkeys-close")
	ann.findsNo("#passkeys")

	// She signs out, and in with it: by autofill, and by the button.
	laptop.touches(false)
	ann.leaves(c)
	laptop.touches(true)
	ann.opens("/sign-in")
	ann.isAt("/")
	laptop.touches(false)
	ann.leaves(c)
	autofills := ann.cannotAutofill()
	ann.opens("/sign-in")
	laptop.touches(true)
	ann.touches(c.byPasskey)
	ann.isAt("/")
	autofills()
	ann.findsText(c.top, "ann")

	// She renames it.
	ann.opensPasskeysOf(c)
	ann.findsText("#passkeys", "You signed in with it")
	var crashed []string // about which the console may complain
	if c.losesNode != nil {
		c.losesNode()
		// It may be the node that had the stream, or was just answering something else.
		crashed = []string{"net::ERR_INCOMPLETE_CHUNKED_ENCODING " + c.url, "net::ERR_CONTENT_LENGTH_MISMATCH " + c.url}
	}
	ann.touches(row(1, "[id^=rename-]"))
	ann.fills(row(1, "input"), "Old laptop")
	ann.presses(enter)
	ann.findsText(row(1, "bdi"), "Old laptop")

	// An hour later her phone, on which the passkey is too, is signed in with it.
	if c.growsOld != nil {
		c.growsOld()
	}
	phone := openBrowser(t, c.server)
	phone.hasDevice().gets(ann.onlyCredential())
	phone.cannotAutofill()
	phone.opens("/sign-in")
	phone.touches(c.byPasskey)
	phone.isAt("/")
	phone.findsText(c.top, "ann")

	// She removes it, and confirms with her password.
	ann.opens("/")
	if c.growsOld != nil {
		ann.losesIntroduction()
	}
	ann.opensPasskeysOf(c)
	ann.touches(row(1, "[id^=remove-]"))
	ann.touches("#remove-sessions")
	ann.touches("#remove-ok")
	if c.growsOld != nil {
		ann.fills("#confirm-password", "wrong")
		ann.touches("#confirm-submit")
		ann.findsText("#confirm", "This password is not right.")
		ann.fills("#confirm-password", c.passwords["ann"])
		ann.touches("#confirm-submit")
	}
	ann.findsText("#passkeys", "No passkeys yet")
	ann.touches("#passkeys-close")
	ann.findsNo("#passkeys")

	// That ends the session of her phone, and hers goes on.
	if c.language == "go" { // whose pages leave by themselves
		phone.isAt("/sign-in")
	}
	for isIn := c.language != "go"; isIn; { // until the crib is told
		phone.opens("/")
		phone.waitsFor("the page", `document.querySelector("#tool-1, .crib-sign-in")`)
		isIn = value[string](phone, `location.pathname`) != "/sign-in"
	}
	ann.opens("/")
	ann.findsText("#tool-1", "You have it")
	ann.findsText(c.top, "ann")
	if c.language != "go" { // TestToolcrib looks at its console
		ann.hasNoComplaints(crashed...)
	}
	return ann
}

// isKeptFrom: Ann is used to one program, and has a passkey there. Another one beside it, in the same browser, sees nothing of it.
func (b *browser) isKeptFrom(one, other *cribIn) {
	b.t.Helper()
	b.server = one.server
	b.opens("/")
	b.opensPasskeysOf(one)
	b.touches("#passkey-add")
	b.fills("#passkey-name", "Work laptop")
	b.touches("#passkey-register")
	b.touches("#passkey-try-end")
	b.touches("#passkeys-close")
	introduction := value[string](b, `document.querySelector("keypeg-menu").getAttribute("introduction")`)
	autofills := b.cannotAutofill()
	b.leaves(one)
	keepsProof := b.runsFirst(`addEventListener("keypeg-proof", (event) => { event.preventDefault(); globalThis.proof = event.detail.proof; })`)
	b.opens("/sign-in")
	b.touches(one.byPasskey)
	b.waitsFor("the proof", `!!globalThis.proof`)
	proof := value[string](b, `proof`)
	keepsProof()

	// Neither her session nor her passkey counts there, and what says who she is at the first says nothing.
	b.server = other.server
	b.opens("/")
	b.isAt("/sign-in")
	b.touches(other.byPasskey)
	b.findsText(".sign-in [role=alert]", "No passkey of this device was used.")
	for what, sent := range map[string]string{
		"the introduction": fmt.Sprintf(`fetch("/keypeg/introduction", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ introduction: %s }) }).then(async (a) => a.status + " " + (await a.json()).code)`, quoted(introduction)),
		"the proof":        fmt.Sprintf(`fetch("/keypeg-arrive", { method: "POST", body: new URLSearchParams({ proof: %s }) }).then(async (a) => a.status + " " + ((await a.text()).includes("did not work") ? "refused" : "taken"))`, quoted(proof)),
	} {
		want := map[string]string{"the introduction": "400 introduction_invalid", "the proof": "403 refused"}[what]
		if got := value[string](b, sent); got != want {
			b.t.Errorf("%s of the first program at the second: %s, want %s", what, got, want)
		}
	}
	b.opens("/")
	b.isAt("/sign-in")

	// Who has the same name there is somebody else, without a passkey.
	b.enters(other, "ann")
	b.touches(other.notNow)
	b.findsNo(other.notNow)
	b.opensPasskeysOf(other)
	b.findsText("#passkeys", "No passkeys yet")
	b.touches("#passkeys-close")
	autofills()

	// The proof still counts where it belongs.
	b.server = one.server
	b.opens("/sign-in")
	value[bool](b, fmt.Sprintf(`(() => { const form = Object.assign(document.createElement("form"), { method: "post", action: "/keypeg-arrive" }); form.innerHTML = "<input name=proof>"; form.elements.proof.value = %s; document.body.append(form); form.submit(); return true; })()`, quoted(proof)))
	b.isAt("/")
	b.findsText(one.top, "ann")
}
