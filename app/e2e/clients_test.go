package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// copies presses the button beside a text, and waits until it is in the clipboard.
func (b *browser) copies(id string) {
	b.t.Helper()
	value[bool](b, `navigator.clipboard.writeText = async (text) => { globalThis.clipboard = text; }, true`)
	b.clicks("#" + id + "-copy")
	b.waitsFor("the text to be copied", fmt.Sprintf(`globalThis.clipboard === document.querySelector(%s).value`, quoted("#"+id)))
	b.readsIn("#"+id+"-copy", "Copied")
}

// TestClients: an administrator adds a program by its preset, people sign in to it, and then it is changed, gets a new secret
// and is removed.
func TestClients(t *testing.T) {
	t.Parallel()
	g := startServerWithProgram(t)
	ann := openBrowser(t, g.server)
	ann.setsUp()
	ann.opens("/clients")
	ann.readsIn("#client-grafana h2 bdi", "Grafana")
	ann.reads("Configuration file")
	ann.seesNo("#edit-grafana") // it is changed in the file

	ann.clicks("#add-client")
	ann.hasFocusOn("#client-preset")
	ann.chooses("#client-preset", "Gitea")
	ann.types("#client-url", g.url)
	ann.waitsFor("the redirect to be filled in", fmt.Sprintf(`document.querySelector("#client-redirects").value === %s`, quoted(g.url+"/user/oauth2/keypeg/callback")))
	ann.clicks("#client-id")
	ann.clicks("#client-save")
	ann.sees("#client-setup-secret")
	ann.waitsFor("the program's settings with the secret", `document.querySelector("#client-setup-text").value.includes(document.querySelector("#client-setup-secret").value)`)
	first := value[string](ann, `document.querySelector("#client-setup-secret").value`)
	ann.keepsOpen("#client-setup", "#client-setup-lead") // a wrong key doesn't lose the secret
	ann.copies("client-setup-secret")
	ann.copies("client-setup-text")
	ann.clicks("#client-setup-done")
	ann.seesNo("#client-setup")
	ann.hasFocusOn("#add-client")
	ann.readsIn("#client-gitea h2 bdi", "Gitea")

	t.Log("The settings of the program can be read again, without the secret.")
	ann.clicks("#setup-gitea")
	ann.hasFocusOn("#client-setup-lead")
	ann.waitsFor("the program's settings without the secret", fmt.Sprintf(`((text) => text.includes("CLIENT-SECRET") && text.includes(%s))(document.querySelector("#client-setup-text").value)`, quoted(g.server.url)))
	ann.seesNo("#client-setup-secret")
	ann.presses(escape)
	ann.seesNo("#client-setup")
	ann.hasFocusOn("#setup-gitea")
	ann.clicks("#setup-grafana") // is in the file, and not at the address of its preset
	ann.hasFocusOn("#client-setup-lead")
	ann.waitsFor("its id", `document.querySelector("#client-setup-id").value === "grafana"`)
	ann.seesNo("#client-setup-text")
	ann.clicks("#client-setup-done")

	asks := g.asks("client_id", "gitea", "redirect_uri", g.url+"/user/oauth2/keypeg/callback")
	ann.opens(asks)
	ann.readsIn("h1", "Sign in to Gitea as Ann Admin")
	ann.clicks("button[value=allow]")
	ann.waitsFor("being back at the program with a code", `new URLSearchParams(location.search).get("code")`)

	ann.opens("/clients")
	ann.clicks("#edit-gitea")
	ann.hasFocusOn("#client-name")
	ann.types("#client-redirects", "ftp://wrong.example/")
	ann.clicks("#client-save")
	ann.hasFocusOn("#client-redirects")
	ann.waitsFor("the fault to stand at the field, which it describes", `document.querySelector("#client-redirects-fault").innerText.includes("ftp://wrong.example/") &&
		document.activeElement.getAttribute("aria-invalid") === "true" && document.activeElement.getAttribute("aria-describedby").split(" ").includes("client-redirects-fault")`)
	ann.isCutOff(true)
	ann.clicks("#client-save")
	ann.readsIn("#client [role=alert]", "The server can't be reached. Check your connection and try again.")
	ann.waitsFor("the page to say that the server is away", `document.querySelector("#edit-gitea:disabled")`)
	ann.clicks("#client-cancel")
	ann.hasFocusOn("#clients-title")
	ann.isCutOff(false)
	ann.opens("/clients") // while the stream comes back, the server may seem to be away once more, and the focus goes to the title
	ann.clicks("#edit-gitea")
	ann.hasFocusOn("#client-name")
	ann.types("#client-name", "Our forge")
	ann.clicks("#client-save")
	ann.seesNo("#client")
	ann.readsIn("#client-gitea h2 bdi", "Our forge")
	ann.hasFocusOn("#edit-gitea")

	ann.clicks("#rotate-gitea")
	ann.showsChoice("#client-overlap", "in 7 days")
	ann.clicks("#client-rotation-ok")
	ann.sees("#client-setup-secret")
	if second := value[string](ann, `document.querySelector("#client-setup-secret").value`); second == first || !strings.HasPrefix(second, "kp_") {
		t.Errorf("the new secret is %q, the old one %q", second, first)
	}
	ann.waitsFor("the settings with the new secret", `document.querySelector("#client-setup-text").value.includes(document.querySelector("#client-setup-secret").value)`)
	ann.clicks("#client-setup-done")
	ann.hasFocusOn("#rotate-gitea")

	ann.clicks("#remove-gitea")
	ann.hasFocusOn("#client-remove-cancel")
	ann.clicks("#client-remove-ok")
	ann.seesNo("#client-gitea")
	ann.opens(asks)
	ann.reads("isn't registered here")
	ann.opens("/audit")
	ann.reads("Our forge (gitea)")
}

