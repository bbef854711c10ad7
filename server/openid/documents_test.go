package openid_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/openid"
)

// TestDocumentsOfThePublicInternet: no document makes us connect to an address that isn't public, whatever its name says.
func TestDocumentsOfThePublicInternet(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:443", "127.1.2.3:443", "0.0.0.0:443", "10.0.0.1:443", "172.16.5.5:443", "192.168.1.1:443", "169.254.169.254:443", "100.64.0.1:443",
		"192.0.0.8:443", "192.0.2.1:443", "198.18.0.1:443", "198.51.100.7:443", "203.0.113.9:443", "224.0.0.1:443", "240.0.0.1:443", "255.255.255.255:443",
		"[::1]:443", "[::]:443", "[fe80::1]:443", "[fc00::1]:443", "[fd12:3456::1]:443", "[ff02::1]:443", "[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.1]:443",
		"[64:ff9b::7f00:1]:443", "[64:ff9b:1::1]:443", "[2001:db8::1]:443", "[2002:7f00:1::]:443", "[100::1]:443",
		"93.184.216.34:80", "93.184.216.34:22", "93.184.216.34:8443", "localhost:443", "", "93.184.216.34",
	} {
		if openid.PublicOnly("tcp", address, nil) == nil {
			t.Errorf("we would connect to %q", address)
		}
	}
	for _, network := range []string{"udp", "unix"} {
		if openid.PublicOnly(network, "93.184.216.34:443", nil) == nil {
			t.Errorf("we would connect by %s", network)
		}
	}
	for _, address := range []string{"93.184.216.34:443", "[2606:2800:220:1::1]:443"} {
		if err := openid.PublicOnly("tcp4", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAddressOfADocument(t *testing.T) {
	for _, address := range []string{
		"http://app.example/client", "https://app.example", "https://app.example/", "https://ann@app.example/client", "https://app.example/client#x",
		"https://app.example:8443/client", "https://app.example/../client", "https://app.example/./client", "https://APP.example/clie nt", "https:///client", "https://app.example/\x00", "https://app.example/%zz",
	} {
		if openid.CheckDocument(address) == nil {
			t.Errorf("%q may be one", address)
		}
	}
	if err := openid.CheckDocument("https://app.example/oauth/client.json"); err != nil {
		t.Error(err)
	}
}

func TestDocument(t *testing.T) {
	const id = "https://app.example/client.json"
	document := func(parts ...string) string { return "{" + strings.Join(parts, ",") + "}" }
	good := []string{`"client_id":"` + id + `"`, `"client_name":"Grafana"`, `"redirect_uris":["https://app.example/callback"]`}
	c, err := openid.DescribedBy(id, []byte(document(good...)))
	if err != nil || c.ID != id || c.Name != "app.example" || !c.IsPublic() || c.FirstParty || !c.RedirectAllowed("https://app.example/callback") {
		t.Errorf("got %+v (%v)", c, err)
	}
	if c.Name == "Grafana" {
		t.Error("a document chooses the name that people decide by")
	}
	thousand := make([]string, 1000)
	for i := range thousand {
		thousand[i] = fmt.Sprintf(`"https://app.example/%d"`, i)
	}
	for what, body := range map[string]string{
		"another id":               document(`"client_id":"https://other.example/client.json"`, good[2]),
		"no id":                    document(good[2]),
		"no redirects":             document(good[0]),
		"a redirect elsewhere":     document(good[0], `"redirect_uris":["https://evil.example/"]`),
		"a redirect to an app":     document(good[0], `"redirect_uris":["com.example.app:/x"]`),
		"a redirect by http":       document(good[0], `"redirect_uris":["http://app.example/callback"]`),
		"a redirect to a script":   document(good[0], `"redirect_uris":["javascript:alert(1)"]`),
		"two ids":                  document(good[0], `"client_id":"`+id+`"`, good[2]),
		"a thousand redirects":     document(good[0], `"redirect_uris":[`+strings.Join(thousand, ",")+`]`),
		"no JSON":                  "<html>",
		"nothing":                  "",
		"a list":                   "[]",
		"a redirect that is a map": document(good[0], `"redirect_uris":{"a":"b"}`),
	} {
		if c, err := openid.DescribedBy(id, []byte(body)); err == nil {
			t.Errorf("%s: got %+v", what, c)
		}
	}
}

// TestUnregisteredClients: without the setting, nobody makes us fetch anything.
func TestUnregisteredClients(t *testing.T) {
	s := newScene(t, stores["memstore"])
	a := s.user("ann").authorizes("client_id", "https://app.example/client.json", "redirect_uri", "https://app.example/callback")
	s.is("status", a.status, 400)
	if !strings.Contains(a.body, "isn&#39;t registered here") {
		t.Errorf("got %s", a)
	}
}

// TestDocumentsAreFetchedInPublic: with the setting, a document in our own network is still not fetched.
func TestDocumentsAreFetchedInPublic(t *testing.T) {
	s := newSceneWith(t, stores["memstore"], func(c *server.Config) { c.AnyClient = true })
	ann := s.user("ann")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "169.254.169.254"} {
		a := ann.authorizes("client_id", "https://"+host+"/client.json", "redirect_uri", "https://"+host+"/callback")
		s.is("status for "+host, a.status, 400)
	}
	if n := strings.Count(s.log.String(), "isn't one of the public internet"); n != 4 {
		t.Errorf("%d of 4 are refused for their addresses:\n%s", n, s.log)
	}
}
