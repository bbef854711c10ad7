package e2e

import (
	"strings"
	"testing"
)

// translated does what translators such as Google's do: each text makes room for an element, and so does
// each that changes. Theirs is called "font", that of other extensions otherwise.
func translated(element string) string {
	return strings.ReplaceAll(translator, "font", element)
}

const translator = `{
	const translate = (root) => {
		const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), texts = [];
		while (walk.nextNode()) texts.push(walk.currentNode);
		for (const text of texts) {
			if (!text.data.trim() || text.parentElement.closest("font, script, style")) continue;
			const font = document.createElement("font");
			font.append(document.createElement("font"));
			font.firstChild.append("«" + text.data + "»");
			text.replaceWith(font);
		}
	};
	addEventListener("DOMContentLoaded", () => {
		translate(document.body);
		new MutationObserver(() => translate(document.body)).observe(document.body, { childList: true, subtree: true, characterData: true });
	});
}`

// TestTranslated uses the pages while the browser translates them.
func TestTranslated(t *testing.T) {
	t.Parallel()
	for _, element := range []string{"font", "words"} {
		t.Run(element, func(t *testing.T) { usesTranslated(t, element) })
	}
}

func usesTranslated(t *testing.T, element string) {
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.runsFirst(translated(element))
	ann.opens("/")
	ann.readsIn("#user-menu-button", "«Ann Admin»")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-passkeys")
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Laptop")
	ann.clicks("#passkey-register")
	ann.reads("«“Laptop” was added.»")
	ann.clicks("#passkey-try-end")
	ann.clicks("[id^=rename-]")
	ann.types("[id^=name-]", "Work laptop"+enter)
	ann.reads("«Work laptop»")
	ann.clicks(".row [id^=remove-]")
	ann.reads("«Remove “Work laptop”?»")
	ann.clicks("#remove-ok")
	ann.reads("«No passkeys yet»")
	ann.clicks("#passkeys-close")
	for _, page := range []string{"sessions", "activity", "users"} {
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-" + page)
		ann.isAt("/" + page)
		ann.sees("h1 " + element)
	}
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-language-de")
	ann.readsIn("h1", "«Benutzer»")
	ann.hasNoComplaints()
}

// TestExtensionFirst opens a page where an extension of the browser has put an element of its own before
// everything else.
func TestExtensionFirst(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(`addEventListener("DOMContentLoaded", () => document.body.prepend(Object.assign(document.createElement("div"), { id: "extension", textContent: "An extension" })))`)
	ann.opens("/sessions")
	ann.readsIn("h1", "Sessions")
	if seen := value[string](ann, `[...document.body.children].map((e) => e.id || e.className).join()`); seen != "extension,app" {
		t.Errorf("the page has %s", seen)
	}
	ann.hasNoComplaints()
}

// TestAdBlocker goes from page to page while an ad blocker blocks what EasyPrivacy says of every site.
func TestAdBlocker(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/sessions")
	ann.sees("#user-menu-button")
	ann.blocks("*://*:*/api/v1/activity")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-activity")
	ann.reads("Account created")
	ann.hasNoComplaints()
}
