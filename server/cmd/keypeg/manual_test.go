package main

import (
	"go/doc"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/openid"
)

// TestManualSettings compares the manual's table of settings with their declaration. With -update it writes
// the table.
func TestManualSettings(t *testing.T) {
	const file = "web/manual/running.md"
	page := document(t, file)
	line := newCommandLine()
	table := "| flag | environment | default | what it sets |\n| --- | --- | --- | --- |\n"
	line.settingFlags.VisitAll(func(f *pflag.Flag) {
		name, value := f.Name, config.DefaultOf(f)
		if line.Lookup("no-"+name) != nil {
			name = "[no-]" + name
		}
		if value != "" {
			value = " `" + value + "`"
		}
		table += "| `--" + name + "` | `" + config.EnvironmentOf(f) + "` |" + value + " | " + config.Meaning(f) + " |\n"
	})
	if strings.Contains(page, "\n\n"+table+"\n") {
		return
	}
	if !*update {
		t.Fatalf("the page's table isn't that of the declaration: go test ./server/cmd/keypeg -run TestManualSettings -update\n%s", table)
	}
	begin := strings.Index(page, "| flag | environment")
	if begin < 0 {
		t.Fatal("the page has no table")
	}
	end := begin + strings.Index(page[begin:], "\n\n") + 1
	if err := os.WriteFile(filepath.Join(projectRoot, file), []byte(page[:begin]+table+page[end:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestManualTables checks the tables of the keys of a provider, of a client, of a gate and of a host against the keys that there are.
func TestManualTables(t *testing.T) {
	for file, keys := range map[string][]string{"web/manual/providers.md": config.ProviderKeys(), "web/manual/openid.md": config.ClientKeys(), "web/manual/gates.md": config.GateKeys(), "web/manual/any-language.md": config.HostKeys()} {
		_, page, _ := strings.Cut(document(t, file), "\n| key | meaning |\n| --- | --- |")
		table, _, _ := strings.Cut(page, "\n\n")
		for _, key := range keys {
			if want := "\n| `" + key + "` |"; !strings.Contains(table, want) {
				t.Errorf("%s has no row that begins with %s", file, want)
			}
		}
		if rows := strings.Count(table, "\n| `"); rows != len(keys) {
			t.Errorf("the table of %s has %d rows, and there are %d keys", file, rows, len(keys))
		}
	}
}

// TestManualPresets checks the table of presets against those that there are.
func TestManualPresets(t *testing.T) {
	page := document(t, "web/manual/openid.md")
	_, page, _ = strings.Cut(page, "\n| preset | program | what is special |\n| --- | --- | --- |")
	table, _, _ := strings.Cut(page, "\n\n")
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		listed = append(listed, row[1])
	}
	if names := openid.PresetNames(); !slices.Equal(listed, names) {
		t.Errorf("the table lists %v, and there are %v", listed, names)
	}
}

// TestManualFrontEnd checks the manual's JavaScript against the page that app/e2e drives
// with it.
func TestManualFrontEnd(t *testing.T) {
	page := document(t, "web/manual/api.md")
	script := document(t, "app/e2e/testdata/front-end/front-end.js")
	if !strings.Contains(page, "```js\n"+script+"```\n") {
		t.Errorf("the page's JavaScript isn't what is tested:\n%s", script)
	}
}

// TestManualBuildIn checks the manual's Go against the tool crib, whose story app/e2e
// tells, and against what the manual promises of it.
func TestManualBuildIn(t *testing.T) {
	page := document(t, "web/manual/building-in.md")
	lines := 0
	for _, file := range []string{"server/cmd/toolcrib/keypeg.go", "app/toolcrib/keypeg.go"} {
		source := document(t, file)
		if !strings.Contains(page, "```go\n// "+file+"\n"+source+"```\n") {
			t.Errorf("the page's %s isn't what is tested:\n%s", file, source)
		}
		for line := range strings.Lines(source) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
	}
	if lines >= 60 {
		t.Errorf("taking Keypeg in takes %d lines, and the page promises fewer than 60", lines)
	}
}

// TestManualUsedBesides checks the manual's list of what else the tool crib uses of Keypeg
// against what its files import.
func TestManualUsedBesides(t *testing.T) {
	page := document(t, "web/manual/building-in.md")
	users := 0
	for _, folder := range []string{"server/cmd/toolcrib", "app/toolcrib", "app/toolcrib/wasm"} {
		files, err := filepath.Glob(filepath.Join(projectRoot, folder, "*.go"))
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
			if want := "\n| `" + name + "` | " + strings.Join(used, ", ") + " | "; !strings.Contains(page, want) {
				t.Errorf("the page has no row that begins with %s", want)
			}
		}
	}
	if rows := len(regexp.MustCompile("\n\\| `[a-z/]*toolcrib/").FindAllString(page, -1)); rows != users {
		t.Errorf("the page has %d rows, and %d files use something", rows, users)
	}
}

// locationOfPaths is the line of nginx with Keypeg's paths one by one, for a program with an API of its own at the same place.
func locationOfPaths(t *testing.T) string {
	t.Helper()
	line := regexp.MustCompile("(?m)^`(location ~ .* {)`$").FindStringSubmatch(document(t, "web/manual/any-language.md"))
	if line == nil {
		t.Fatal("the page about any language names no paths one by one")
	}
	return line[1]
}

// TestManualPaths checks the paths that a host may mount one by one, and those that a proxy may send one by one, against
// those that the API's description gives to hosts.
func TestManualPaths(t *testing.T) {
	page := document(t, "web/manual/building-in.md")
	_, rest, _ := strings.Cut(page, "for _, path := range []string{")
	listed, _, found := strings.Cut(rest, "}")
	if !found {
		t.Fatal("the page mounts no paths one by one")
	}
	mux := http.NewServeMux()
	for _, pattern := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(listed, -1) {
		mux.Handle(pattern[1], http.NotFoundHandler())
	}

	location := strings.TrimSuffix(strings.TrimPrefix(locationOfPaths(t), "location ~ "), " {")
	sent := regexp.MustCompile(location)

	spec := document(t, "server/openapi.yaml")
	_, rest, _ = strings.Cut(spec, "\nx-host:\n")
	hosts, paths, _ := strings.Cut(rest, "\npaths:")
	hosts, _, _ = strings.Cut(hosts, "\nx-program:") // a program in another language mounts none
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
		if isHosts := strings.Contains(hosts, "- "+operation+"\n"); isHosts && !sent.MatchString(path) {
			t.Errorf("%s doesn't send %s", location, path)
		}
	}
	if operations < 30 {
		t.Errorf("the API's description has only %d operations", operations)
	}
}

// TestManualExamples checks the manual's list of packages with examples against those that
// have examples which run.
func TestManualExamples(t *testing.T) {
	page := document(t, "web/manual/building-in.md")
	_, rest, _ := strings.Cut(page, "Runnable examples are on ")
	list, _, _ := strings.Cut(rest, "\n")
	named := regexp.MustCompile("`([\\w/]+)`").FindAllStringSubmatch(list, -1)
	if len(named) < 5 {
		t.Fatalf("the page names %q", named)
	}
	for _, name := range named {
		files, err := filepath.Glob(filepath.Join(projectRoot, name[1], "*_test.go"))
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

// TestManualProperties checks the manual's table of custom properties against the style
// sheet.
func TestManualProperties(t *testing.T) {
	page := document(t, "web/manual/building-in.md")
	styles := document(t, "web/static/style.css")
	_, rest, _ := strings.Cut(styles, ":root {")
	declared, _, _ := strings.Cut(rest, "}")
	names := regexp.MustCompile(`(--keypeg-[\w-]+):`).FindAllStringSubmatch(declared, -1)
	if len(names) < 10 {
		t.Fatalf("the style sheet declares %q", names)
	}
	for _, name := range names {
		name := name[1]
		if !strings.Contains(page, "\n| `"+name+"` |") {
			t.Errorf("the page has no row for %s", name)
		}
		if !strings.Contains(styles, "var("+name+")") {
			t.Errorf("nothing uses %s", name)
		}
	}
	if rows := strings.Count(page, "\n| `--keypeg-"); rows != len(names) {
		t.Errorf("the page has %d rows, and there are %d properties", rows, len(names))
	}
}

// TestManualCommands checks every command line of the documents against the command line
// and the Makefile that there are.
func TestManualCommands(t *testing.T) {
	makefile := document(t, "Makefile")
	inline := regexp.MustCompile("`(keypeg [^`]+)`")
	target := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)(?:`|$)")
	seen := 0
	pages := documents(t)
	etc := t.TempDir() // /etc/keypeg
	writesPair(t, etc, "id.example.com", 1)
	t.Chdir(t.TempDir())
	succeeds(t, "", "init", "--url", "https://id.example.com") // keypeg.toml is there
	for name, text := range pages {
		if name == "CHANGELOG.md" { // it tells what was
			continue
		}
		t.Run(name, func(t *testing.T) {
			if strings.Contains(text, "`KEYPEG_EDITION=cloud`") {
				t.Setenv("KEYPEG_EDITION", "cloud")
			}
			for _, block := range blocks(text, "") {
				for line := range strings.Lines(block) {
					line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
					if variable, is := strings.CutPrefix(line, "export "); is {
						name, value, _ := strings.Cut(variable, "=")
						t.Setenv(name, words(value)[0])
					}
					line = strings.ReplaceAll(line, "/etc/keypeg", etc)
					if typed := words(line); len(typed) > 0 && typed[0] == "keypeg" {
						seen++
						if err := newCommandLine().read(typed[1:]); err != nil {
							t.Errorf("%s: %v", line, err)
						}
					}
				}
			}
			// In a sentence a command may lack what must stand behind it.
			for _, found := range inline.FindAllStringSubmatch(text, -1) {
				seen++
				if err := newCommandLine().read(append(words(found[1])[1:], "--help")); err != nil {
					t.Errorf("%s: %v", found[1], err)
				}
			}
			for _, found := range target.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(makefile, "\n"+found[1]+":") {
					t.Errorf("there is no make %s", found[1])
				}
			}
		})
	}
	if seen < 40 {
		t.Errorf("only %d commands were found", seen)
	}
}

// TestManualConfiguration reads the manual's configuration files as the program does.
func TestManualConfiguration(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of-the-provider-or-of-a-program-that-signs-in-here"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := 0
	for name, text := range documents(t) {
		for _, block := range blocks(text, "toml") {
			read++
			file := filepath.Join(t.TempDir(), "keypeg.toml")
			block = regexp.MustCompile(`/etc/keypeg/[\w-]+\.secret`).ReplaceAllLiteralString(block, filepath.ToSlash(secret))
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := newCommandLine().read([]string{"version", "--config", file}); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, block)
			}
		}
	}
	if read < 2 {
		t.Errorf("only %d configuration files were found", read)
	}
}

// blocks are the fenced blocks of a language in a document.
func blocks(text, language string) (found []string) {
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		if block[1] == language {
			found = append(found, block[2])
		}
	}
	return found
}

// words splits a command line as a shell does, of which it knows quotes.
func words(line string) []string {
	found := regexp.MustCompile(`(?:[^\s"']|"[^"]*"|'[^']*')+`).FindAllString(line, -1)
	for i, word := range found {
		found[i] = strings.NewReplacer(`"`, "", `'`, "").Replace(word)
	}
	return slices.Clip(found)
}
