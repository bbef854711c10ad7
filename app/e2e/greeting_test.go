package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/shared"
)

// endsElsewhere ends all other sessions of Ann's, from another device: by the requests of its page.
func (s *server) endsElsewhere(t *testing.T) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	device := http.Client{Jar: jar}
	for _, request := range []struct{ path, body string }{
		{shared.PathSignInPassword, `{"name":"` + annsName + `","password":"` + annsPassword + `"}`},
		{shared.PathEndOthers, ""},
	} {
		answer, err := device.Post(s.url+request.path, "application/json", strings.NewReader(request.body))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", request.path, answer.Status)
		}
	}
}

// TestGreeting signs in again after a session has ended elsewhere: with one press, with the password,
// and as somebody else.
func TestGreeting(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	laptop := ann.hasDevice()
	ann.cannotAutofill()
	ann.setsUp()
	ann.opensPasskeys()
	ann.addsPasskey("Laptop")
	const elsewhere = "You were signed out on another device, or by an administrator. Sign in, and you are back on the same page."

	t.Run("one press, and she is on the same page", func(t *testing.T) {
		ann.opens("/activity")
		ann.sees("#user-menu-button")
		s.endsElsewhere(t)
		ann.isAt("/sign-in?next=%2Factivity")
		ann.readsIn("h1", "Welcome back, Ann Admin")
		ann.readsIn("#reason", elsewhere)
		ann.readsIn("#use-passkey", "Use your passkey")
		ann.waitsFor("the password to be folded up", `!document.querySelector("input[name=password]").checkVisibility()`)
		if title := value[string](ann, `document.title`); title != "Sign in · Keypeg" { // the browser's history keeps it
			t.Errorf("the title is %q", title)
		}
		ann.tabsTo("#use-passkey")
		ann.presses(enter)
		ann.isAt("/activity")
		ann.readsIn("#user-menu-button", "Ann Admin")
	})
	t.Run("a passkey of another device, then the password, which a manager can fill in", func(t *testing.T) {
		laptop.touches(false)
		s.endsElsewhere(t)
		ann.isAt("/sign-in?next=%2Factivity")
		ann.clicks("#use-passkey")
		ann.readsIn("#refusal", notHere)
		ann.hasFocusOn("#use-passkey") // to be pressed again
		ann.tabsTo("#by-password > summary")
		ann.presses(enter)
		ann.hasFocusOn("input[name=password]")
		if field := value[string](ann, `(({ value, autocomplete, readOnly }) => [value, autocomplete, readOnly].join())(document.querySelector("input[name=name]"))`); field != "ann,username,true" {
			t.Errorf("the field of the user name is %s", field)
		}
		ann.presses("wrong" + enter)
		ann.readsIn("#refusal", "The user name or the password is not right.")
		ann.readsIn("h1", "Welcome back, Ann Admin")
		ann.hasFocusOn("input[name=password]")
		ann.presses(annsPassword + enter)
		ann.isAt("/activity")
	})
	t.Run("not her", func(t *testing.T) {
		s.endsElsewhere(t)
		ann.isAt("/sign-in?next=%2Factivity")
		ann.clicks("[form=not-you]")
		ann.readsIn("h1", "Sign in")
		ann.isAt("/sign-in?next=%2Factivity")
		if traces := ann.traces("Ann Admin"); len(traces) != 0 {
			t.Errorf("left behind: %q", traces)
		}
	})
	t.Run("she signs out, and keeps her name there, or not", func(t *testing.T) {
		ann.signsInWithPassword(annsName, annsPassword)
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-sign-out-keep")
		ann.isAt("/sign-in")
		ann.readsIn("#reason", "You have signed out.")
		ann.readsIn("h1", "Welcome back, Ann Admin")
		ann.signsInWithPassword(annsName, annsPassword)
		ann.signsOut()
		ann.readsIn("#reason", "You have signed out.")
		ann.readsIn("h1", "Sign in")
		if traces := ann.traces("Ann Admin"); len(traces) != 0 {
			t.Errorf("left behind: %q", traces)
		}
	})
	ann.hasNoComplaints()
}

