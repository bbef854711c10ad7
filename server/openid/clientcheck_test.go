package openid_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/openid"
)

// checked returns the client with the changes of do, checked.
func checked(do func(*openid.Client)) (openid.Client, error) {
	c := openid.Client{ID: "app", Name: "The app", Redirects: []string{"https://app.example/cb"}}
	do(&c)
	return c.Check()
}

// refused checks that one property alone is refused, with a sentence that says this.
func refused(t *testing.T, claim string, err error, property, sentence string) {
	t.Helper()
	invalid, is := errors.AsType[openid.Invalid](err)
	if !is || len(invalid) != 1 || invalid[0].Property != property || !strings.Contains(invalid[0].Sentence, sentence) {
		t.Errorf("%s: got %#v, want one fault of %s that says %q", claim, err, property, sentence)
	}
}

func TestCheckID(t *testing.T) {
	for id, allowed := range map[string]bool{
		"grafana": true, "A.b_c~d-e": true, "0": true, "0f8fad5b-d9cb-469f-a165-70867728950e": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "a ": false, "a\n": false, "a/b": false, "a:b": false, "a%20": false, "é": false,
		".": false, "..": false, "-a": false, "_a": false, "~": false, "https://app.example": false,
	} {
		_, err := checked(func(c *openid.Client) { c.ID, c.Name = id, "" })
		if allowed && err != nil {
			t.Errorf("%q: %v", id, err)
		} else if !allowed {
			refused(t, fmt.Sprintf("%q", id), err, "id", "at most 128 letters")
		}
	}
}

