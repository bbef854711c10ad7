package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/web/manual"
)

// projectRoot leads to the project's root, where the documents are.
var projectRoot = filepath.Join("..", "..", "..")

// document reads a file of the project by its path.
func document(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(projectRoot, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// documents are all texts that people read in the repository, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "web/manual/*.md"} {
		paths, err := filepath.Glob(filepath.Join(projectRoot, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name, err := filepath.Rel(projectRoot, path)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.ToSlash(name)] = document(t, name)
		}
	}
	return found
}

// TestReadme checks that the README is short enough to be read to its end.
func TestReadme(t *testing.T) {
	const most = 130
	if lines := strings.Count(document(t, "README.md"), "\n"); lines > most {
		t.Errorf("the README has %d lines, more than %d: what is for one kind of reader belongs into web/manual", lines, most)
	}
}

// TestLinks checks that a link between documents leads to a file that is there, and to a
// heading that it has.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	all := documents(t)
	for name, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(name), target))
			}
			if _, err := os.Stat(filepath.Join(projectRoot, path)); err != nil {
				t.Errorf("%s leads to %s, which isn't there", name, found[1])
			}
			if fragment != "" && !headings(all[path])[fragment] {
				t.Errorf("%s leads to %s, and there is no such heading", name, found[1])
			}
		}
	}
}

// headings are the fragments by which the headings of a document are reached.
func headings(text string) map[string]bool {
	found := map[string]bool{}
	outside := true // of a block of code, where # begins a comment
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			outside = !outside
		}
		if title := strings.TrimLeft(line, "#"); outside && title != line {
			found[manual.Fragment(strings.TrimSpace(title))] = true
		}
	}
	return found
}

// TestPathsInDocuments checks that each file and folder that a document names is there.
func TestPathsInDocuments(t *testing.T) {
	path := regexp.MustCompile("`((?:app|server|shared|web|\\.github|\\.ci)/[\\w./*-]*)`")
	for name, text := range documents(t) {
		if name == "CHANGELOG.md" { // it tells what was
			continue
		}
		for _, found := range path.FindAllStringSubmatch(text, -1) {
			if there, err := filepath.Glob(filepath.Join(projectRoot, found[1])); err != nil || len(there) == 0 {
				t.Errorf("%s names %s, which isn't there", name, found[1])
			}
		}
	}
}

// TestChangelog checks that each version tells its readers apart, and that its number is
// the one that the build gives to the program.
func TestChangelog(t *testing.T) {
	text := document(t, "CHANGELOG.md")
	versions := regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(text, -1)
	if len(versions) == 0 {
		t.Fatal("there is no version")
	}
	for _, found := range versions {
		if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(found[1]) {
			t.Errorf("%q is no version", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"Users", "IT", "Developers"}, found[1]) {
			t.Errorf("%q are no readers of ours", found[1])
		}
	}

	build := exec.Command("make", "-s", "version")
	build.Dir = projectRoot
	out, err := build.Output()
	if err != nil {
		t.Fatal(err)
	}
	if number, _, _ := strings.Cut(strings.TrimSpace(string(out)), "+"); number != versions[0][1] {
		t.Errorf("the build's version is %q, and the changelog's newest is %q", out, versions[0][1])
	}
}

// TestWorkflows checks that what runs where the project is hosted is what runs here: a
// step is a target of make, or brings what a system lacks.
func TestWorkflows(t *testing.T) {
	prepares := []string{
		`git config --global --add safe.directory "$GITHUB_WORKSPACE"`,
		"sudo add-apt-repository --yes ppa:mozillateam/ppa # Ubuntu itself has no firefox-esr",
		"go run ./web/build",
		"go run golang.org/x/vuln/cmd/govulncheck@latest ./...",
	}
	makefile := document(t, "Makefile")
	for name, most := range map[string][]string{"test.yml": {"test"}, "weekly.yml": {"fuzz"}} {
		var made []string
		for _, step := range regexp.MustCompile(`(?m)^\s+- run: (.*)$`).FindAllStringSubmatch(document(t, ".github/workflows/"+name), -1) {
			words, isMake := strings.CutPrefix(step[1], "make ")
			if !isMake {
				if !slices.Contains(prepares, step[1]) {
					t.Errorf("%s runs %q, which nobody runs here", name, step[1])
				}
				continue
			}
			target, _, _ := strings.Cut(words, " ")
			if !strings.Contains(makefile, "\n"+target+":") || !slices.Contains(most, target) {
				t.Errorf("%s runs make %s", name, target)
			}
			made = append(made, target)
		}
		if len(made) == 0 {
			t.Errorf("%s runs nothing of ours", name)
		}
	}
}

// TestSecurityTable checks SECURITY.md's tables against the tests that there are. A name
// may end in a claim of TestAdversary: those are checked by TestAdversaryInSecurity, in
// server.
func TestSecurityTable(t *testing.T) {
	text := document(t, "SECURITY.md")
	named := regexp.MustCompile("`([\\w/]+): ((?:Test|Fuzz)\\w+)(/[^`]+)?`")
	for row := range strings.Lines(text) {
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| ---") || strings.HasPrefix(row, "| promise ") || strings.HasPrefix(row, "| incident ") {
			continue
		}
		tests := named.FindAllStringSubmatch(row, -1)
		if len(tests) == 0 || len(tests) != strings.Count(row, "`")/2 {
			t.Errorf("no test holds it, or there is more than tests: %s", row)
		}
		for _, test := range tests {
			if !declares(t, filepath.Join(projectRoot, test[1]), test[2]) {
				t.Errorf("%s has no test %s", test[1], test[2])
			}
			if test[3] != "" && test[1]+": "+test[2] != "server: TestAdversary" {
				t.Errorf("nothing holds that %s has%s", test[2], test[3])
			}
		}
	}
}

// declares reports whether a folder's tests have this function.
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
