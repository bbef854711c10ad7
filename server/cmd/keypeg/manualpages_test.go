package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
	"github.com/keypeg/keypeg/web/manual"
)

// TestManualPages reads the manual from the running program, in both editions.
func TestManualPages(t *testing.T) {
	const password = "correct horse battery"
	for _, edition := range []struct {
		name   string
		starts func(t *testing.T, flags ...string) (p *program, host string)
	}{
		{"on-premise", func(t *testing.T, flags ...string) (*program, string) {
			p := newProgram(t, flags...)
			p.starts()
			succeeds(t, password+"\n", "user", "add", "ann", "--database", p.database)
			return p, p.address
		}},
		{"cloud", func(t *testing.T, flags ...string) (*program, string) {
			p := newCloud(t, cloudDatabases["files"](t), flags...)
			p.starts()
			p.adds("acme")
			p.does(password+"\n", "user", "add", "ann", "--tenant", "acme")
			return p.at("acme"), p.host("acme")
		}},
	} {
		t.Run(edition.name, func(t *testing.T) {
			t.Run("is for the signed-in", func(t *testing.T) {
				p, host := edition.starts(t)
				for _, path := range []string{shared.PageManual, shared.PageManual + "running"} {
					a := p.asksFor(host, path)
					if want := "/sign-in?next=" + strings.ReplaceAll(path, "/", "%2F"); a.StatusCode != 303 || a.Header.Get("Location") != want {
						t.Errorf("somebody who isn't signed in asks for %s and gets %d, to %q; want to be sent to %q", path, a.StatusCode, a.Header.Get("Location"), want)
					}
				}
				ann := p.opensTab(nil, "")
				if _, err := ann.SignInWithPassword(t.Context(), "ann", password); err != nil {
					t.Fatal(err)
				}
				p.readsManual(host, "Cookie", "keypeg="+ann.token())
			})
			t.Run("is for everybody where IT says so", func(t *testing.T) {
				p, host := edition.starts(t, "--manual-public")
				p.readsManual(host)
				if a := p.asksFor(host, shared.PagePasskeys); a.StatusCode != 303 {
					t.Errorf("somebody who isn't signed in asks for a page of the app and gets %d", a.StatusCode)
				}
			})
		})
	}
}

// readsManual follows the list of pages to each of them.
func (p *program) readsManual(host string, header ...string) {
	p.Helper()
	list := p.asksFor(host, shared.PageManual, header...)
	links := regexp.MustCompile(`<li><a href="(/manual/[a-z-]+)">`).FindAllStringSubmatch(list.text, -1)
	if len(links) != len(manual.Pages()) {
		p.Fatalf("the list of %d pages has %d links: %d %s", len(manual.Pages()), len(links), list.StatusCode, list.text)
	}
	for _, link := range links {
		page := p.asksFor(host, link[1], header...)
		h := page.Header
		if page.StatusCode != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(page.text, `<main id="text"`) {
			p.Fatalf("%s: %d %v %s", link[1], page.StatusCode, h, page.text)
		}
		if h.Get("Cache-Control") != "private, no-cache, no-transform" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			p.Errorf("%s comes with %v", link[1], h)
		}
		if same := p.asksFor(host, link[1], append(header, "If-None-Match", h.Get("ETag"))...); same.StatusCode != 304 {
			p.Errorf("%s, asked for again, comes with %d", link[1], same.StatusCode)
		}
		br := p.asksFor(host, link[1], append(header, "Accept-Encoding", "br")...)
		if text, err := io.ReadAll(brotli.NewReader(strings.NewReader(br.text))); br.Header.Get("Content-Encoding") != "br" || string(text) != page.text {
			p.Errorf("%s, compressed, is something else (%v)", link[1], err)
		}
	}
	for _, nothing := range []string{"/manual/nothing", "/manual/running.md", "/manual/README", "/manual/running/"} {
		if a := p.asksFor(host, nothing, header...); a.StatusCode != 404 {
			p.Errorf("%s: %d, want 404", nothing, a.StatusCode)
		}
	}
	if a := p.asksFor(host, "/manual", header...); a.Header.Get("Location") != shared.PageManual {
		p.Errorf("/manual: %d, to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// reply is an answer with its whole body, as it came.
type reply struct {
	*http.Response
	text string
}

func (p *program) asksFor(host, path string, header ...string) reply {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), "GET", "http://"+p.address+path, nil)
	if err != nil {
		p.Fatal(err)
	}
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(r)
	if err != nil {
		p.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.Fatal(err)
	}
	return reply{response, string(body)}
}

// TestManualCommand prints the manual.
func TestManualCommand(t *testing.T) {
	list := succeeds(t, "", "manual")
	for _, page := range manual.Pages() {
		text := succeeds(t, "", "manual", page.Name)
		if !strings.HasPrefix(text, "# "+page.Title+"\n") || text != succeeds(t, "", "manual", page.Name+".md") {
			t.Errorf("keypeg manual %s prints %.60q", page.Name, text)
		}
		if link := "[" + page.Title + "](" + page.Name + ".md)"; !strings.Contains(list, link) {
			t.Errorf("keypeg manual prints no %s", link)
		}
	}
	if text := succeeds(t, "", "manual", "running.md#settings"); !strings.HasPrefix(text, "## Settings\n") || strings.Contains(text, "## Commands") {
		t.Errorf("a section is %.60q", text)
	}
	failsWith(t, `there is no page "runing": did you mean "running"?`, "", "manual", "runing")
	failsWith(t, `there is no page "running#nothing"`, "", "manual", "running#nothing")
	failsWith(t, "unexpected argument", "", "manual", "running", "backup")
	if help := succeeds(t, "", "manual", "--help"); !strings.Contains(help, "Usage: keypeg manual [<page>] [flags]") {
		t.Errorf("its help is\n%s", help)
	}
	t.Setenv("KEYPEG_LISTN", "wrong") // whoever has a wrong setting looks it up
	succeeds(t, "", "manual", "running")
}

// TestManualIsBuilt checks that the program has every page of the manual, and no page of
// an older one.
func TestManualIsBuilt(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	if !files.Built() {
		t.Skip("the app isn't built: go run ./web/build")
	}
	if served := files.Manual(); len(served) != len(manual.Pages())+1 {
		t.Errorf("%d pages are served, and there are %d: run go run ./web/build", len(served), len(manual.Pages())+1)
	}
}