func TestCheckRedirects(t *testing.T) {
	for _, uri := range []string{
		"https://app.example", "https://app.example/", "https://app.example/cb?x=y&z=%2F", "https://app.example:8443/cb", "https://app.example:443/cb",
		"https://xn--bcher-kva.example/cb", "https://under_score.example/cb", "https://192.0.2.1/cb", "https://[2001:db8::1]:8443/cb", "https://localhost/cb",
		"https://app.example/a//b", "https://app.example/~a/(b);c=d,e!f$g'h:@", "https://app/cb", "https://app.example/" + strings.Repeat("a", 1980),
		"http://localhost/cb", "http://localhost:3000/cb", "http://127.0.0.1", "http://127.0.0.1:80/cb", "http://[::1]/cb",
		"com.example.app:/cb", "com.example.app://cb", "app.immich:///oauth-callback", "com.example.app-2:/",
	} {
		if _, err := checked(func(c *openid.Client) { c.Redirects = []string{uri} }); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
		if _, err := checked(func(c *openid.Client) { c.SignedOut = []string{uri} }); err != nil {
			t.Errorf("%q after sign-out: %v", uri, err)
		}
	}
	for uri, sentence := range map[string]string{
		"":                                 "must begin with https://",
		"app.example/cb":                   "must begin with https://",
		"//app.example/cb":                 "must begin with https://",
		"http://app.example/cb":            "plain http is for localhost",
		"http://localhost.evil.example/cb": "plain http is for localhost",
		"http://127.0.0.2/cb":              "plain http is for localhost",
		"http://127.0.0.1.example/cb":      "plain http is for localhost",
		"HTTPS://app.example/cb":           "in small letters",
		"https:/app.example/cb":            "must begin with https://",
		"https:app.example/cb":             "must begin with https://",
		"https:///cb":                      "has no host",
		"https://:443/cb":                  "has no host",
		"http://https://app.example":       "must begin with https://",
		"https://App.example/cb":           "capital letters",
		"https://app.example./cb":          "a dot at the end",
		"https://.example/cb":              "no domain name",
		"https://app..example/cb":          "no domain name",
		"https://-app.example/cb":          "no domain name",
		"https://app%2eexample/cb":         "no domain name",
		"https://app.example,evil/cb":      "no domain name",
		"https://" + strings.Repeat("a.", 130) + "example/cb": "253",
		"https://127.1/cb":                                 "another IP address",
		"https://0x7f.1/cb":                                "another IP address",
		"https://2130706433/cb":                            "another IP address",
		"https://192.0.2.01/cb":                            "another IP address",
		"https://[2001:DB8::1]/cb":                         "another IP address",
		"https://[::1/cb":                                  "another IP address",
		"https://[::ffff:127.0.0.1]/cb":                    "another IP address",
		"https://[fe80::1%25eth0]/cb":                      "another IP address",
		"https://[::1]x/cb":                                "another IP address",
		"https://app.example:/cb":                          "no port",
		"https://app.example:0/cb":                         "no port",
		"https://app.example:65536/cb":                     "no port",
		"https://app.example:x/cb":                         "no port",
		"https://app.example@evil.example":                 "no user name",
		"https://user:pass@app.example/cb":                 "no user name",
		"https://app.example/cb#":                          "no fragment",
		"https://app.example/cb#x":                         "no fragment",
		"https://*.example/cb":                             "has a *",
		"https://app.example/*":                            "has a *",
		"https://app.example/../cb":                        ". or ..",
		"https://app.example/a/./cb":                       ". or ..",
		"https://app.example/a/%2E%2e/cb":                  ". or ..",
		"https://app.example/a/.%2e":                       ". or ..",
		"https://app.example/cb?a[]=b":                     "a bracket",
		`https://app.example\cb`:                           "no address has",
		" https://app.example/cb":                          "no address has",
		"https://app.example/cb ":                          "no address has",
		"https://app.example/c b":                          "no address has",
		"https://app.example/\tcb":                         "no address has",
		"https://app.example/cb\n":                         "no address has",
		"https://app.example/cb\x00":                       "no address has",
		"https://app.example/cb\x7f":                       "no address has",
		"https://app.example/\"cb\"":                       "no address has",
		"https://app.example/{cb}":                         "no address has",
		"https://app.example/%":                            "%25",
		"https://app.example/%2":                           "%25",
		"https://app.example/%+1":                          "%25",
		"https://app.example/%zz":                          "%25",
		"https://bücher.example/cb":                        "xn--",
		"https://app.example/bücher":                       "%XX",
		"https://app.example/" + strings.Repeat("a", 1981): "too long",
		"javascript:alert(1)":                              "reversed domain name",
		"javascript://app.example/%0aalert":                "reversed domain name",
		"data:text/html,x":                                 "reversed domain name",
		"file:///etc/passwd":                               "reversed domain name",
		"myapp:/cb":                                        "reversed domain name",
		"Com.example.app:/cb":                              "reversed domain name",
		"com.example.app:cb":                               "reversed domain name",
		"com.example.app:":                                 "reversed domain name",
		"com.example.:/cb":                                 "reversed domain name",
		".com:/cb":                                         "reversed domain name",
		"com.example.app://x@y/cb":                         "no user name",
		"com.example.app:/cb#x":                            "no fragment",
	} {
		_, err := checked(func(c *openid.Client) { c.Redirects = []string{uri} })
		refused(t, fmt.Sprintf("%q", uri), err, "redirects", sentence)
		_, err = checked(func(c *openid.Client) { c.SignedOut = []string{uri} })
		refused(t, fmt.Sprintf("%q after sign-out", uri), err, "signed-out", sentence)
	}
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf("https://app%d.example/cb", i))
	}
	_, err := checked(func(c *openid.Client) { c.Redirects = many })
	refused(t, "21 redirects", err, "redirects", "at most 20")
	_, err = checked(func(c *openid.Client) { c.Redirects = nil })
	refused(t, "no redirect", err, "redirects", "there is no redirect")
	if _, err := checked(func(c *openid.Client) { c.Redirects, c.Device = nil, true }); err != nil {
		t.Errorf("a device has no redirect: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		claim, property, sentence string
		do                        func(*openid.Client)
	}{
		{"a name with a control character", "name", "can't be used", func(c *openid.Client) { c.Name = "a\x07b" }},
		{"a name that turns the text around", "name", "can't be used", func(c *openid.Client) { c.Name = "a\u202eb" }},
		{"a long name", "name", "64", func(c *openid.Client) { c.Name = strings.Repeat("a", 65) }},
		{"a home with a scheme of its own", "home", "must begin with https://", func(c *openid.Client) { c.Home = "com.example.app:/" }},
		{"a home that is a script", "home", "must begin with https://", func(c *openid.Client) { c.Home = "javascript:alert(1)" }},
		{"a back channel by plain http", "back-channel-logout", "must begin with https://", func(c *openid.Client) { c.BackChannel = "http://app.example/out" }},
		{"a back channel with a user name", "back-channel-logout", "no user name", func(c *openid.Client) { c.BackChannel = "https://a:b@app.example/out" }},
		{"an unknown way to authenticate", "authentication", "client_secret_basic, client_secret_post", func(c *openid.Client) { c.Authentication = "client_secret_jwt" }},
		{"a key without a key", "keys-file", "needs its public keys", func(c *openid.Client) { c.Authentication = openid.AuthenticatesKey }},
		{"a secret with a key", "authentication", "private_key_jwt", func(c *openid.Client) { c.Keys = json.RawMessage(`{}`) }},
		{"a public client without PKCE", "pkce", "needs PKCE", func(c *openid.Client) { c.Authentication, c.WithoutPKCE = openid.AuthenticatesNever, true }},
		{"no signature", "algorithm", "RS256 or ES256", func(c *openid.Client) { c.Algorithm = "none" }},
		{"a shared key as a signature", "algorithm", "RS256 or ES256", func(c *openid.Client) { c.Algorithm = "HS256" }},
		{"an unknown scope", "scopes", "offline_access", func(c *openid.Client) { c.Scopes = []string{"profile", "adress"} }},
		{"a scope with blanks", "scopes", "no scope", func(c *openid.Client) { c.Scopes = []string{"profile email"} }},
		{"a group with a blank", "groups", "no group can be called", func(c *openid.Client) { c.Groups = []string{"a b"} }},
	} {
		_, err := checked(row.do)
		refused(t, row.claim, err, row.property, row.sentence)
	}

	t.Run("everything that is wrong is said at once", func(t *testing.T) {
		_, err := openid.Client{Redirects: []string{"x", "https://ok.example/", "y"}, Algorithm: "none"}.Check()
		invalid, _ := errors.AsType[openid.Invalid](err)
		var properties []string
		for _, fault := range invalid {
			properties = append(properties, fault.Property)
		}
		if want := []string{"id", "redirects", "redirects", "algorithm"}; !slices.Equal(properties, want) {
			t.Errorf("got %v, want %v: %v", properties, want, err)
		}
	})
	t.Run("what may hold a password isn't repeated", func(t *testing.T) {
		_, err := checked(func(c *openid.Client) { c.Redirects = []string{"https://ann:topsecret@app.example/"} })
		if err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("it returns the client with its defaults, and in its canonical form", func(t *testing.T) {
		c, err := openid.Client{
			ID: "app", Redirects: []string{"https://app.example/cb", "https://app.example/cb"},
			BackChannel: "http://127.0.0.1:8080/out?logout=backchannel", Home: "https://app.example/start",
			Scopes: []string{"openid", "email", "email"}, Groups: []string{"Staff", "staff"},
		}.Check()
		if err != nil {
			t.Fatal(err)
		}
		if c.Name != "app" || len(c.Redirects) != 1 || c.Authentication != openid.AuthenticatesBasic || c.Algorithm != openid.RS256 ||
			!slices.Equal(c.Scopes, []string{"email"}) || !slices.Equal(c.Groups, []string{"staff"}) {
			t.Errorf("got %+v", c)
		}
		if again, err := c.Check(); err != nil || fmt.Sprint(again) != fmt.Sprint(c) {
			t.Errorf("a second check: %+v, %v", again, err)
		}
	})
}

// set returns a JSON Web Key Set with these keys.
func set(keys ...jose.JSONWebKey) json.RawMessage {
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		panic(err)
	}
	return text
}

func TestCheckKeys(t *testing.T) {
	rsaKey := func(bits int) *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ecKey := func(curve elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	edKey, _, _ := ed25519.GenerateKey(rand.Reader)
	goodRSA, goodEC := rsaKey(2048), ecKey(elliptic.P256())
	publicRSA := jose.JSONWebKey{Key: goodRSA.Public(), KeyID: "r", Algorithm: "RS256", Use: "sig"}
	publicEC := jose.JSONWebKey{Key: goodEC.Public(), KeyID: "e"}
	withMember := func(member string) json.RawMessage {
		return json.RawMessage(strings.Replace(string(set(publicRSA)), `"kty"`, member+`,"kty"`, 1))
	}
	check := func(keys json.RawMessage) (openid.Client, error) {
		return checked(func(c *openid.Client) { c.Authentication, c.Keys = openid.AuthenticatesKey, keys })
	}

	c, err := check(withMember(`"x-own":"<script>"`))
	if err != nil || strings.Contains(string(c.Keys), "script") || !strings.Contains(string(c.Keys), `"kid":"r"`) {
		t.Errorf("one RSA key: %s, %v", c.Keys, err)
	}
	if c, err = check(set(publicRSA, publicEC)); err != nil {
		t.Errorf("two keys: %v", err)
	}
	if again, err := check(c.Keys); err != nil || string(again.Keys) != string(c.Keys) {
		t.Errorf("the canonical keys are others when they are checked again: %s, %v", again.Keys, err)
	}
	for claim, row := range map[string]struct {
		keys     json.RawMessage
		sentence string
	}{
		"no JSON":               {json.RawMessage(`keys`), "no JSON Web Key Set"},
		"one key without a set": {json.RawMessage(strings.TrimSuffix(strings.TrimPrefix(string(set(publicEC)), `{"keys":[`), `]}`)), "there are 0 keys"},
		"an empty set":          {set(), "there are 0 keys"},
		"members twice":         {json.RawMessage(`{"keys":[],"keys":[]}`), "no JSON Web Key Set"},
		"11 keys":               {set(slices.Repeat([]jose.JSONWebKey{publicEC}, 11)...), "1 to 10"},
		"too many bytes":        {json.RawMessage(strings.Repeat(" ", 33<<10)), "bytes"},
		"a key that is none":    {json.RawMessage(`{"keys":["x"]}`), "no JSON Web Key"},
		"a private RSA key":     {set(jose.JSONWebKey{Key: goodRSA}), "a private key"},
		"a private EC key":      {set(jose.JSONWebKey{Key: goodEC}), "a private key"},
		"a prime of an RSA key": {withMember(`"p":"AQAB"`), "a private key"},
		"a shared key":          {set(jose.JSONWebKey{Key: []byte("0123456789abcdef")}), "a private key"},
		"a short RSA key":       {set(jose.JSONWebKey{Key: rsaKey(1024).Public()}), "1024 bits"},
		"an RSA key of 5120":    {set(jose.JSONWebKey{Key: &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(goodRSA.N, 3072), 0, 1), E: 65537}}), "at most 4096 bits"},
		"an exponent of 2":      {set(jose.JSONWebKey{Key: &rsa.PublicKey{N: goodRSA.N, E: 2}}), "exponent 2"},
		"another curve":         {set(jose.JSONWebKey{Key: ecKey(elliptic.P384()).Public()}), "P-384"},
		"an Ed25519 key":        {set(jose.JSONWebKey{Key: edKey}), "neither RSA nor EC"},
		"a point off the curve": {json.RawMessage(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`), "none that can be read"},
		"a key for encryption":  {set(jose.JSONWebKey{Key: goodEC.Public(), Use: "enc"}), "isn't for signatures"},
		"another algorithm":     {set(jose.JSONWebKey{Key: goodRSA.Public(), Algorithm: "HS256"}), "RS256 or PS256"},
		"the same kid twice":    {set(publicEC, jose.JSONWebKey{Key: goodRSA.Public(), KeyID: "e"}), "kid of another"},
		"a long kid":            {set(jose.JSONWebKey{Key: goodEC.Public(), KeyID: strings.Repeat("k", 201)}), "200 characters"},
	} {
		_, err := check(row.keys)
		refused(t, claim, err, "keys-file", row.sentence)
	}
}
