package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// TestAboutPasskeys opens the page about passkeys from the panel, which stays as it is.
// TestLanguages comes to the page from the sign-in page.
func TestAboutPasskeys(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--contact", "IT desk, phone 1234")
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opensPasskeys()
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Laptop")

	// While it leaves the empty page of a new tab for ours, Chromium refuses what is asked about it.
	opened := chromedp.WaitNewTarget(ann.ctx, func(tab *target.Info) bool { return strings.HasPrefix(tab.URL, s.url) })
	ann.clicks(".empty a")
	tab := ann.opensTab(chromedp.WithTargetID(arrives(ann, "the tab of the page about passkeys", opened)))
	tab.isAt(shared.PageAbout)
	tab.readsIn("h1", message.English.Panel.About)
	tab.reads("IT desk, phone 1234")
	tab.reads(message.AboutIn(&message.English).Manual)
	tab.clicks(`a[href="/"]`)
	tab.isAt("/")
	tab.readsIn("h1", "Your account")

	if name := value[string](ann, `document.querySelector("#passkey-name").value`); name != "Laptop" {
		t.Errorf("the panel has the name %q", name)
	}
}
