package signinpages_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

func plainPages(contact string) *signinpages.Pages {
	return signinpages.New(signinpages.Config{Product: "Keypeg", Contact: contact, PasskeysOn: true, PasswordsOn: true, Asset: func(name string) string { return "/static/" + name }})
}

var heading = regexp.MustCompile(`<h1>(.*?)</h1>`)

// TestRefusalHeadings checks that a heading says what sort of refusal it is, in every
// language.
func TestRefusalHeadings(t *testing.T) {
	for _, test := range []struct {
		page signinpages.Refusal
		want string
	}{
		{signinpages.Refusal{Code: shared.CodeNotFound}, "Not found"},
		{signinpages.Refusal{Code: shared.CodeNotFound, Link: true}, "This link has ended"},
		{signinpages.Refusal{Code: shared.CodeNotAllowed}, "No access"},
		{signinpages.Refusal{Code: shared.CodeNoAccount}, "No access"},
		{signinpages.Refusal{Code: shared.CodeTooManyAttempts}, "Too many attempts"},
		{signinpages.Refusal{Code: shared.CodeInternal}, "Something went wrong"},
		{signinpages.Refusal{Code: shared.CodeProviderUnavailable}, "The provider couldn&#39;t sign you in"},
		{signinpages.Refusal{Code: shared.CodeSuspended, Nowhere: true}, "Switched off"},
		{signinpages.Refusal{Code: shared.CodeWrongHost, Nowhere: true}, "Wrong address"},
		{signinpages.Refusal{Code: shared.CodeCookies}, "Nothing was done"},
	} {
		w := httptest.NewRecorder()
		test.page.Sentence = "Because."
		plainPages("").Refusal(w, http.StatusBadRequest, &message.English, test.page)
		if got := heading.FindStringSubmatch(w.Body.String()); got == nil || got[1] != test.want {
			t.Errorf("%+v is headed %q, want %q", test.page, got, test.want)
		}
		if leads := strings.Contains(w.Body.String(), shared.PageSignIn); leads == test.page.Nowhere {
			t.Errorf("%+v leads to sign-in: %t", test.page, leads)
		}
	}
}

// TestWhomToAsk checks that a page names the contact, or whoever runs Keypeg if none is set.
func TestWhomToAsk(t *testing.T) {
	for contact, want := range map[string]string{
		"IT desk, phone 1234": "Need help? IT desk, phone 1234",
		"":                    "Need help? Ask whoever runs Keypeg for your organisation.",
	} {
		w := httptest.NewRecorder()
		if err := plainPages(contact).SignIn(w, http.StatusOK, &message.English, signinpages.SignIn{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("with contact %q, the page doesn't say %q", contact, want)
		}
	}
}

// TestPasskeyFirst checks that a link's page has the passkey before the password, and that
// the page after it names what was made.
func TestPasskeyFirst(t *testing.T) {
	d := plainPages("")
	for _, kind := range []store.Method{store.MethodInvitation, store.MethodRecoveryLink} {
		w := httptest.NewRecorder()
		if err := d.Enrol(w, http.StatusOK, &message.English, signinpages.Enrol{Kind: kind, Name: "ann", TakesPassword: true}); err != nil {
			t.Fatal(err)
		}
		passkey, password := strings.Index(w.Body.String(), `id="use-passkey"`), strings.Index(w.Body.String(), `type="password"`)
		if passkey < 0 || password < passkey {
			t.Errorf("%s: the passkey is at %d, the password at %d", kind, passkey, password)
		}
	}
	for password, want := range map[bool]string{false: "with your passkey", true: "with your password"} {
		w := httptest.NewRecorder()
		if err := d.Enrolled(w, &message.English, password); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("after a password (%t): no %q", password, want)
		}
	}
}
