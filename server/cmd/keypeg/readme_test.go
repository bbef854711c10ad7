package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
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
		if strings.HasPrefix(row, "| `--") && !strings.HasPrefix(row, "| `--keypeg-") {
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
	for _, field := range reflect.VisibleFields(reflect.TypeFor[providerSettings]()) {
		if want := "\n| `" + field.Tag.Get("toml") + "` |"; !strings.Contains(string(readme), want) {
			t.Errorf("the README has no row that begins with %s", want)
		}
	}
	if rows != flags {
		t.Errorf("the README's table has %d rows, and there are %d settings", rows, flags)
	}
}

// TestReadmeFrontEnd holds the README's JavaScript to the page that app/e2e drives with it.
func TestReadmeFrontEnd(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(root, "app", "e2e", "testdata", "front-end", "front-end.js"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```js\n"+string(script)+"```\n") {
		t.Errorf("the README's JavaScript isn't what is tested:\n%s", script)
	}
}

// TestReadmeBuildIn holds the README's Go to the tool crib, which app/e2e tells the story
// of, and to what it promises of it.
func TestReadmeBuildIn(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, file := range []string{"server/cmd/toolcrib/keypeg.go", "app/toolcrib/keypeg.go"} {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "```go\n// "+file+"\n"+string(source)+"```\n") {
			t.Errorf("the README's %s isn't what is tested:\n%s", file, source)
		}
		for line := range strings.Lines(string(source)) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
	}
	if lines >= 60 {
		t.Errorf("taking Keypeg in takes %d lines, and the README promises fewer than 60", lines)
	}
}

// TestReadmeProperties holds the README's table of custom properties to the style sheet.
func TestReadmeProperties(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	styles, err := os.ReadFile(filepath.Join(root, "web", "static", "style.css"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(styles), ":root {")
	declared, _, _ := strings.Cut(rest, "}")
	names := regexp.MustCompile(`(--keypeg-[\w-]+):`).FindAllStringSubmatch(declared, -1)
	if len(names) < 10 {
		t.Fatalf("the style sheet declares %q", names)
	}
	for _, name := range names {
		name := name[1]
		if !strings.Contains(string(readme), "\n| `"+name+"` |") {
			t.Errorf("the README has no row for %s", name)
		}
		if !strings.Contains(string(styles), "var("+name+")") {
			t.Errorf("nothing uses %s", name)
		}
	}
	if rows := strings.Count(string(readme), "\n| `--keypeg-"); rows != len(names) {
		t.Errorf("the README has %d rows, and there are %d properties", rows, len(names))
	}
}

// TestSecurityTable holds SECURITY.md's tables to the tests that there are.
func TestSecurityTable(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w/]+): ((?:Test|Fuzz)\\w+)(?: ([\\d, -]+))?`")
	lines := map[int]bool{} // of TestStrangers
	for row := range strings.Lines(string(text)) {
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| ---") || strings.HasPrefix(row, "| promise ") || strings.HasPrefix(row, "| incident ") {
			continue
		}
		tests := named.FindAllStringSubmatch(row, -1)
		if len(tests) == 0 {
			t.Errorf("no test holds: %s", row)
		}
		for _, test := range tests {
			if !declares(t, filepath.Join(root, test[1]), test[2]) {
				t.Errorf("%s has no test %s", test[1], test[2])
			}
			for part := range strings.SplitSeq(test[3], ", ") {
				first, last, isRange := strings.Cut(part, "-")
				if !isRange {
					last = first
				}
				from, _ := strconv.Atoi(first)
				to, _ := strconv.Atoi(last)
				for n := from; n <= to; n++ {
					lines[n] = true
				}
			}
		}
	}
	for n := range 60 {
		if !lines[n+1] {
			t.Errorf("line %d of TestStrangers holds no promise", n+1)
		}
	}
}

// declares tells whether a folder's tests have this function.
func declares(t *testing.T, folder, function string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+function+"(") {
			return true
		}
	}
	return false
}
