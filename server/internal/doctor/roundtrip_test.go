package doctor

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestWhoAnswers reads what Go's server says to a proxy that speaks something else, and names it.
func TestWhoAnswers(t *testing.T) {
	asks := func(server *httptest.Server, first string) *fetched {
		t.Helper()
		defer server.Close()
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, first+"GET / HTTP/1.1\r\nHost: id.example.com\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body) // the server may cut it off
		return &fetched{status: answer.StatusCode, body: body}
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, row := range []struct {
		got  *fetched
		says string
	}{
		{asks(httptest.NewServer(page), "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), "the PROXY protocol"},
		{asks(httptest.NewServer(page), "\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c"), "the PROXY protocol"},
		{asks(httptest.NewTLSServer(page), ""), "Keypeg itself serves https here"},
	} {
		if _, r := (&visit{}).isOurs(row.got, ""); r.State != Failed || !strings.Contains(r.Compared, row.says) {
			t.Errorf("status %d, %q: it says %q, want %q", row.got.status, row.got.body, r.Compared, row.says)
		}
	}
}
