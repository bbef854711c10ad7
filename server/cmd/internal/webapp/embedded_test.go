package webapp

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
)

func panelOf(t *testing.T) panelPage {
	t.Helper()
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	return panelPage{files, `Tools "& more"`, "IT desk"}
}

// TestPanelPage: what the page in the frame loads is below the prefix that a program's proxy sends to Keypeg, and is
// there.
func TestPanelPage(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	app := (&Apps{files: files}).Embedded("Tools", "IT desk")
	mux := http.NewServeMux()
	for pattern, handler := range app.Files {
		mux.Handle(pattern, handler)
		if !strings.HasPrefix(pattern, shared.PathEmbed) {
			t.Errorf("%s belongs to the program", pattern)
		}
	}
	w := httptest.NewRecorder()
	panelOf(t).ServeHTTP(w, httptest.NewRequest("GET", shared.PagePanel, nil))
	page, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for node := range page.Descendants() {
		for _, a := range node.Attr {
			if a.Key != "src" && a.Key != "href" && a.Key != "data-program" && a.Key != "data-app" {
				continue
			}
			loaded++
			answer := httptest.NewRecorder()
			if mux.ServeHTTP(answer, httptest.NewRequest("GET", a.Val, nil)); answer.Code != 200 {
				t.Errorf("%s: %d", a.Val, answer.Code)
			}
		}
	}
	if loaded != 10 {
		t.Errorf("the page loads %d files", loaded)
	}
	var env map[string]string
	if err := json.Unmarshal([]byte(panelOf(t).env()), &env); err != nil {
		t.Fatal(err)
	}
	for _, language := range panelOf(t).languages() {
		answer := httptest.NewRecorder()
		if mux.ServeHTTP(answer, httptest.NewRequest("GET", language.URL, nil)); answer.Code != 200 || !strings.Contains(env["KEYPEG_APP_LANGUAGES"], language.URL) {
			t.Errorf("%s: %d", language.URL, answer.Code)
		}
	}
}

// TestPanelDrawn draws each panel for a user whose names look like markup.
func TestPanelDrawn(t *testing.T) {
	ask := api(func(a *shared.Account) { a.PasskeysOn, a.User.DisplayName = true, "Ann" })
	for query, want := range map[string][]string{
		"your-passkeys":        {"<dialog", `id="passkey-add"`, "&lt;img"},
		"add-passkey":          {"<dialog", `id="passkey-name"`},
		"your-activity":        {"<dialog", `id="activity-title"`, "&lt;img"},
		"your-passkeys&inline": {"<section", "panel-inline"},
		"":                     {"<dialog", `id="passkeys"`},
		"<script>":             {"<dialog", `id="passkeys"`},
	} {
		drawn, err := panelOf(t).draw(httptest.NewRequest("GET", shared.PathPanelDrawn, nil), &url.URL{Path: shared.PagePanel, RawQuery: query}, ask)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		for _, text := range want {
			if !strings.Contains(drawn.HTML, text) {
				t.Errorf("%s: there is no %s in %s", query, text, drawn.HTML)
			}
		}
		if strings.Contains(drawn.HTML, "<img") || strings.Contains(drawn.HTML, "autofocus=\"false") {
			t.Errorf("%s: %s", query, drawn.HTML)
		}
		if drawn.Answers[shared.PathAccount].Status != 200 {
			t.Errorf("%s: the program would ask again: %v", query, drawn.Answers)
		}
	}
}
