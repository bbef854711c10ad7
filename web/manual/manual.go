// Package manual holds the manual: a page of Markdown for each kind of reader.
//
// The pages are read in three places. In the repository they are what lies here. At
// [shared.PageManual] a server has them as HTML, which web/build makes of them. On the
// terminal keypeg manual prints them, by [Text].
//
// README.md lists the pages, and nothing else does: [Pages] reads that list. A new page is
// a file here and a line there.
package manual

import (
	"embed"
	"io/fs"
	"regexp"
	"strings"
)

//go:embed *.md
var files embed.FS

// Index is the name of the page that lists the others.
const Index = "README"

// Project is where the project's files are read on the web. What a page links to outside
// of the manual lies there for those who have the program alone.
const Project = "https://github.com/keypeg/keypeg/blob/main/"

// Page is one page of the manual.
type Page struct {
	Name  string // of its file, without .md: "running"
	Title string
	About string // what is in it, in a few words
}

var listed = regexp.MustCompile(`(?m)^- \[([^\]]+)\]\(([a-z-]+)\.md\): (.+)$`)

// Pages are all pages but [Index], in its order.
func Pages() []Page {
	var pages []Page
	for _, found := range listed.FindAllStringSubmatch(Source(Index), -1) {
		pages = append(pages, Page{Title: found[1], Name: found[2], About: found[3]})
	}
	return pages
}

// Source returns a page's Markdown as it lies here, or "" where there is no such page.
func Source(name string) string {
	content, err := fs.ReadFile(files, name+".md")
	if err != nil {
		return ""
	}
	return string(content)
}

// Text returns what a link between pages names, for a terminal: "running", "running.md", or
// "running.md#settings" for one section. "" is returned where there is no such page or
// section. Links that lead out of the manual are whole addresses.
func Text(link string) string {
	name, fragment, _ := strings.Cut(link, "#")
	text := Source(strings.TrimSuffix(name, ".md"))
	if fragment != "" {
		text = section(text, fragment)
	}
	return strings.NewReplacer("](../../", "]("+Project, "](../", "]("+Project+"web/").Replace(text)
}

// section is the part of a page below a heading, up to the next of the same or a higher
// level.
func section(text, fragment string) string {
	var b strings.Builder
	level := 0 // of the heading that was found
	inCode := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			inCode = !inCode
		}
		title := strings.TrimLeft(line, "#")
		if depth := len(line) - len(title); depth > 0 && !inCode {
			if level > 0 && depth <= level {
				break
			}
			if level == 0 && Fragment(strings.TrimSpace(title)) == fragment {
				level = depth
			}
		}
		if level > 0 {
			b.WriteString(line)
		}
	}
	return b.String()
}

var notInFragment = regexp.MustCompile(`[^\p{L}\p{N}\- ]`)

// Fragment is how a link leads to a heading, in all three places. It is GitHub's rule, as
// far as our headings need it.
func Fragment(heading string) string {
	return strings.ReplaceAll(notInFragment.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}
