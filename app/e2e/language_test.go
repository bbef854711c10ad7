package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

func (b *browser) isIn(lang string) {
	b.t.Helper()
	b.waitsFor("the page to be in "+lang, `document.documentElement.lang === "`+lang+`"`)
}

// regional has the tags with which browsers ask for our languages.
var regional = map[string]string{"en": "en-GB,en", "de": "de-CH,de", "fr": "fr-CA,fr", "es": "es-419,es", "ja": "ja-JP,ja"}

func TestLanguages(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	openBrowser(t, s).setsUp()
	for _, text := range message.Languages {
		t.Run(text.Name, func(t *testing.T) {
			b := openBrowser(t, s, chromedp.Flag("accept-lang", regional[text.Lang]))

			b.opens("/sign-in")
			b.isIn(text.Lang)
			b.readsIn("h1", message.SignInPagesIn(text).SignInTitle)
			b.clicks(`a[href="` + shared.PageAbout + `"]`)
			b.readsIn("h1", text.Panel.About)
			b.clicks(`a[href="` + shared.PageSignIn + `"]`)
			b.readsIn("h1", message.SignInPagesIn(text).SignInTitle)
			b.fillsInPassword("ann", "wrong")
			refused := text.Refusal(shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right."))
			b.readsIn("#refusal", refused)

			b.types("input[name=password]", annsPassword)
			b.presses(enter)
			b.isAt("/")
			b.isIn(text.Lang)
			b.readsIn("h1", text.Home.Title)
			laptop := b.hasDevice()
			defer laptop.isTakenAway()
			b.opensPasskeys()
			date := `new Intl.DateTimeFormat(` + quoted(strings.Split(regional[text.Lang], ",")[0]) + `, { month: "short", day: "numeric" }).format()`
			before := value[string](b, date)
			b.waitsFor("the title", `document.title.startsWith(`+quoted(text.Panel.Title)+`)`)
			b.clicks("#passkey-add")
			b.clicks("#passkey-register")
			b.waitsFor("a name in the language", `document.querySelector("input[id^=name-]")?.value === `+
				quoted(message.Fill(text.Sessions.BrowserOn, "browser", "Headless Chrome", "system", "Linux")))
			b.hasFocusOn("input[id^=name-]")
			b.presses(escape)
			b.waitsFor("the date", `[`+quoted(before)+`, `+date+`].some((date) => document.body.innerText.includes(`+quoted(text.Panel.Added)+`.replace("{date}", date)))`)
			b.clicks(rows + " > li:last-child [id^=remove-]")
			b.reads(text.Panel.RemoveLead)
			b.clicks("#remove-ok")
			b.reads(text.Panel.EmptyTitle)
			b.opens("/activity")
			b.reads(text.Activity.SignInFailed)
			b.opens("/sessions")
			b.reads(text.Sessions.Current)
			b.hasNoComplaints()
		})
	}
}

// TestOddLanguage: the browser may name a language that its own Intl doesn't accept.
func TestOddLanguage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(`Object.defineProperty(navigator, "languages", { value: ["en-US@posix", "en-GB"] })`)
	ann.opens("/sessions")
	ann.waitsFor("a time as the British write it", `/ (today|yesterday), \d\d:\d\d/.test(document.body.innerText)`)
	ann.hasNoComplaints()
}

func TestChoosingALanguage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.clicks("#user-menu-button")
	ann.clicks("#menu-language-ja")
	ann.readsIn("h1", "アカウント")
	ann.isIn("ja")
	ann.waitsFor("the title", `document.title.startsWith("アカウント")`)
	ann.hasFocusOn("#user-menu-button")

	ann.clicks("#user-menu-button")
	ann.waitsFor("the choice to be marked", `document.querySelector("#menu-language-ja").ariaChecked === "true" && document.querySelector("#menu-language-en").ariaChecked === "false"`)
	ann.presses(escape)

	// It stays, in the app and on the sign-in page.
	ann.opens("/sessions")
	ann.readsIn("h1", "セッション")
	ann.signsOut()
	ann.isIn("ja")
	ann.readsIn("h1", "サインイン")
	if text := value[string](ann, `document.body.innerText`); strings.Contains(text, "Sign in") {
		t.Errorf("some of the page is English: %q", text)
	}
	ann.hasNoComplaints()
}
