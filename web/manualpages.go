package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web/manual"
)

// ManualList is the file of dist that names the pages of the manual. The build draws them;
// the Markdown is package manual's.
const ManualList = "manual.json"

// ManualPage has the facts about a page, of which only the compressed form is kept.
type ManualPage struct {
	Name   string `json:"name"`   // as package manual has it
	SHA256 string `json:"sha256"` // of the HTML, in hexadecimal
}

// ManualFile returns the name of a page's HTML file.
func ManualFile(page string) string { return "manual-" + page + ".html" }

// ManualAddress returns the path of a page at a server.
func ManualAddress(page string) string {
	if page == manual.Index {
		return shared.PageManual
	}
	return shared.PageManual + page
}

func (f *Files) addManual(from fs.FS) error {
	list, err := fs.ReadFile(from, "dist/"+ManualList)
	if errors.Is(err, fs.ErrNotExist) { // nothing was built yet
		return nil
	}
	var pages []ManualPage
	if err == nil {
		err = json.Unmarshal(list, &pages)
	}
	if err != nil {
		return fmt.Errorf("web: dist/%s: %w", ManualList, err)
	}
	for _, page := range pages {
		added := newFile(from, ManualFile(page.Name), page.SHA256, nil)
		added.url = ManualAddress(page.Name)
		f.manual = append(f.manual, added)
	}
	return nil
}

// Manual returns a handler for each page of the manual, by a pattern of http.ServeMux. A browser
// asks each time whether the page is still the same. The address doesn't change with the
// program, and a user who has signed out may not read the page.
func (f *Files) Manual() map[string]http.Handler {
	pages := map[string]http.Handler{}
	for _, page := range f.manual {
		pattern := page.url
		if pattern == shared.PageManual {
			pattern += "{$}" // it alone, and not all below it
		}
		pages[pattern] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page.serve(w, r, "private, no-cache, no-transform")
		})
	}
	return pages
}