// TestClientsOfOthers: two administrators change the same program, and an auditor reads what there is.
func TestClientsOfOthers(t *testing.T) {
	t.Parallel()
	g := startServerWithProgram(t)
	g.command(t, "", "client", "add", "wiki", "--name", "Wiki", "--redirect-uri", g.url+"/wiki")
	g.command(t, "", "client", "add", "xmpp", "--name", "XMPP", "--redirect-uri", g.url+"/xmpp", "--authentication", "none")
	ann := openBrowser(t, g.server)
	ann.setsUp()
	ann.opens("/clients")
	ann.clicks("#edit-wiki")
	ann.types("#client-name", "Our wiki")

	other := ann.opensTab()
	other.opens("/clients")
	other.clicks("#edit-wiki")
	other.types("#client-groups", "sales")
	other.clicks("#client-save")
	other.seesNo("#client")
	other.reads("For sales")

	ann.clicks("#client-save")
	ann.readsIn("#client [role=alert]", "Somebody else has changed this program meanwhile. Look at it again, and then change it.")
	ann.waitsFor("what she typed", `document.querySelector("#client-name").value === "Our wiki"`)
	ann.reads("For sales")
	ann.clicks("#client-cancel")
	ann.clicks("#edit-wiki")
	ann.waitsFor("what the other one saved", `document.querySelector("#client-groups").value === "sales"`)
	ann.types("#client-name", "Our wiki")
	ann.clicks("#client-save")
	ann.seesNo("#client")
	ann.readsIn("#client-wiki h2 bdi", "Our wiki")

	t.Log("Somebody else removes it.")
	other.opens("/clients")
	other.readsIn("#client-wiki h2 bdi", "Our wiki")
	other.clicks("#rotate-wiki")
	other.sees("#client-rotation-ok")
	g.command(t, "", "client", "remove", "wiki")
	other.clicks("#client-rotation-ok")
	other.readsIn("#client-rotation [role=alert]", "This program isn't registered any more.")
	other.seesNo("#client-wiki")
	other.clicks("#client-rotation-cancel")
	other.hasFocusOn("#clients-title")
	other.clicks("#remove-xmpp") // where the other one had New secret
	other.readsIn("#client-remove h2", "Remove XMPP?")
	other.clicks("#client-remove-cancel")
	other.hasFocusOn("#remove-xmpp")

	g.command(t, annsPassword+"\n", "user", "add", "ida")
	g.command(t, "", "user", "role", "ida", "auditor")
	ida := openBrowser(t, g.server)
	ida.signsInWithPassword("ida", annsPassword)
	ida.opens("/clients")
	ida.readsIn("#client-grafana h2 bdi", "Grafana")
	ida.sees("#setup-grafana")
	ida.seesNo("#add-client")
	ida.seesNo("#clients :is([id^=edit-], [id^=rotate-], [id^=remove-])")
	ida.hasNoComplaints()
}

// TestClientsByKeys does it all without a mouse.
func TestClientsByKeys(t *testing.T) {
	t.Parallel()
	g := startServerWithProgram(t)
	ann := openBrowser(t, g.server)
	ann.setsUp()
	ann.opens("/users")
	ann.tabsTo(`.tabs [href="/clients"]`)
	ann.presses(enter)
	ann.isAt("/clients")
	ann.tabsTo("#add-client")
	ann.presses(enter)
	ann.hasFocusOn("#client-preset")
	ann.chooses("#client-preset", "Miniflux")
	ann.tabsTo("#client-url")
	ann.presses("ftp://reader.example" + enter) // Enter sends the form
	ann.hasFocusOn("#client-url")
	ann.sees("#client-url-fault")
	value[bool](ann, `document.activeElement.select(), true`)
	ann.presses("https://reader.example" + enter)
	ann.hasFocusOn("#client-setup-lead")
	ann.tabsTo("#client-setup-done")
	ann.presses(enter)
	ann.hasFocusOn("#add-client")

	ann.tabsTo("#edit-miniflux")
	ann.presses(enter)
	ann.hasFocusOn("#client-name")
	value[bool](ann, `document.activeElement.select(), true`)
	ann.presses("Reader")
	ann.tabsTo("#client-more > summary")
	ann.presses(enter)
	ann.tabsTo("#client-backChannelLogout")
	ann.presses("nowhere" + enter)
	ann.hasFocusOn("#client-backChannelLogout")
	ann.sees("#client-backChannelLogout-fault")
	value[bool](ann, `document.activeElement.select(), true`)
	ann.presses(kb.Delete + enter)
	ann.seesNo("#client")
	ann.readsIn("#client-miniflux h2 bdi", "Reader")

	for _, opens := range []struct{ button, focus string }{
		{"#setup-miniflux", "#client-setup-lead"}, {"#rotate-miniflux", "#client-overlap"}, {"#remove-miniflux", "#client-remove-cancel"},
	} {
		ann.tabsTo(opens.button)
		ann.presses(enter)
		ann.hasFocusOn(opens.focus)
		ann.presses(escape)
		ann.hasFocusOn(opens.button)
	}
	ann.presses(enter)
	ann.tabsTo("#client-remove-ok")
	ann.presses(enter)
	ann.seesNo("#client-miniflux")
	ann.hasFocusOn("#clients-title")
	ann.hasNoComplaints()
}
