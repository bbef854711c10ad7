package federationtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ConfigFile writes a configuration file in whose text SECRET stands for a file with the
// client secret "s3cret".
func ConfigFile(t testing.TB, text string) (path string) {
	t.Helper()
	folder := t.TempDir()
	path = filepath.Join(folder, "keypeg.toml")
	secret := filepath.Join(folder, "secret")
	for name, content := range map[string]string{secret: "s3cret\n", path: strings.ReplaceAll(text, "SECRET", `"`+secret+`"`)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}
