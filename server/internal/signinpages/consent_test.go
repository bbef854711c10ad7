package signinpages_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared/message"
)

// asBrowser is a page as a browser has it.
type asBrowser struct {
	*html.Node
	header http.Header
}

func drawn(t *testing.T, draw func(w http.ResponseWriter) error) asBrowser {
	t.Helper()
	w := httptest.NewRecorder()
	if err := draw(w); err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return asBrowser{page, w.Header()}
}

// elements returns the elements with a name, in the order of the page.
func (p asBrowser) elements(name string) (found []*html.Node) {
	for n := range p.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func (p asBrowser) reads(name string) (texts []string) {
	for _, n := range p.elements(name) {
		texts = append(texts, words(n))
	}
	return texts
}

// sends returns what a button sends: to which address, and its fields.
func (p asBrowser) sends(t *testing.T, label string) (action string, fields map[string]string) {
	t.Helper()
	for _, button := range p.elements("button") {
		if words(button) != label {
			continue
		}
		form := button.Parent
		for form != nil && form.Data != "form" {
			form = form.Parent
		}
		if id := attribute(button, "form"); id != "" {
			forms := p.elements("form")
			form = forms[slices.IndexFunc(forms, func(f *html.Node) bool { return attribute(f, "id") == id })]
		}
		if form == nil || attribute(form, "method") != "post" {
			t.Fatalf("the button %q sends nothing", label)
		}
		fields = map[string]string{}
		for _, input := range (asBrowser{Node: form}).elements("input") {
			fields[attribute(input, "name")] = attribute(input, "value")
		}
		if name := attribute(button, "name"); name != "" {
			fields[name] = attribute(button, "value")
		}
		return attribute(form, "action"), fields
	}
	t.Fatalf("there is no button %q among %q", label, p.reads("button"))
	return "", nil
}

func programPages() *signinpages.Pages {
	return signinpages.New(signinpages.Config{Product: "Keypeg", PasskeysOn: true, PasswordsOn: true, RPID: "id.example", Asset: func(name string) string { return "/static/" + name }})
}

// TestConsent checks what the page says that a program gets, and what its buttons send.
func TestConsent(t *testing.T) {
	page := signinpages.Consent{Program: "Grafana", Host: "grafana.example", User: "Ann Miller", Request: "sealed", Asks: []signinpages.Asked{
		{Kind: signinpages.AskedName, Value: "Ann Miller"}, {Kind: signinpages.AskedUserName, Value: "ann"}, {Kind: signinpages.AskedUnverified, Value: "ann@example.org"},
		{Kind: signinpages.AskedGroups, Value: "Engineering, Managers"}, {Kind: signinpages.AskedLanguage}, {Kind: signinpages.AskedOffline},
	}}
	shows := func(t *testing.T, text *message.Catalogue) asBrowser {
		return drawn(t, func(w http.ResponseWriter) error { return programPages().Consent(w, http.StatusOK, text, page) })
	}

	t.Run("what a program gets is said with the user's own values", func(t *testing.T) {
		got := shows(t, &message.English)
		want := []string{"Your name, Ann Miller", "Your user name, ann", "Your e-mail, ann@example.org, which isn’t verified", "Your groups: Engineering, Managers", "Permission to keep you signed in while you aren’t using it"}
		if list := got.reads("li"); !slices.Equal(list, want) {
			t.Errorf("got %q, want %q", list, want)
		}
		if h := append(got.reads("h1"), got.reads("h2")...); !slices.Equal(h, []string{"Sign in to Grafana as Ann Miller", "Grafana will get"}) {
			t.Errorf("the headings are %q", h)
		}
	})
	t.Run("a program that gets nothing is given no heading of what it gets", func(t *testing.T) {
		got := drawn(t, func(w http.ResponseWriter) error {
			return programPages().Consent(w, http.StatusOK, &message.English, signinpages.Consent{Program: "Grafana", User: "Ann Miller", Asks: []signinpages.Asked{{Kind: signinpages.AskedEmail}}})
		})
		if h := got.reads("h2"); len(h) > 0 || len(got.elements("li")) > 0 {
			t.Errorf("the headings are %q", h)
		}
	})
	t.Run("each button sends the request", func(t *testing.T) {
		got := shows(t, &message.English)
		for label, want := range map[string][2]string{"Continue": {"/openid/consent", "allow"}, "Cancel": {"/openid/consent", "cancel"}, "Use another account": {"/openid/other-account", ""}} {
			if action, fields := got.sends(t, label); action != want[0] || fields["answer"] != want[1] || fields["request"] != "sealed" {
				t.Errorf("%s sends %v to %s", label, fields, action)
			}
		}
	})
	t.Run("names stand apart from the sentence, in every language", func(t *testing.T) {
		for _, text := range message.Languages {
			got := shows(t, text)
			for _, name := range []string{"Grafana", "Ann Miller", "ann", "ann@example.org"} {
				if !slices.Contains(got.reads("bdi"), name) {
					t.Errorf("%s: %q isn't in a bdi element", text.Lang, name)
				}
			}
			if strings.Contains(words(got.Node), "{") {
				t.Errorf("%s: a placeholder is left", text.Lang)
			}
		}
	})
	t.Run("what is new comes first, and the rest after it", func(t *testing.T) {
		page.Asks[3].New = true
		got := shows(t, &message.English)
		if h := got.reads("h2"); !slices.Equal(h, []string{"Grafana now also asks for", "It gets as before"}) {
			t.Errorf("the headings are %q", h)
		}
		if list := got.reads("li"); len(list) != 5 || list[0] != "Your groups: Engineering, Managers" {
			t.Errorf("got %q", list)
		}
	})
}

// TestStepUp checks which ways to confirm the page offers. One of them is primary.
func TestStepUp(t *testing.T) {
	google := []signinpages.ConfirmProvider{{ID: "google", Name: "Google"}}
	for name, row := range map[string]struct {
		page    signinpages.StepUp
		buttons []string // besides the way back and the other account
		primary string
	}{
		"everything":       {signinpages.StepUp{HasPasskey: true, PasswordOn: true, Providers: google}, []string{"Use your passkey", "Continue", "Confirm with Google"}, "Use your passkey"},
		"a passkey needed": {signinpages.StepUp{NeedsPasskey: true, HasPasskey: true, PasswordOn: true, Providers: google}, []string{"Use your passkey"}, "Use your passkey"},
		"none to use":      {signinpages.StepUp{NeedsPasskey: true, PasswordOn: true, Providers: google}, nil, "Add passkey"},
		"a password":       {signinpages.StepUp{PasswordOn: true}, []string{"Continue"}, "Continue"},
		"a provider":       {signinpages.StepUp{Providers: google}, []string{"Confirm with Google"}, "Confirm with Google"},
		"nothing":          {signinpages.StepUp{}, []string{"Sign in again"}, "Sign in again"},
	} {
		t.Run(name, func(t *testing.T) {
			page := row.page
			page.Program, page.User, page.Name, page.Request, page.Next = "Grafana", "Ann Miller", "ann", "sealed", "/openid/go-on"
			got := drawn(t, func(w http.ResponseWriter) error {
				return programPages().StepUp(w, http.StatusOK, &message.English, page)
			})
			if want := append(row.buttons, "Back to Grafana", "Not Ann Miller?"); !slices.Equal(got.reads("button"), want) {
				t.Errorf("got the buttons %q, want %q", got.reads("button"), want)
			}
			var primary []string
			for _, n := range append(got.elements("button"), got.elements("a")...) {
				if strings.Contains(attribute(n, "class"), "primary") {
					primary = append(primary, words(n))
				}
			}
			if !slices.Equal(primary, []string{row.primary}) {
				t.Errorf("%q are primary, want %q", primary, row.primary)
			}
			if action, fields := got.sends(t, "Back to Grafana"); action != "/openid/consent" || fields["answer"] != "cancel" || fields["request"] != "sealed" {
				t.Errorf("the way back sends %v to %s", fields, action)
			}
			if hasScript := len(got.elements("script")) == 1; hasScript != page.HasPasskey {
				t.Errorf("it has a script: %t", hasScript)
			}
		})
	}
	t.Run("what is typed goes to the form for it, a provider by its id", func(t *testing.T) {
		page := signinpages.StepUp{Program: "Grafana", Name: "ann", Request: "sealed", PasswordOn: true, Providers: google}
		got := drawn(t, func(w http.ResponseWriter) error {
			return programPages().StepUp(w, http.StatusOK, &message.English, page)
		})
		if action, fields := got.sends(t, "Continue"); action != "/openid/confirm" || fields["request"] != "sealed" || fields["name"] != "ann" || fields["provider"] != "" {
			t.Errorf("the password sends %v to %s", fields, action)
		}
		if action, fields := got.sends(t, "Confirm with Google"); action != "/openid/confirm" || fields["request"] != "sealed" || fields["provider"] != "google" {
			t.Errorf("the provider sends %v to %s", fields, action)
		}
	})
	t.Run("how long ago the user signed in, if that matters", func(t *testing.T) {
		for ago, want := range map[time.Duration]string{
			0: "Ann Miller, Grafana asks for it.", 59 * time.Second: "Ann Miller, Grafana asks for it.",
			time.Minute:                  "Ann Miller, Grafana asks for it: you signed in 1 minute ago.",
			3*time.Hour + 59*time.Minute: "Ann Miller, Grafana asks for it: you signed in 3 hours ago.",
			49 * time.Hour:               "Ann Miller, Grafana asks for it: you signed in 2 days ago.",
		} {
			got := drawn(t, func(w http.ResponseWriter) error {
				return programPages().StepUp(w, http.StatusOK, &message.English, signinpages.StepUp{Program: "Grafana", User: "Ann Miller", SignedIn: ago})
			})
			if !slices.Contains(got.reads("p"), want) {
				t.Errorf("after %s: got %q, want %q", ago, got.reads("p"), want)
			}
		}
	})
}

// TestOnward checks where the page leads that goes on to a program.
func TestOnward(t *testing.T) {
	for address, want := range map[string]string{
		"https://grafana.example/login?code=a&state=b%20c": "https://grafana.example/login?code=a&state=b%20c",
		"com.example.app:/cb?code=a":                       "com.example.app:/cb?code=a",
		"http://127.0.0.1:4711/cb":                         "http://127.0.0.1:4711/cb",
		`https://a.example/?state="><script>'`:             `https://a.example/?state="><script>'`,
		"https://a.example/?state=é b;url=c":               "https://a.example/?state=%C3%A9%20b;url=c",
		"javascript:alert(1)":                              "", "JavaScript:alert(1)": "", " javascript:alert(1)": "", "data:text/html,x": "", "blob:https://a.example/x": "",
		"/login": "", "//a.example/": "", "": "", "https://a.example/\r\nSet-Cookie: a=b": "", "java\nscript:alert(1)": "",
	} {
		w := httptest.NewRecorder()
		err := programPages().Onward(w, &message.English, signinpages.Onward{Program: "Grafana", Address: address})
		if want == "" {
			if err == nil || w.Header().Get("Refresh") != "" || w.Body.Len() > 0 {
				t.Errorf("%q: the page leads on (%v)", address, w.Header())
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", address, err)
			continue
		}
		page, err := html.Parse(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		links := asBrowser{Node: page}.elements("a")
		if got := w.Header().Get("Refresh"); got != "0;url="+want || len(links) != 1 || attribute(links[0], "href") != want || words(links[0]) != "Continue to Grafana" {
			t.Errorf("%q: got %q and the link %q, want %q", address, got, attribute(links[0], "href"), want)
		}
	}
}
