package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/web"
)

func TestGallery(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	shown := gallery(files, "Keypeg")
	get := func(address string) string {
		w := httptest.NewRecorder()
		shown.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		return w.Body.String()
	}

	t.Run("the index shows every exhibit as it was asked itself", func(t *testing.T) {
		for query, want := range map[string]string{
			"lang=de":               `src="/gallery/panel-list?lang=de"`,
			"lang=de&dir=rtl":       `src="/gallery/panel-list?lang=de&amp;dir=rtl"`,
			"\"><script>x</script>": `src="/gallery/panel-list?&#34;&gt;&lt;script&gt;x&lt;/script&gt;"`,
		} {
			r := httptest.NewRequest("GET", "/gallery", nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			shown.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("?%s: no %s", query, want)
			}
		}
	})
	t.Run("an exhibit has its language and direction", func(t *testing.T) {
		page := get("/gallery/panel-list?lang=de&dir=rtl")
		if !strings.Contains(page, `<html lang="de" dir="rtl">`) || !strings.Contains(page, `class="panel`) {
			t.Errorf("got %s", page)
		}
	})
}
