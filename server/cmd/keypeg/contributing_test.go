package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestContributing counts the files of each change that CONTRIBUTING.md lists. Those that
// have the change's names in them are those that its row names, and no other.
func TestContributing(t *testing.T) {
	out, err := exec.Command("git", "-C", projectRoot, "ls-files").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	// Tests, which every change has; and texts that may mention it besides.
	apart := regexp.MustCompile(`_test\.go$|/testdata/|^app/e2e/|\.png$|^[A-Z]+\.md$|^web/manual/.*\.md$`)
	code := map[string]string{}
	for path := range strings.Lines(string(out)) {
		if path = strings.TrimSpace(path); !apart.MatchString(path) {
			code[path] = document(t, path)
		}
	}

	inCode := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for row := range strings.Lines(document(t, "CONTRIBUTING.md")) {
		cells := strings.Split(row, "|")
		if len(cells) != 5 || !strings.Contains(cells[2], "`") {
			continue
		}
		rows++
		names := map[string]*regexp.Regexp{} // by what they find as a word of its own
		for _, found := range inCode.FindAllStringSubmatch(cells[3], -1) {
			names[found[1]] = regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(found[1]) + `($|[^\w-])`)
		}
		has := func(text string) bool {
			for name, word := range names {
				if strings.Contains(text, name) && word.MatchString(text) {
					return true
				}
			}
			return false
		}
		var listed []string
		for _, found := range inCode.FindAllStringSubmatch(cells[2], -1) {
			paths, err := filepath.Glob(filepath.Join(projectRoot, found[1]))
			if err != nil || len(paths) == 0 {
				t.Errorf("to add %s, %s is named, which isn't there", strings.TrimSpace(cells[1]), found[1])
			}
			for _, path := range paths {
				path, err := filepath.Rel(projectRoot, path)
				if err != nil {
					t.Fatal(err)
				}
				path = filepath.ToSlash(path)
				if strings.HasSuffix(path, "_test.go") {
					continue
				}
				if listed = append(listed, path); !has(document(t, path)) {
					t.Errorf("to add %s, %s is named, and has nothing of %s", strings.TrimSpace(cells[1]), path, strings.TrimSpace(cells[3]))
				}
			}
		}
		for path, text := range code {
			if !slices.Contains(listed, path) && has(text) {
				t.Errorf("to add %s, %s is touched too: name it, or have one place fewer", strings.TrimSpace(cells[1]), path)
			}
		}
	}
	if rows != 11 {
		t.Errorf("%d changes are counted, and the page promises eleven", rows)
	}
}

// TestTree checks the page about architecture against the packages that there are, and its
// first list against the direction of imports: a package imports only those that stand
// below it.
func TestTree(t *testing.T) {
	native, inBrowser := deps(t, nil, "./..."), deps(t, []string{"GOOS=js", "GOARCH=wasm"}, "./app/...")
	var lists [][]string
	for _, block := range blocks(document(t, "web/manual/architecture.md"), "") {
		var list []string
		for line := range strings.Lines(block) {
			names, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			list = append(list, strings.Split(names, ", ")...)
		}
		lists = append(lists, list)
	}
	if len(lists) != 2 {
		t.Fatalf("the page has %d lists of packages, want the product's and the workshop's", len(lists))
	}

	shown := slices.Concat(lists...)
	for name := range native {
		if ours, is := strings.CutPrefix(name, module); is && !slices.Contains(shown, ours) {
			t.Errorf("the page doesn't show %s", ours)
		}
	}
	for _, name := range shown {
		if native[module+name] == nil {
			t.Errorf("the page shows %s, which is no package", name)
		}
	}
	for at, name := range lists[0] {
		for _, imported := range append(native[module+name], inBrowser[module+name]...) {
			if above := slices.Index(lists[0], strings.TrimPrefix(imported, module)); above >= 0 && above < at {
				t.Errorf("%s imports %s, which the page shows above it", name, imported)
			}
		}
	}
}
