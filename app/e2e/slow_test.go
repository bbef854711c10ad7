package e2e

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// through starts a network of the test's own between the browser and the program.
func through(t *testing.T, network func(w http.ResponseWriter, r *http.Request, program http.Handler)) func(at, upstream string) {
	return func(at, upstream string) {
		t.Helper()
		to := &url.URL{Scheme: "http", Host: upstream}
		program := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		}}
		listener, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { network(w, r, program) })}
		go server.Serve(listener)
		t.Cleanup(func() { server.Close() }) // which waits for no answer that is held back
	}
}

// TestSlowNetwork has pages come later than the service worker waits for those of the app. All others
// come all the same: nobody reads there that they are offline.
func TestSlowNetwork(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	s := startBehind(t, through(t, func(w http.ResponseWriter, r *http.Request, program http.Handler) {
		if slow.Load() && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
			time.Sleep(4 * time.Second) // this is the slowness, and waits for nothing
		}
		program.ServeHTTP(w, r)
	}))
	link := regexp.MustCompile(`http://\S+\?token=\S+`).FindString(s.command(t, "", "user", "invite", "bob", "--display-name", "Bob Smith"))
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	slow.Store(true)
	ann.opens("/about-passkeys")
	ann.readsIn("h1", "About passkeys")
	ann.opens("/sessions")
	ann.readsIn("h1", "Sessions")
	ann.signsOut()
	ann.readsIn("h1", "Sign in")
	ann.opens(link)
	ann.readsIn("h1", "Welcome, Bob Smith")
}

// late tells the network when the app has read who is signed in, and notes a copy that is kept after it was removed.
// While a page is on its way to another one, nobody can ask it.
const late = `{
	const real = fetch, { setItem, removeItem } = Storage.prototype;
	globalThis.fetch = async (...all) => {
		const answer = await real(...all), text = answer.text.bind(answer);
		answer.text = () => text().finally(() => all[0] === "` + shared.PathAccount + `" && setTimeout(() => real("/read"), 100));
		return answer;
	};
	let removed = false;
	Storage.prototype.removeItem = function (key) {
		removed ||= key === "keypeg-copy";
		return removeItem.call(this, key);
	};
	Storage.prototype.setItem = function (key, value) {
		if (removed && key === "keypeg-copy") setItem.call(sessionStorage, "late", value);
		return setItem.call(this, key, value);
	};
}`

// TestLateAnswer: what the server answered before a sign-out, and comes after it, brings no copy of the user's data back.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	var holds atomic.Bool
	asks, leaves, reads := make(chan bool, 100), make(chan bool, 100), make(chan bool, 100)
	answers, goes := make(chan bool), make(chan bool)
	s := startBehind(t, through(t, func(w http.ResponseWriter, r *http.Request, program http.Handler) {
		answer := httptest.NewRecorder()
		switch {
		case holds.Load() && r.URL.Path == shared.PathAccount:
			program.ServeHTTP(answer, r)
			asks <- true
			<-answers
			maps.Copy(w.Header(), answer.Header())
			w.Write(answer.Body.Bytes())
			return
		case holds.Load() && r.URL.Path == shared.PageSignIn:
			leaves <- true
			<-goes
		case holds.Load() && r.URL.Path == "/read":
			reads <- true
		}
		program.ServeHTTP(w, r)
	}))
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.runsFirst(late)
	ann.opens("/sessions")
	ann.waitsFor("the copy", `localStorage.getItem("keypeg-copy")?.includes("Ann Admin")`)
	holds.Store(true)
	s.command(t, "", "user", "rename", "ann", "anna") // so the page asks again, if it has its answer already
	arrives(ann, "the page to ask who is signed in", asks)
	ann.clicks("#user-menu-button")
	ann.sees("#menu-sign-out")
	value[bool](ann, `document.querySelector("#menu-sign-out").click(), true`) // a page on its way can't say where a person clicked
	arrives(ann, "the page to be left", leaves)
	close(answers)
	arrives(ann, "the page to read the answer", reads)
	close(goes)
	ann.isAt("/sign-in")
	if kept := value[string](ann, `sessionStorage.getItem("late") ?? ""`); kept != "" {
		t.Errorf("after the sign-out the browser kept %s", kept)
	}
}