// TestGreetingAfterLostSignOut: a sign-out that the server never heard of is one all the same. When the
// session has ended meanwhile, nobody is greeted.
func TestGreetingAfterLostSignOut(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.opens("/about-passkeys")
	value[bool](ann, `localStorage.setItem("keypeg-signing-out", "2026-01-01T00:00:00Z"), true`) // as app/pages/signout.go leaves it
	s.endsElsewhere(t)
	ann.opens("/sign-in")
	ann.readsIn("h1", "Sign in")
	ann.opens("/sign-in")
	ann.readsIn("h1", "Sign in")
}

// TestGreetingWithoutScript signs in again without a script.
func TestGreetingWithoutScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	s.endsElsewhere(t)
	ann.isAt("/sign-in") // the open page leaves by itself
	if _, err := chromedp.Call(ann.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	ann.opens("/sessions")
	ann.readsIn("h1", "Welcome back, Ann Admin")
	ann.seesNo("#use-passkey")
	ann.clicks("#language > summary") // the language first
	ann.clicks("#language [value=de]")
	ann.readsIn("h1", "Willkommen zurück, Ann Admin")
	ann.isAt("/sign-in?next=%2Fsessions")
	ann.sees("#reason")
	ann.clicks("#by-password > summary")
	ann.types("input[name=password]", annsPassword)
	ann.presses(enter)
	ann.isAt("/sessions")
}

// notesQuestions has the pages note for which passkeys they ask the browser, and returns a function that waits until they have
// asked for exactly that.
func (b *browser) notesQuestions() (asked func(want string)) {
	b.t.Helper()
	b.hasDevice() // without any, the browser waits for one to be plugged in
	b.cannotAutofill()
	b.runsFirst(`globalThis.asked = []; {
		const get = navigator.credentials.get.bind(navigator.credentials);
		navigator.credentials.get = (options) => (asked.push(options.uiMode ?? "everything"), get(options));
	}`)
	return func(want string) {
		b.t.Helper()
		b.waitsFor("being asked "+want, `asked.join() === `+quoted(want))
	}
}

// TestImmediate checks that the button at first asks only for passkeys of this device, never without a
// press, and in browsers that can't do that for all at once.
func TestImmediate(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	asked := ann.notesQuestions()
	ann.opens("/sign-in")
	ann.sees("#use-passkey")
	asked("")
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", notHere)
	asked("immediate")
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", cancelled)
	asked("immediate,everything")
	for _, older := range []string{
		`PublicKeyCredential.getClientCapabilities = undefined`,
		`PublicKeyCredential.getClientCapabilities = async () => ({ immediateGet: false })`,
		`PublicKeyCredential.getClientCapabilities = () => new Promise(() => {})`,
		`PublicKeyCredential.getClientCapabilities = () => { throw new TypeError(); }`,
	} {
		undo := ann.runsFirst(older)
		ann.opens("/sign-in")
		ann.clicks("#use-passkey")
		ann.readsIn("#refusal", cancelled)
		asked("everything")
		undo()
	}
	ann.hasNoComplaints()
}

// saysLate is a browser that says what it can only after somebody has pressed.
const saysLate = `{
	const pressed = new Promise((press) => addEventListener("click", press, { capture: true, once: true }));
	PublicKeyCredential.getClientCapabilities = async () => (await pressed, new Promise((say) => setTimeout(say, 200, { immediateGet: true })));
}`

// TestImmediateLate presses before the browser has said that it can ask only for passkeys of this device. It asks only for
// those all the same.
func TestImmediateLate(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startServer(t))
	asked := ann.notesQuestions()
	ann.runsFirst(saysLate)
	ann.opens("/sign-in")
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", notHere)
	asked("immediate")
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", cancelled)
	asked("immediate,everything")
	ann.hasNoComplaints()
}

// TestElementsImmediate does so in a program with Keypeg's element, and where the browser never says it.
func TestElementsImmediate(t *testing.T) {
	t.Parallel()
	ann := openBrowser(t, startShop(t).server)
	asked := ann.notesQuestions()
	for says, want := range map[string]string{
		saysLate: "immediate",
		`PublicKeyCredential.getClientCapabilities = () => new Promise(() => {})`:           "everything",
		`PublicKeyCredential.getClientCapabilities = () => { throw new TypeError(); }`:      "everything",
		`PublicKeyCredential.getClientCapabilities = async () => ({ immediateGet: false })`: "everything",
	} {
		undo := ann.runsFirst(says)
		ann.opens("/sign-in-alone")
		ann.touches(".sign-in button")
		asked(want)
		undo()
	}
	ann.hasNoComplaints()
}
