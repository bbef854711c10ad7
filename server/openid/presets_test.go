package openid_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
)

var update = flag.Bool("update", false, "write the golden files; then look at what changed")

// TestPresets registers the program of each preset, and compares what it is told with a golden file.
func TestPresets(t *testing.T) {
	if !slices.IsSorted(openid.PresetNames()) {
		t.Errorf("the presets aren't sorted: %v", openid.PresetNames())
	}
	for _, preset := range openid.Presets() {
		t.Run(preset.ID, func(t *testing.T) {
			address := "https://" + preset.ID + ".example.com"
			c, err := preset.Client(address + "/")
			if err != nil {
				t.Fatal(err)
			}
			c.ID = preset.ID
			if c, err = c.Check(); err != nil {
				t.Fatalf("the client can't be registered: %v", err)
			}
			if preset.Name == "" || preset.About == "" || c.Name != preset.Name {
				t.Errorf("it is called %q, as of %q", preset.Name, preset.About)
			}
			told := openid.Told{Issuer: "https://id.example.com", ID: preset.ID, Secret: "kp_the-secret", URL: address}
			if c.IsPublic() {
				told.Secret = ""
			}
			text, err := preset.Settings(told)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := preset.Settings(openid.Told{Issuer: told.Issuer, ID: told.ID, Secret: told.Secret, URL: c.Home}); again != text || err != nil {
				t.Errorf("with the home of the client, the settings are\n%s%v", again, err)
			}
			for _, what := range []string{told.Issuer, told.ID, told.Secret} {
				if !strings.Contains(text, what) {
					t.Errorf("the settings don't have %q", what)
				}
			}
			if left := regexp.MustCompile(`@[a-z-]+@`).FindString(text); left != "" {
				t.Errorf("%s stands in the settings", left)
			}
			if c.IsPublic() && strings.Contains(text, openid.UnknownSecret) {
				t.Error("the settings have a secret, and the client has none")
			}
			golden(t, filepath.Join("testdata", "presets", preset.ID+".txt"), describe(c)+"\n"+text)

			if c.IsPublic() {
				return
			}
			told.Secret = ""
			if text, err := preset.Settings(told); err != nil || !strings.Contains(text, openid.UnknownSecret) {
				t.Errorf("without the secret, the settings are\n%s%v", text, err)
			}
		})
	}
}

// describe says how a client is registered, for people who look at a golden file.
func describe(c openid.Client) string {
	var b strings.Builder
	for _, fact := range []struct {
		what string
		is   []string
	}{
		{"redirect", c.Redirects}, {"signed out", c.SignedOut}, {"back-channel logout", []string{c.BackChannel}}, {"home", []string{c.Home}},
		{"authentication", []string{string(c.Authentication)}}, {"algorithm", []string{string(c.Algorithm)}}, {"scopes", []string{strings.Join(c.Scopes, " ")}},
		{"PKCE", []string{map[bool]string{true: "may be missing", false: "is demanded"}[c.WithoutPKCE]}},
	} {
		for _, is := range fact.is {
			if is != "" {
				b.WriteString(fact.what + ": " + is + "\n")
			}
		}
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s differs (%v), go test ./server/openid -run TestPresets -update; got\n%s", path, err, got)
	}
}

func TestPresetRefuses(t *testing.T) {
	if _, err := openid.FindPreset("grafna"); err == nil || !strings.Contains(err.Error(), "apache, argocd, gitea, grafana") {
		t.Errorf("got %v", err)
	}
	preset, err := openid.FindPreset("gitea")
	if err != nil {
		t.Fatal(err)
	}
	for address, sentence := range map[string]string{
		"":                                     "Gitea needs the address at which people open it, such as https://gitea.example.com",
		"http://gitea.example.com":             "must begin with https://",
		"gitea.example.com":                    "must begin with https://",
		"https://gitea.example.com/$(reboot)":  "special in its settings",
		"https://gitea.example.com/a;b":        "special in its settings",
		"https://gitea.example.com/a'b":        "special in its settings",
		"https://gitea.example.com/a?b=c":      "special in its settings",
		"https://gitea.example.com/{secret}":   "no address has",
		"https://gitea.example.com/\nenabled=": "no address has",
	} {
		_, err := preset.Client(address)
		_, settingsErr := preset.Settings(openid.Told{Issuer: "https://id.example.com", ID: "gitea", URL: address})
		for _, err := range []error{err, settingsErr} {
			if err == nil || !strings.Contains(err.Error(), sentence) {
				t.Errorf("%q: got %v, want %q", address, err, sentence)
			}
		}
	}
	for _, secret := range []string{"a b", "a'b", "a\nb", "a$b", "a`b", "ä"} {
		if text, err := preset.Settings(openid.Told{Issuer: "https://id.example.com", ID: "gitea", Secret: secret, URL: "https://gitea.example.com"}); err == nil {
			t.Errorf("the secret %q is in\n%s", secret, text)
		}
	}
	if _, err := preset.Settings(openid.Told{Issuer: "https://id.example.com", ID: "$(reboot)", URL: "https://gitea.example.com"}); err == nil {
		t.Error("an id that is a command is pasted")
	}
}
