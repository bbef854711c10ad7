package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots renders the gallery and the main story at three widths in both
// colour schemes into the folder that KEYPEG_SCREENSHOTS names; make screenshots does. Somebody is to
// look at them: nothing is asserted but that each state can be reached.
func TestScreenshots(t *testing.T) {
	if os.Getenv("KEYPEG_SCREENSHOTS") == "" {
		t.Skip("pictures are made by make screenshots")
	}
	visitor := openBrowser(t, startGallery(t))
	visitor.opens("/home")
	for _, name := range value[[]string](visitor, `fetch("/exhibits.json").then((answer) => answer.json()).then((all) => all.map(({ name }) => name))`) {
		visitor.opens("/" + name)
		visitor.isPictured("gallery-" + name)
	}
	visitor.opens("/panel-add?dir=rtl")
	visitor.isPictured("rtl-panel-add")
	for _, lang := range []string{"de", "fr", "es", "ja"} {
		visitor.opens("/panel-add?lang=" + lang)
		visitor.isPictured(lang + "-panel-add")
	}

	s := startServer(t, "--contact", "IT desk, phone 1234")
	ann := openBrowser(t, s)
	shoot := ann.isPictured
	ann.opens(s.setup)
	ann.sees("input[name=display-name]")
	shoot("setup")
	laptop := ann.hasDevice()
	ann.setsUp()
	shoot("home-offer")
	ann.clicks("#user-menu-button")
	ann.sees("#menu-passkeys")
	shoot("menu")
	ann.clicks("#menu-passkeys")
	ann.reads("No passkeys yet")
	shoot("panel-empty")
	ann.clicks("#passkey-add")
	ann.sees("#passkey-name")
	shoot("panel-empty-add")
	laptop.recognises(false)
	ann.clicks("#passkey-register")
	ann.reads("Nothing was saved")
	shoot("panel-add-refused")
	laptop.recognises(true)
	ann.types("#passkey-name", "Work laptop")
	ann.clicks("#passkey-register")
	ann.readsIn(row(1, ".row-name bdi"), "Work laptop")
	shoot("panel-added")
	ann.clicks("#passkey-try-end")
	for _, name := range []string{"Phone", "A security key with quite a long name that has to wrap"} {
		laptop.isTakenAway()
		laptop = ann.hasDevice()
		ann.addsPasskey(name)
	}
	ann.clicks("#passkey-add")
	ann.sees("#passkey-name")
	shoot("panel-add")
	ann.clicks("#passkey-add-cancel")
	ann.clicks(row(1, ".row-buttons button:first-child"))
	ann.sees(row(1, "input"))
	shoot("panel-rename")
	ann.clicks(row(1, ".rename .quiet"))
	ann.clicks(row(1, ".row-buttons button:last-child"))
	ann.sees("#remove-ok")
	shoot("remove")
	ann.clicks("#remove-cancel")
	ann.clicks("#passkeys-close")
	ann.seesNo("dialog.panel")
	shoot("home")
	elsewhere := openBrowser(t, s)
	elsewhere.saysItIs("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")
	elsewhere.signsInWithPassword("ann", annsPassword)
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-sessions")
	ann.reads("Safari on iOS")
	shoot("sessions")
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-activity")
	ann.reads("Safari on iOS")
	shoot("activity")
	ann.clicks(row(1, "[id^=not-me-]"))
	ann.sees("#advice-close")
	shoot("activity-advice")
	ann.clicks("#advice-password")
	ann.sees("#new-password")
	shoot("password")
	ann.clicks("#password-cancel")
	ann.picturesAdministration()
	laptop.touches(false)
	ann.signsOut()
	shoot("sign-in")
}

// picturesAdministration goes through the pages for users with a role: an administrator, a helper and an
// auditor look at them.
func (b *browser) picturesAdministration() {
	b.t.Helper()
	s := b.server
	s.imports(b.t, "carol.oestergaard-hernandez@subsidiary.contoso.example,Carol Østergård-Hernández von und zu Habsburg-Lothringen,carol@example.com,it sales works-council",
		"yamada,"+japanese+",yamada@example.com,sales", "bob,Bob Smith,bob@example.com,sales", "eve,Eve Novák,,sales", "hal,Hal Helper,,", "ida,Ida Auditor,,")
	s.command(b.t, "", "user", "role", "hal", "helper", "--helps", "sales")
	s.command(b.t, "", "user", "role", "ida", "auditor")
	b.opens("/users")
	b.readsIn("#in-", "All 7")
	b.isPictured("users")
	b.picks("Bob Smith", "Eve Novák")
	b.isPictured("users-selected")
	b.clicks("#bulk-disable")
	b.sees("#bulk-ok")
	b.isPictured("users-disable")
	b.presses(escape)
	b.clicks("#users-import")
	b.choosesFile("#import-file", "name,email,groups\namy,amy@example.com,it\nann,,\nb b,,\n")
	b.sees("#import-wrong")
	b.isPictured("users-import-wrong")
	b.presses(escape)
	b.opensUser("Bob Smith")
	b.isPictured("user")
	b.clicks("#member-delete-do")
	b.sees("#member-delete-dialog-save")
	b.isPictured("user-delete")
	b.presses(escape)
	for _, page := range []string{"audit", "rollout", "clients"} {
		b.opens("/" + page)
		b.sees(".event, #tile-passkey, #add-client")
		b.isPictured(page)
	}
	for name, display := range map[string]string{"hal": "Hal Helper", "ida": "Ida Auditor"} {
		other, _ := openAnothersBrowser(b.t, s)
		other.opensLink(linkOf(s.command(b.t, "", "user", "invite", name)), "Welcome, "+display)
		other.enrols()
		other.signsInWithPasskey()
		other.opensUsers()
		other.sees("#users tbody tr")
		other.isPictured("users-for-" + name)
		other.opensUser("Bob Smith")
		other.isPictured("user-for-" + name)
	}
}

// japanese is a name without a space in which a line could break.
const japanese = "東京都千代田区情報システム管理課・山田太郎左衛門之介"

// isPictured takes pictures of what the person sees, while somebody makes them.
func (b *browser) isPictured(state string) {
	b.t.Helper()
	folder := os.Getenv("KEYPEG_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, width := range []int64{1280, 390, 320} {
		for _, dark := range []bool{false, true} {
			b.isSize(width, 800)
			b.prefersDark(dark)
			scheme := map[bool]string{false: "light", true: "dark"}[dark]
			value[bool](b, `Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {}))).then(() => true)`)
			picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				b.t.Fatal(err)
			}
			name := fmt.Sprintf("%s-%d-%s.png", state, width, scheme)
			if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.isSize(1280, 800)
	b.prefersDark(false)
}
