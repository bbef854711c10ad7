package proxytest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/proxytest"
)

func TestProxies(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host+" "+r.Header.Get("X-Set"))
	}))
	t.Cleanup(upstream.Close)
	behind := strings.TrimPrefix(upstream.URL, "http://")

	for name, start := range map[string]func(at string){
		"nginx": func(at string) {
			proxytest.NginxTo(t, at, behind, "proxy_set_header Host $http_host;", "proxy_set_header X-Set yes;")
		},
		"Caddy": func(at string) { proxytest.CaddyTo(t, at, behind, "header_up X-Set yes") },
	} {
		t.Run(name+" passes requests on, with the lines that it was given", func(t *testing.T) {
			at := proxytest.FreeAddress(t)
			start(at)
			answer, err := http.Get("http://" + at + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if got, _ := io.ReadAll(answer.Body); string(got) != at+" yes" {
				t.Errorf("the server behind saw %q, want %q", got, at+" yes")
			}
		})
	}
}
