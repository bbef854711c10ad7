package signinpages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// TestWordsFromOutside checks that a page has the same elements, and shows the words,
// whatever people, IT and providers call themselves and whatever a refusal quotes.
func TestWordsFromOutside(t *testing.T) {
	const harmless = "Alder"
	for _, hostile := range []string{
		`"><script>alert(1)</script>`, `' onfocus='alert(1)`, `" autofocus onfocus="alert(1)`, `</title></textarea><img src=x onerror=alert(1)>`,
		`<!-- `, `&lt;b&gt; &amp &#34;`, `{{.}}`, `{product}{name}`, `javascript:alert(1)`, "`${alert(1)}`",
	} {
		for name, draw := range pages(harmless) {
			want := strings.ReplaceAll(tree(t, draw), harmless, hostile)
			want = strings.ReplaceAll(want, "class mark\nTextNode A\n", "class mark\nTextNode "+shared.Initial(hostile)+"\n")
			if !strings.Contains(want, hostile) {
				t.Errorf("%s shows nothing that came from outside", name)
			}
			if got := tree(t, pages(hostile)[name]); got != want {
				t.Errorf("%s with %s:\ngot\n%s\nwant\n%s", name, hostile, got, want)
			}
		}
	}
}

// pages draw every page with a word wherever one comes from outside, by name.
func pages(word string) map[string]func(w http.ResponseWriter) error {
	d := signinpages.New(signinpages.Config{
		Product: word, Contact: word, PasskeysOn: true, PasswordsOn: true, RPID: word,
		Asset: func(name string) string { return "/static/" + name },
	})
	text := &message.English
	enrol := func(kind store.Method) func(w http.ResponseWriter) error {
		return func(w http.ResponseWriter) error {
			return d.Enrol(w, http.StatusOK, text, signinpages.Enrol{Kind: kind, Name: word, DisplayName: word, TakesPassword: true, Refusal: word})
		}
	}
	return map[string]func(w http.ResponseWriter) error{
		"sign-in": func(w http.ResponseWriter) error {
			return d.SignIn(w, http.StatusOK, text, signinpages.SignIn{
				Name: word, Next: word, Refusal: word,
				Providers: []signinpages.Provider{{Name: word, Address: "/one"}, {Name: "Acme", Button: word, Address: "/two"}},
			})
		},
		"greeting": func(w http.ResponseWriter) error {
			return d.SignIn(w, http.StatusOK, text, signinpages.SignIn{Known: signinpages.Known{Name: word, DisplayName: word}, Next: word, At: word, Reason: word})
		},
		"about": func(w http.ResponseWriter) error {
			return d.About(w, text, signinpages.About{Providers: []signinpages.Provider{{Name: word}, {Name: "Acme", Button: word}}, MaxPasskeys: 50})
		},
		"setup": func(w http.ResponseWriter) error {
			return d.Setup(w, http.StatusOK, text, signinpages.Setup{Name: word, DisplayName: word, Refusal: word, Refused: word})
		},
		"recovery": func(w http.ResponseWriter) error {
			return d.Recovery(w, http.StatusOK, text, signinpages.Recovery{Name: word, Refusal: word})
		},
		"invitation": enrol(store.MethodInvitation),
		"way back":   enrol(store.MethodRecoveryLink),
		"phone":      enrol(store.MethodPhoneLink),
		"enrolled":   func(w http.ResponseWriter) error { return d.Enrolled(w, text, true) },
		"consent": func(w http.ResponseWriter) error {
			return d.Consent(w, http.StatusOK, text, signinpages.Consent{Program: word, Host: word, User: word, Request: word, At: word, Asks: []signinpages.Asked{
				{Kind: signinpages.AskedName, Value: word}, {Kind: signinpages.AskedUserName, Value: word}, {Kind: signinpages.AskedEmail, Value: word},
				{Kind: signinpages.AskedUnverified, Value: word}, {Kind: signinpages.AskedGroups, Value: word, New: true}, {Kind: signinpages.AskedLanguage, Value: word},
			}})
		},
		"step-up": func(w http.ResponseWriter) error {
			return d.StepUp(w, http.StatusOK, text, signinpages.StepUp{
				Program: word, User: word, Name: word, SignedIn: time.Hour, HasPasskey: true, PasswordOn: true,
				Providers: []signinpages.ConfirmProvider{{ID: word, Name: word}}, Next: word, Request: word, Refusal: word, At: word,
			})
		},
		"device": func(w http.ResponseWriter) error {
			return d.Device(w, http.StatusOK, text, signinpages.Device{Code: word, Refusal: word})
		},
		"device asks": func(w http.ResponseWriter) error {
			return d.DeviceAsk(w, http.StatusOK, text, signinpages.DeviceAsk{Program: word, Host: word, User: word, Code: word, Request: word})
		},
		"device done": func(w http.ResponseWriter) error { return d.DeviceDone(w, text, word, true) },
		"passkey needed": func(w http.ResponseWriter) error {
			return d.StepUp(w, http.StatusOK, text, signinpages.StepUp{Program: word, User: word, NeedsPasskey: true})
		},
		"onward": func(w http.ResponseWriter) error {
			return d.Onward(w, text, signinpages.Onward{Program: word, Address: "https://grafana.example/"})
		},
		"refusal": func(w http.ResponseWriter) error {
			d.Refusal(w, http.StatusOK, text, signinpages.Refusal{Sentence: word})
			return nil
		},
	}
}

// tree is a page as a browser has it, a line for each element, attribute and text.
func tree(t *testing.T, draw func(w http.ResponseWriter) error) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := draw(w); err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range page.Descendants() {
		if n.Type == html.TextNode && strings.TrimSpace(n.Data) == "" {
			continue
		}
		fmt.Fprintln(&b, n.Type, n.Data)
		for _, attribute := range n.Attr {
			fmt.Fprintln(&b, " ", attribute.Key, attribute.Val)
		}
	}
	return b.String()
}
