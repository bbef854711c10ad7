package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

var update = flag.Bool("update", false, "write LICENCES.md, or the manual's table of settings")

// usable are the licences that let a closed program be made of ours. Another one is a
// decision, and comes here after it.
var usable = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"}

// TestLicences checks LICENCES.md against what goes into the released program, the app
// inside included.
func TestLicences(t *testing.T) {
	modules := map[string]string{}
	maps.Copy(modules, modulesOf(t, nil, "./server/cmd/keypeg"))
	maps.Copy(modules, modulesOf(t, []string{"GOOS=js", "GOARCH=wasm"}, "./app/wasm/..."))

	var text strings.Builder
	text.WriteString("# Licences of what is inside Keypeg\n\n" +
		"The released program holds these Go modules, and Go's standard library (BSD-3-Clause, The Go Authors). " +
		"`make licences` writes this list, and a test holds it to go.mod.\n\n" +
		"| module | version | licence | copyright |\n| --- | --- | --- | --- |\n")
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		name, version, _ := strings.Cut(module, " ")
		licence, copyright := licenceOf(t, modules[module])
		for _, one := range strings.Split(licence, " and ") {
			if !slices.Contains(usable, one) {
				t.Errorf("%s is under the licence %q: may it go into the program?", name, one)
			}
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", name, version, licence, copyright)
	}

	path := filepath.Join("..", "..", "..", "LICENCES.md")
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(path); err != nil || string(written) != text.String() {
		t.Errorf("LICENCES.md isn't what goes into the program (%v): run make licences", err)
	}
}

// modulesOf are the folders of the modules that a program is built from, but ours.
func modulesOf(t *testing.T, env []string, program string) map[string]string {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", program)
	command.Dir = filepath.Join("..", "..", "..")
	command.Env = append(os.Environ(), env...)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", program, err)
	}
	folders := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if module, folder, found := strings.Cut(strings.TrimSpace(line), "\t"); found {
			folders[module] = folder
		}
	}
	return folders
}

// licenceOf reads a module's licence, and the first line, there or in its notice, that says
// whose the module is.
func licenceOf(t *testing.T, folder string) (licence, copyright string) {
	t.Helper()
	texts := ""
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*"} {
		found, _ := filepath.Glob(filepath.Join(folder, pattern))
		for _, name := range found {
			// A folder has licences of parts too, such as pictures, that don't go into a program.
			if info, err := os.Stat(name); err == nil && info.IsDir() {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts += string(text) + "\n"
		}
	}
	var all []string
	for _, match := range licensecheck.Scan([]byte(texts)).Match {
		all = append(all, match.ID)
	}
	slices.Sort(all)
	for line := range strings.Lines(texts) {
		if line = strings.TrimSpace(line); ofSomebody.MatchString(line) {
			copyright = strings.ReplaceAll(line, "|", "/")
			break
		}
	}
	return strings.Join(slices.Compact(all), " and "), cmp.Or(copyright, "as its files say")
}

// ofSomebody is a line that names an owner, unlike the lines about copyright in a licence.
var ofSomebody = regexp.MustCompile(`(?i)^copyright (\(c\)|[0-9]{4}) `)
