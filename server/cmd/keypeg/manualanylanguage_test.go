package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestManualAnyLanguage checks the code and the elements of the page against the tool cribs in other languages, whose
// story app/e2e tells.
func TestManualAnyLanguage(t *testing.T) {
	page := document(t, "web/manual/any-language.md")
	for fence, file := range map[string]string{"php": "php/keypeg.php", "python": "python/keypeg.py", "js": "node/keypeg.mjs"} {
		source := document(t, "server/cmd/toolcrib/"+file)
		if !strings.Contains(page, "```"+fence+"\n"+source+"```\n") {
			t.Errorf("the page's %s isn't what is tested:\n%s", file, source)
		}
	}

	app := document(t, "server/cmd/toolcrib/express/app.mjs")
	part, _, _ := strings.Cut(app[strings.Index(app, "// A hook needs"):], "\n// That was Keypeg.")
	if !strings.Contains(page, "```js\n"+part+"```\n") {
		t.Errorf("the page's program with Express isn't what is tested:\n%s", part)
	}
	libraries := document(t, "server/cmd/toolcrib/express/libraries.mjs")
	proof, hook, _ := strings.Cut(libraries[strings.Index(libraries, "const keys"):], "\n// The hook.\n")
	for _, part := range []string{proof, hook} {
		if !strings.Contains(page, "```js\n"+part+"```\n") {
			t.Errorf("the page's program with libraries isn't what is tested:\n%s", part)
		}
	}

	tags := regexp.MustCompile(`<(script type="module"|/?keypeg-|button slot|input name="name")[^>]*>`)
	inPage := regexp.MustCompile(`(?m)^`+"```html\n"+`((?s).*?)`+"^```$").FindAllStringSubmatch(page, -1)
	if len(inPage) != 2 {
		t.Fatalf("the page has %d blocks of elements, want 2", len(inPage))
	}
	value := regexp.MustCompile(` (introduction|value)="[^"]*"`)
	for _, file := range []string{"php/index.php", "python/crib.py", "node/crib.mjs"} {
		source := value.ReplaceAllString(document(t, "server/cmd/toolcrib/"+file), "")
		for _, block := range inPage {
			for _, tag := range tags.FindAllString(value.ReplaceAllString(block[1], ""), -1) {
				if !strings.Contains(source, tag) {
					t.Errorf("%s has no %s", file, tag)
				}
			}
		}
	}
}

// TestManualTells: the page has every sentence that the developer of a program reads, at least its beginning.
func TestManualTells(t *testing.T) {
	page := document(t, "web/manual/any-language.md")
	files, err := filepath.Glob(filepath.Join(projectRoot, "server/embed/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	told, codes := regexp.MustCompile(`(err\w+)\.Telling\("((?:[^"\\]|\\.)*)"`), regexp.MustCompile(`(err\w+)\s+= shared\.Errorf\(shared\.Code(\w+)`)
	code := map[string]string{}
	var sentences [][]string
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sentences = append(sentences, told.FindAllStringSubmatch(string(source), -1)...)
		for _, found := range codes.FindAllStringSubmatch(string(source), -1) {
			code[found[1]] = strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(found[2], "${1}_$2"))
		}
	}
	if len(sentences) < 15 {
		t.Fatalf("only %d sentences were found", len(sentences))
	}
	rows := map[string]string{} // by code
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*)$").FindAllStringSubmatch(page, -1) {
		rows[row[1]] += row[2] + "\n"
	}
	for _, sentence := range sentences {
		name, text := code[sentence[1]], sentence[2]
		if name == "" {
			t.Errorf("%s isn't found", sentence[1])
			continue
		}
		if strings.HasSuffix(text, "%w") { // what it ends with has rows of its own
			text = "wrong"
			if rows[name] == "" {
				t.Errorf("the page has no row for %s", name)
			}
			continue
		}
		has := false
		for _, part := range regexp.MustCompile(`%\w|[:;(,]`).Split(text, -1) {
			part = strings.TrimSpace(part)
			has = has || len(part) > 12 && strings.Contains(rows[name], part)
		}
		if !has {
			t.Errorf("the page has no row for %s: %s", name, text)
		}
	}
}
