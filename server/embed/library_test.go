package embed_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/embed"
)

// TestStandardWebhooks has the library of Standard Webhooks check a hook. It gets the key in both ways that the manual names,
// and takes a hook by either secret.
func TestStandardWebhooks(t *testing.T) {
	folder, err := filepath.Abs("../../bin/express")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules/standardwebhooks")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("standardwebhooks is missing: run make tools")
		}
		t.Skip("standardwebhooks is missing: run make tools")
	}
	hook, err := embed.ExaminingHook(t.Context(), embed.Program{Hooks: "https://tools.example.com/hooks", Secrets: []string{secret, secretBefore}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(hook.Body)
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name := range hook.Header {
		headers[strings.ToLower(name)] = hook.Header.Get(name) // as Node has them
	}
	coded := func(secret string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(secret)) }
	request, err := json.Marshal(map[string]any{
		"headers": headers, "body": string(body), "raw": []string{secret, secretBefore, "the-secret-of-another-program-012345"}, "whsec": []string{coded(secret), coded(secretBefore)},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "node", "testdata/standardwebhooks.mjs", folder, string(request)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("it prints %s", out)
	}
	const taken, refused = "keypeg.doctor", "WebhookVerificationError: No matching signature found"
	if want := []string{taken, taken, refused, taken, taken, refused}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
