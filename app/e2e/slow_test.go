package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"sync/atomic"
	"testing"
	"time"
)

// TestSlowNetwork has pages come later than the service worker waits for those of the app. All others
// come all the same: nobody reads there that they are offline.
func TestSlowNetwork(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	s := startBehind(t, func(at, upstream string) {
		to := &url.URL{Scheme: "http", Host: upstream}
		proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		}}
		network := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if slow.Load() && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
				time.Sleep(4 * time.Second) // this is the slowness, and waits for nothing
			}
			proxy.ServeHTTP(w, r)
		}))
		network.Listener.Close()
		var err error
		if network.Listener, err = net.Listen("tcp", at); err != nil {
			t.Fatal(err)
		}
		network.Start()
		t.Cleanup(network.Close)
	})
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
