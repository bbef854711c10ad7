package main

import (
	"go/doc"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestReadme holds the README's table of settings to the settings that there are.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := newCommandLine()
	rows := 0
	for row := range strings.Lines(string(readme)) {
		if strings.HasPrefix(row, "| `--") && !strings.HasPrefix(row, "| `--keypeg-") {
			rows++
		}
	}
	flags := 0
	line.settingFlags.VisitAll(func(flag *pflag.Flag) {
		flags++
		name := flag.Name
		if line.Lookup("no-"+name) != nil {
			name = "[no-]" + name
		}
		want := "| `--" + name + "` | `" + environmentOf(flag) + "` |"
		if value := defaultOf(flag); value != "" {
			want += " `" + value + "` |"
		}
		if !strings.Contains(string(readme), want) {
			t.Errorf("the README has no row that begins with %s", want)
		}
	})
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

// TestReadmeUsedBesides holds the README's list of what else the tool crib uses of Keypeg
// to what its files import.
func TestReadmeUsedBesides(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	users := 0
	for _, folder := range []string{"server/cmd/toolcrib", "app/toolcrib", "app/toolcrib/wasm"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			name := folder + "/" + filepath.Base(path)
			if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "keypeg.go" {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			var used []string
			for _, imported := range file.Imports {
				if of, ours := strings.CutPrefix(strings.Trim(imported.Path.Value, `"`), module); ours && of != "app/toolcrib" {
					used = append(used, "`"+of+"`")
				}
			}
			if len(used) == 0 {
				continue
			}
			users++
			if want := "\n| `" + name + "` | " + strings.Join(used, ", ") + " | "; !strings.Contains(string(readme), want) {
				t.Errorf("the README has no row that begins with %s", want)
			}
		}
	}
	if rows := len(regexp.MustCompile("\n\\| `[a-z/]*toolcrib/").FindAllString(string(readme), -1)); rows != users {
		t.Errorf("the README has %d rows, and %d files use something", rows, users)
	}
}

// TestReadmePaths holds the paths that a host may mount one by one to those that the API's
// description gives to hosts.
func TestReadmePaths(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "for _, path := range []string{")
	listed, _, found := strings.Cut(rest, "}")
	if !found {
		t.Fatal("the README mounts no paths one by one")
	}
	mux := http.NewServeMux()
	for _, pattern := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(listed, -1) {
		mux.Handle(pattern[1], http.NotFoundHandler())
	}

	spec, err := os.ReadFile(filepath.Join(root, "server", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ = strings.Cut(string(spec), "\nx-host:\n")
	hosts, paths, _ := strings.Cut(rest, "\npaths:")
	path, operations := "", 0
	for line := range strings.Lines(paths) {
		if name, is := strings.CutPrefix(line, "  /"); is {
			path = "/" + strings.NewReplacer("{id}", "1", "{provider}", "1").Replace(strings.TrimSuffix(strings.TrimSpace(name), ":"))
		}
		operation, is := strings.CutPrefix(strings.TrimSpace(line), "operationId: ")
		if !is {
			continue
		}
		operations++
		_, pattern := mux.Handler(httptest.NewRequest("GET", path, nil))
		if mounted, isHosts := pattern != "", strings.Contains(hosts, "- "+operation+"\n"); mounted != isHosts {
			t.Errorf("%s, %s, is mounted %t and the host's %t", operation, path, mounted, isHosts)
		}
	}
	if operations < 30 {
		t.Errorf("the API's description has only %d operations", operations)
	}
}

// TestReadmeExamples holds the README's list of packages with examples to those that have
// ones that run.
func TestReadmeExamples(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "Runnable examples stand on ")
	list, _, _ := strings.Cut(rest, "\n")
	named := regexp.MustCompile("`([\\w/]+)`").FindAllStringSubmatch(list, -1)
	if len(named) < 5 {
		t.Fatalf("the README names %q", named)
	}
	for _, name := range named {
		files, err := filepath.Glob(filepath.Join(root, name[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		runs := false
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, example := range doc.Examples(file) {
				runs = runs || example.Output != ""
			}
		}
		if !runs {
			t.Errorf("%s has no example that runs", name[1])
		}
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
	for n := range 66 {
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
