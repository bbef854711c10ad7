package e2e

import (
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

	opened := chromedp.WaitNewTarget(ann.ctx, func(tab *target.Info) bool { return tab.URL != "" })
	ann.clicks(".empty a")
	tab := ann.opensTab(chromedp.WithTargetID(<-opened))
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
