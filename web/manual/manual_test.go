package manual

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	names := map[string]bool{Index: true}
	for _, page := range Pages() {
		names[page.Name] = true
		text := Source(page.Name)
		if !strings.HasPrefix(text, "# "+page.Title+"\n\nThis page is for ") {
			t.Errorf("%s.md doesn't begin with the title %q and with whom it is for", page.Name, page.Title)
		}
	}
	paths, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if !names[strings.TrimSuffix(path, ".md")] {
			t.Errorf("README.md doesn't list %s", path)
		}
	}
	if len(names) != len(paths) {
		t.Errorf("README.md lists %d pages, and there are %d", len(names)-1, len(paths)-1)
	}
}

// TestText: a link between pages is what keypeg manual takes.
func TestText(t *testing.T) {
	link := regexp.MustCompile(`\]\(([a-zA-Z-]*\.md(?:#[^)]*)?|#[^)]*)\)`)
	links := 0
	for _, page := range append(Pages(), Page{Name: Index}) {
		for _, found := range link.FindAllStringSubmatch(Text(page.Name), -1) {
			links++
			target := found[1]
			if strings.HasPrefix(target, "#") {
				target = page.Name + target
			}
			if Text(target) == "" {
				t.Errorf("%s links to %s, which there isn't", page.Name, found[1])
			}
		}
		if strings.Contains(Text(page.Name), "](..") {
			t.Errorf("%s links to a place that a terminal doesn't know", page.Name)
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}

	section := Text("running.md#watch-over-it")
	if !strings.HasPrefix(section, "## Watch over it\n") || !strings.Contains(section, "/readyz") || strings.Contains(section, "## The database file") {
		t.Errorf("the section is %q", section)
	}
	if !strings.Contains(Text("building-in.md#on-your-servers"), "### Cookies") {
		t.Error("a section is cut off at a heading below it")
	}
	for _, nothing := range []string{"", "nothing", "running#nothing", "../manual/running", "manual.go"} {
		if got := Text(nothing); got != "" {
			t.Errorf("%q is the text %q", nothing, got)
		}
	}
}

func TestFragment(t *testing.T) {
	for heading, want := range map[string]string{
		"Settings": "settings", "Lost every way in?": "lost-every-way-in", "The API": "the-api",
		"As an app, and without a network": "as-an-app-and-without-a-network", "Über `--rp-id`": "über---rp-id",
	} {
		if got := Fragment(heading); got != want {
			t.Errorf("%q is reached by #%s, want #%s", heading, got, want)
		}
	}
}
