package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// newerKeypeg builds a newer version: the same program with another style sheet.
func newerKeypeg(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sheet := filepath.Join(root, "web", "static", "style.css")
	style, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "style.css")
	if err := os.WriteFile(newer, append(style, "\n:root { --next: 1; }\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{sheet: newer}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "keypeg")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./server/cmd/keypeg")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the next version: %v\n%s", err, out)
	}
	return program
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	ann.opens("/sessions")
	ann.waitsFor("the service worker to have the page", `navigator.serviceWorker.controller !== null`)
	ann.reads("This browser")
	next := `getComputedStyle(document.documentElement).getPropertyValue("--next") !== ""`

	s.stops()
	s.program = newerKeypeg(t)
	s.starts()
	ann.seesNo("#offline-bar")
	if value[bool](ann, next) {
		t.Fatal("the old version has the new style sheet")
	}
	value[bool](ann, `document.dispatchEvent(new Event("visibilitychange"))`) // she looks at the page again
	ann.reads("A new version is ready.")
	ann.clicks(".bar button")
	ann.waitsFor("the new version", next)
	ann.isAt("/sessions")
	ann.reads("This browser")
	ann.seesNo(".bar")
}
