package door_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

func plainDoor(contact string) *door.Door {
	return door.New(door.Config{Product: "Keypeg", Contact: contact, PasskeysOn: true, PasswordsOn: true, Asset: func(name string) string { return "/static/" + name }})
}

var heading = regexp.MustCompile(`<h1>(.*?)</h1>`)

// TestRefusalHeadings: a heading says what sort of refusal it is, in every language.
func TestRefusalHeadings(t *testing.T) {
	for _, test := range []struct {
		page door.Refusal
		want string
	}{
		{door.Refusal{Code: shared.CodeNotFound}, "Not found"},
		{door.Refusal{Code: shared.CodeNotFound, Link: true}, "This link has ended"},
		{door.Refusal{Code: shared.CodeNotAllowed}, "No access"},
		{door.Refusal{Code: shared.CodeNoAccount}, "No access"},
		{door.Refusal{Code: shared.CodeTooManyAttempts}, "Too many attempts"},
		{door.Refusal{Code: shared.CodeInternal}, "Something went wrong"},
		{door.Refusal{Code: shared.CodeProviderUnavailable}, "The provider couldn&#39;t sign you in"},
		{door.Refusal{Code: shared.CodeSwitchedOff, Nowhere: true}, "Switched off"},
		{door.Refusal{Code: shared.CodeWrongHost, Nowhere: true}, "Wrong address"},
		{door.Refusal{Code: shared.CodeCookies}, "Nothing was done"},
	} {
		w := httptest.NewRecorder()
		test.page.Sentence = "Because."
		plainDoor("").Refusal(w, http.StatusBadRequest, &message.English, test.page)
		if got := heading.FindStringSubmatch(w.Body.String()); got == nil || got[1] != test.want {
			t.Errorf("%+v is headed %q, want %q", test.page, got, test.want)
		}
		if leads := strings.Contains(w.Body.String(), shared.PageSignIn); leads == test.page.Nowhere {
			t.Errorf("%+v leads to sign-in: %t", test.page, leads)
		}
	}
}

// TestWhomToAsk: a page names the contact, and somebody in general where IT named none.
func TestWhomToAsk(t *testing.T) {
	for contact, want := range map[string]string{
		"IT desk, phone 1234": "Need help? IT desk, phone 1234",
		"":                    "Need help? Ask whoever runs Keypeg for your organisation.",
	} {
		w := httptest.NewRecorder()
		if err := plainDoor(contact).SignIn(w, http.StatusOK, &message.English, door.SignIn{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("with contact %q, the page doesn't say %q", contact, want)
		}
	}
}

// TestPasskeyFirst: a link's page has the passkey before the password, and the page after
// it names what was made.
func TestPasskeyFirst(t *testing.T) {
	d := plainDoor("")
	for _, kind := range []store.Method{store.MethodInvitation, store.MethodRecoveryLink} {
		w := httptest.NewRecorder()
		if err := d.Enrol(w, http.StatusOK, &message.English, door.Enrol{Kind: kind, Name: "ann", TakesPassword: true}); err != nil {
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
