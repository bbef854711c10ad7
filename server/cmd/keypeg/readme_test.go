package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestReadme holds the README's table of settings to the settings that there are.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var line commandLine
	parser, err := kong.New(&line, kong.Configuration(readConfig))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for row := range strings.Lines(string(readme)) {
		if strings.HasPrefix(row, "| `--") {
			rows++
		}
	}
	flags := 0
	for _, flag := range parser.Model.Flags {
		if flag.Name == "help" {
			continue
		}
		flags++
		name := flag.Name
		if flag.Tag.Negatable != "" {
			name = "[no-]" + name
		}
		want := "| `--" + name + "` | `" + flag.Envs[0] + "` |"
		if flag.HasDefault {
			want += " `" + flag.Default + "` |"
		}
		if !strings.Contains(string(readme), want) {
			t.Errorf("the README has no row that begins with %s", want)
		}
	}
	if rows != flags {
		t.Errorf("the README's table has %d rows, and there are %d settings", rows, flags)
	}
}
