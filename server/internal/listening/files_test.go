package listening

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/certtest"
)

// newPair writes a certificate for localhost with a key, and returns their paths.
func newPair(t *testing.T, folder string, number int64, until time.Time) (cert, key string) {
	t.Helper()
	return certtest.Write(t, folder, certtest.SelfSigned(t, number, until, "localhost"))
}

// serves serves at a door, and returns its address.
func serves(t *testing.T, c Config) (*Door, string) {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	door, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	for l, handler := range map[net.Listener]http.Handler{door.Public: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), door.Plain: door.Handler} {
		if l == nil {
			continue
		}
		server := &http.Server{Handler: handler}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
	}
	return door, door.Public.Addr().String()
}

func browser() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// TestFiles serves https with HTTP/2, and takes a new certificate up without ending a connection.
func TestFiles(t *testing.T) {
	folder := t.TempDir()
	end := time.Now().Add(90 * day)
	cert, key := newPair(t, folder, 1, end)
	var output strings.Builder
	log := slog.New(slog.NewTextHandler(&output, nil))
	files, err := NewFiles(cert, key, []string{"localhost"}, log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	door, address := serves(t, Config{Address: "localhost:0", Redirect: "localhost:0", Certificates: files, To: func(host string) string {
		if strings.HasPrefix(host, "localhost") {
			return "https://localhost"
		}
		return ""
	}})
	open := browser()
	open.Transport.(*http.Transport).DisableKeepAlives = false
	number := func(client *http.Client) int64 {
		t.Helper()
		answer, err := client.Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if proto, _ := io.ReadAll(answer.Body); string(proto) != "HTTP/2.0" {
			t.Errorf("it speaks %s", proto)
		}
		return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if n := number(open); n != 1 {
		t.Errorf("certificate %d", n)
	}

	newPair(t, folder, 2, end)
	files.renew(false)
	if n, before := number(browser()), number(open); n != 2 || before != 1 {
		t.Errorf("a new connection has certificate %d, one from before %d", n, before)
	}

	t.Run("what can't be used changes nothing", func(t *testing.T) {
		if err := os.WriteFile(cert, []byte("half a cert"), 0o600); err != nil {
			t.Fatal(err)
		}
		files.renew(false)
		files.renew(false)
		if n := number(browser()); n != 2 || strings.Count(output.String(), "the new certificate can't be used, so the one before stays") != 1 {
			t.Errorf("certificate %d, and the log says %s", n, &output)
		}
	})
	t.Run("a mended owner is noticed, though the files are the same", func(t *testing.T) {
		output.Reset()
		newPair(t, folder, 5, end)
		away := key + ".away"
		if err := os.Rename(key, away); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(key, 0o700); err != nil { // root may read any file
			t.Fatal(err)
		}
		files.renew(false)
		files.renew(false)
		if n := number(browser()); n != 2 || strings.Count(output.String(), "can't be used") != 1 {
			t.Errorf("certificate %d, and the log says %s", n, &output)
		}
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(away, key); err != nil {
			t.Fatal(err)
		}
		files.renew(false)
		if n := number(browser()); n != 5 {
			t.Errorf("certificate %d, and the log says %s", n, &output)
		}
	})
	t.Run("a host that it isn't for is told", func(t *testing.T) {
		output.Reset()
		files.hosts = []string{"localhost", "old.localhost"}
		files.Renew()
		files.hosts = []string{"localhost"}
		if text := output.String(); !strings.Contains(text, "host=old.localhost") || strings.Contains(text, "host=localhost") {
			t.Errorf("the log says %s", text)
		}
	})
	t.Run("its end is told once a day", func(t *testing.T) {
		newPair(t, folder, 3, time.Now().Add(13*day))
		for range 3 {
			files.Renew()
		}
		files.renew(false)
		if strings.Count(output.String(), "the certificate ends soon") < 1 {
			t.Errorf("the log says %s", &output)
		}
		output.Reset()
		files.renew(false)
		if output.Len() > 0 {
			t.Errorf("the log says again %s", &output)
		}
	})
	t.Run("plain http leads to https", func(t *testing.T) {
		for host, want := range map[string]string{"localhost": "308 https://localhost/a%2Fb?c=d", "localhost:80": "308 https://localhost/a%2Fb?c=d", "evil.test": "404 "} {
			r, err := http.NewRequest("GET", "http://"+door.Plain.Addr().String()+"/a%2Fb?c=d", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			answer, err := browser().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got := strings.TrimSuffix(answer.Status[:4]+answer.Header.Get("Location"), ""); got != want {
				t.Errorf("%s: got %s, want %s", host, got, want)
			}
		}
	})
}

// TestWrongPairs names what is wrong with files, and shows nothing of a key.
func TestWrongPairs(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	cert, key := newPair(t, folder, 1, time.Now().Add(day))
	_, otherKey := newPair(t, other, 2, time.Now().Add(day))
	junk := filepath.Join(folder, "junk")
	if err := os.WriteFile(junk, []byte("-----BEGIN EC PRIVATE KEY-----\ns3cret\n-----END EC PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ cert, key, says string }{
		{key, cert, "are exchanged"}, {cert, otherKey, "can't be used together"}, {cert, junk, "can't be used together"},
		{folder + "/none.pem", key, "--tls-cert: there is no such file"}, {cert, folder, "--tls-key"},
	} {
		if _, err := ReadPair(test.cert, test.key); err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s and %s: %v, want %s", test.cert, test.key, err, test.says)
		}
	}
}

// TestSocket listens on a Unix socket: after a killed server, but not beside a running one.
func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	killed, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	killed.(*net.UnixListener).SetUnlinkOnClose(false)
	killed.Close()
	serves(t, Config{Address: UnixPrefix + path})
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	answer, err := client.Get("http://keypeg/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("the socket: %v %v", info, err)
	}
	for address, says := range map[string]string{
		UnixPrefix + path: "another program listens there already", UnixPrefix + path + "/x/y": "the folder of the socket",
		Systemd: "start the service by its socket unit", "localhost:99999": "can't listen on localhost:99999",
	} {
		if _, err := Open(Config{Address: address, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %s", address, err, says)
		}
	}
}

// TestChainOrder names a chain that begins with the authority's certificate.
func TestChainOrder(t *testing.T) {
	end := time.Now().Add(90 * day)
	cert, key := newPair(t, t.TempDir(), 1, end)
	other, otherKey := newPair(t, t.TempDir(), 2, end)
	var chain []byte
	for _, path := range []string{other, cert} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, content...)
	}
	mixed := filepath.Join(t.TempDir(), "mixed.pem")
	if err := os.WriteFile(mixed, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPair(mixed, key); err == nil || !strings.Contains(err.Error(), "in the wrong order") {
		t.Errorf("the authority's certificate first: %v", err)
	}
	if _, err := ReadPair(cert, otherKey); err == nil || strings.Contains(err.Error(), "order") {
		t.Errorf("another key: %v", err)
	}
	if _, err := ReadPair(mixed, otherKey); err != nil {
		t.Errorf("the right order: %v", err)
	}
}
