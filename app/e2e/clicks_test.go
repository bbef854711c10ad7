package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestClicks: a person whose click goes elsewhere clicks again, and one whose click was heard doesn't.
func TestClicks(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><button id="one">One</button><button id="other">Other</button><iframe srcdoc="<button id=two>Two</button>"></iframe>`)
	}))
	t.Cleanup(page.Close)
	ann := openBrowser(t, &server{t: t, url: page.URL})
	for what, happens := range map[string]string{
		"nothing":           ``,
		"it is replaced":    `e.replaceWith(count(e.cloneNode(true)))`,
		"it is disabled":    `e.disabled = true, setTimeout(() => (e.disabled = false), 300)`,
		"another is called": `document.querySelector("#other").click()`,
		"it is called":      `e.click(), heard--`,
		"another is there":  `e.id = "another", setTimeout(() => (e.id = selector.slice(1)), 300)`,
	} {
		for _, clicks := range []struct {
			selector string
			on       func(string)
		}{{"#one", ann.clicks}, {"#one", ann.touches}, {"#two", ann.touches}} {
			ann.opens("/")
			ann.finds(clicks.selector)
			value[bool](ann, within(clicks.selector, fmt.Sprintf(`((selector) => {
				globalThis.heard = 0;
				const count = (e) => (e.addEventListener("click", () => heard++), e);
				count(e).addEventListener("mousedown", () => { %s; }, { once: true });
				return true;
			})(%s)`, happens, quoted(clicks.selector))))
			clicks.on(clicks.selector)
			if n := value[int](ann, `heard`); n != 1 {
				t.Errorf("%s has heard %d clicks where at the first %s happens", clicks.selector, n, what)
			}
		}
	}
}

// TestClicksOnlyWhatIsSeen: nobody clicks what the page hides, also if its looks come later than its text.
func TestClicksOnlyWhatIsSeen(t *testing.T) {
	t.Parallel()
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="/looks.css"><button id="one" class="waiting">One</button><script type="module" src="/script.js"></script>`)
	})
	comes := func(kind, text string, after time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(after) // which is what is tested
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, text)
		}
	}
	pages.HandleFunc("/looks.css", comes("text/css", `.waiting { visibility: hidden }`, time.Second))
	pages.HandleFunc("/script.js", comes("text/javascript", `one.onclick = () => (globalThis.heard = true); one.className = ""`, 2*time.Second))
	page := httptest.NewServer(pages)
	t.Cleanup(page.Close)
	ann := openBrowser(t, &server{t: t, url: page.URL})
	for _, clicks := range []func(string){ann.clicks, ann.touches} {
		value[bool](ann, `location.assign(`+quoted(page.URL)+`), true`) // which waits for nothing
		ann.waitsFor("the page", `location.href === `+quoted(page.URL+"/"))
		clicks("#one")
		if !value[bool](ann, `globalThis.heard === true`) {
			t.Error("it was clicked before it was seen")
		}
		ann.opens("about:blank")
	}
}
