package main

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/web"
)

func TestGallery(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	shown := newGallery(files)
	get := func(address, query string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", address, nil)
		r.URL.RawQuery = query
		shown.ServeHTTP(w, r)
		return w
	}

	t.Run("the index shows every exhibit as it was asked itself", func(t *testing.T) {
		for query, want := range map[string]string{
			"lang=de":               `src="/panel-list?lang=de"`,
			"lang=de&dir=rtl":       `src="/panel-list?lang=de&amp;dir=rtl"`,
			"\"><script>x</script>": `src="/panel-list?&#34;&gt;&lt;script&gt;x&lt;/script&gt;"`,
		} {
			if index := get("/", query).Body.String(); !strings.Contains(index, want) {
				t.Errorf("?%s: no %s", query, want)
			}
		}
	})
	t.Run("an exhibit has its language and direction", func(t *testing.T) {
		page := get("/panel-list", "lang=de&dir=rtl").Body.String()
		if !strings.Contains(page, `<html lang="de" dir="rtl">`) || !strings.Contains(page, `class="panel`) {
			t.Errorf("got %s", page)
		}
	})
	t.Run("an exhibit is the same page every time", func(t *testing.T) {
		once, again := get("/home-offer", ""), get("/home-offer", "")
		if once.Body.Len() == 0 || once.Body.Len() != again.Body.Len() {
			t.Errorf("got %d bytes and then %d", once.Body.Len(), again.Body.Len())
		}
	})
	t.Run("every exhibit has a name of its own, and a page", func(t *testing.T) {
		names := map[string]bool{}
		for part := range strings.SplitSeq(get("/", "").Body.String(), "<h2>") {
			_, rest, isExhibit := strings.Cut(part, `<a href="/`)
			name, _, _ := strings.Cut(rest, "?")
			if !isExhibit || name == "" {
				continue
			}
			if names[name] {
				t.Errorf("two exhibits are called %s", name)
			}
			names[name] = true
			if w := get("/"+name, "lang=ja"); w.Code != 200 || !strings.Contains(w.Body.String(), "</html>") {
				t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
			}
		}
		if len(names) < 40 {
			t.Errorf("there are only %d exhibits", len(names))
		}
	})
	t.Run("all exhibits at once are the same pages", func(t *testing.T) {
		for _, query := range []string{"", "dir=rtl", "lang=ja"} {
			var all []markup
			if err := json.Unmarshal(get(allAtOnce, query).Body.Bytes(), &all); err != nil {
				t.Fatal(err)
			}
			if len(all) < 40 {
				t.Errorf("there are only %d exhibits", len(all))
			}
			for _, one := range all {
				if page := get("/"+one.Name, query).Body.String(); sortedWords(page) != sortedWords(one.Page) {
					t.Errorf("%s?%s by itself:\n%s\nand with all the others:\n%s", one.Name, query, page, one.Page)
				}
			}
		}
	})
	t.Run("nothing else is there", func(t *testing.T) {
		for _, path := range []string{"/nothing", "/gallery/main.go", "/api/v1/account"} {
			if w := get(path, ""); w.Code != 404 {
				t.Errorf("%s: status %d", path, w.Code)
			}
		}
	})
}

// sortedWords sorts the words of each line, as go-app writes attributes in any order.
func sortedWords(page string) string {
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" <>", r) })
		slices.Sort(words)
		lines[i] = strings.Join(words, " ")
	}
	return strings.Join(lines, "\n")
}
