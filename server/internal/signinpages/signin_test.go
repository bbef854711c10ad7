package signinpages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared/message"
)

// TestSignInMethods checks what the sign-in page offers under each of IT's settings, to somebody unknown
// and to somebody who is greeted. One button is primary.
func TestSignInMethods(t *testing.T) {
	one := []signinpages.Provider{{Name: "Google", Address: "/g"}}
	two := append(one, signinpages.Provider{Name: "Acme", Address: "/a"})
	const passkey, password, folded, instead = `id="use-passkey"`, `name="password"`, `<details id="by-password">`, `class="button wide instead"`
	for name, row := range map[string]struct {
		passkeys, passwords, greets bool
		providers                   []signinpages.Provider
		primary                     string
		has, lacks                  []string
	}{
		"everything":             {true, true, false, two, "Sign in with a passkey", []string{password, instead, "or with a password", "or continue with", ">Google<", ">Acme<", "Lost your passkey or password?"}, []string{"Not you?"}},
		"everything, greeted":    {true, true, true, one, "Use your passkey", []string{folded, "Not you?", "other ways", ">Continue with Google<"}, []string{"or with a password"}},
		"passkeys only":          {true, false, false, nil, "Sign in with a passkey", []string{"Lost your passkey?"}, []string{password, `class="or"`}},
		"passkeys only, greeted": {true, false, true, nil, "Use your passkey", []string{"Not you?"}, []string{password, `class="or"`}},
		"passwords only":         {false, true, false, one, "Sign in", []string{password, ">Continue with Google<"}, []string{passkey, "About passkeys", "webauthn"}},
		"passwords, greeted":     {false, true, true, nil, "Sign in", []string{password, `value="ann" autocomplete="username" readonly`}, []string{passkey, folded, `class="or"`, "webauthn"}},
		"a provider only":        {false, false, false, one, "Continue with Google", []string{"Use a recovery code"}, []string{passkey, password, `class="or"`, "Lost your"}},
		"a provider, greeted":    {false, false, true, one, "Continue with Google", []string{"Not you?"}, []string{passkey, password, `class="or"`}},
	} {
		pages := signinpages.New(signinpages.Config{Product: "Keypeg", PasskeysOn: row.passkeys, PasswordsOn: row.passwords, Asset: func(name string) string { return "/static/" + name }})
		page := signinpages.SignIn{Next: "/", At: "/sign-in", Providers: row.providers}
		if row.greets {
			page.Known = signinpages.Known{Name: "ann", DisplayName: "Ann Miller"}
		}
		w := httptest.NewRecorder()
		if err := pages.SignIn(w, http.StatusOK, &message.English, page); err != nil {
			t.Fatal(err)
		}
		body := w.Body.String()
		before, after, _ := strings.Cut(body, " primary")
		_, label, isPasskey := strings.Cut(after, "</svg>")
		if isPasskey && row.passkeys {
			after = ">" + label
		}
		after, _, _ = strings.Cut(after, "</")
		if n := strings.Count(body, " primary"); n != 1 || !strings.HasSuffix(after, ">"+row.primary) {
			t.Errorf("%s: %d buttons are primary, the first is %q, want one %q", name, n, after, row.primary)
		}
		if row.greets && !strings.Contains(before, "Welcome back, Ann Miller") {
			t.Errorf("%s: nobody is greeted", name)
		}
		for _, part := range row.has {
			if !strings.Contains(body, part) {
				t.Errorf("%s: the page lacks %s:\n%s", name, part, body)
			}
		}
		for _, part := range row.lacks {
			if strings.Contains(body, part) {
				t.Errorf("%s: the page has %s:\n%s", name, part, body)
			}
		}
	}
}
