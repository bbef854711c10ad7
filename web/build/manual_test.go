package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
	"github.com/keypeg/keypeg/web/manual"
)

// TestManual draws every page, and follows every link in it.
func TestManual(t *testing.T) {
	t.Chdir("../..") // where the build runs
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	pages := append([]manual.Page{{Name: manual.Index, Title: "Keypeg's manual"}}, manual.Pages()...)
	drawn := map[string]string{} // by address
	for _, page := range pages {
		html, err := drawPage(files, pages, page)
		if err != nil {
			t.Fatalf("%s: %v", page.Name, err)
		}
		drawn[web.ManualAddress(page.Name)] = string(html)
	}

	reference := regexp.MustCompile(` (?:href|src)="([^"]*)"`)
	id := regexp.MustCompile(` id="([^"]*)"`)
	// The pages come with the policy of all others, which lets no script and no style stand
	// in a page.
	forbidden := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|<iframe`)
	for at, html := range drawn {
		if found := forbidden.FindString(html); found != "" {
			t.Errorf("%s has %q in it", at, found)
		}
		ids := map[string]bool{}
		for _, found := range id.FindAllStringSubmatch(html, -1) {
			if ids[found[1]] {
				t.Errorf("%s has two places %q", at, found[1])
			}
			ids[found[1]] = true
		}
		for _, found := range reference.FindAllStringSubmatch(html, -1) {
			target, fragment, _ := strings.Cut(found[1], "#")
			switch {
			case strings.HasPrefix(target, "https://"), target == shared.PageHome:
				continue
			case strings.HasPrefix(target, web.Prefix):
				if name := regexp.MustCompile(`\.[0-9a-f]{16}\.`).ReplaceAllString(strings.TrimPrefix(target, web.Prefix), "."); files.URL(name) != target {
					t.Errorf("%s has the file %s, which isn't served", at, target)
				}
				continue
			case target == "":
				target = at
			}
			if drawn[target] == "" {
				t.Errorf("%s leads to %s, which isn't there", at, found[1])
			} else if fragment != "" && !strings.Contains(drawn[target], ` id="`+fragment+`"`) {
				t.Errorf("%s leads to %s, which has no such place", at, found[1])
			}
		}
		if strings.Count(html, "<h1") != 1 {
			t.Errorf("%s has not one title", at)
		}
	}

	settings := drawn["/manual/running"]
	for _, want := range []string{
		`<a href="#settings">Settings</a></h2>`, // a heading that can be linked to
		`<li><a href="#settings">Settings</a></li>`,
		`<a href="/manual/proxies">`,
		`<a href="/manual/running" aria-current="page">`,
		"<td><code>--[no-]passkeys</code></td>",
		`<div class="manual-table" role="group" aria-label="Table" tabindex="0"><table>`,
		`<pre tabindex="0"><code>`,
	} {
		if !strings.Contains(settings, want) {
			t.Errorf("the page about running has no %s", want)
		}
	}
}

func TestAddress(t *testing.T) {
	for link, want := range map[string]string{
		"running.md": "/manual/running", "running.md#settings": "/manual/running#settings", "README.md": "/manual/", "#settings": "#settings",
		"https://example.com/a.md": "https://example.com/a.md", "../../SECURITY.md#a": manual.Project + "SECURITY.md#a",
	} {
		if got, err := address(link); err != nil || got != want {
			t.Errorf("%q leads to %q (%v), want %q", link, got, err, want)
		}
	}
	for _, link := range []string{"", "#", "nothing.md", "running", "../running.md", "http://example.com", "javascript:alert(1)", "/manual/running"} {
		if got, err := address(link); err == nil {
			t.Errorf("%q leads to %q, and should be refused", link, got)
		}
	}
}
