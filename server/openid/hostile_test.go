package openid_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// hostileRequests are authorization requests of a signed-in user's browser, by what is wrong with them. The answer
// is a page ("page"), or the error that the program gets.
var hostileRequests = map[string]struct {
	change func(url.Values)
	want   string
}{
	"no client":                            {del("client_id"), "page"},
	"an unknown client":                    {put("client_id", "nobody"), "page"},
	"a client in another case":             {put("client_id", "Grafana"), "page"},
	"a client with a space":                {put("client_id", "grafana "), "page"},
	"a client with a zero byte":            {put("client_id", "grafana\x00"), "page"},
	"a client of 100 kB":                   {put("client_id", strings.Repeat("a", 10_000)), "page"},
	"a client that is a path":              {put("client_id", "../grafana"), "page"},
	"a client that is markup":              {put("client_id", "<script>alert(1)</script>"), "page"},
	"two clients":                          {add("client_id", "wiki"), "page"},
	"the address of a document":            {put("client_id", "https://evil.example/client.json"), "page"},
	"no redirect":                          {del("redirect_uri"), "page"},
	"two redirects":                        {add("redirect_uri", "https://evil.example/"), "page"},
	"another host":                         {put("redirect_uri", "https://evil.example/login/generic_oauth"), "page"},
	"the host as a user":                   {put("redirect_uri", "https://grafana.example.com@evil.example/login/generic_oauth"), "page"},
	"the host as a part of another":        {put("redirect_uri", "https://grafana.example.com.evil.example/login/generic_oauth"), "page"},
	"a longer path":                        {put("redirect_uri", redirect+"/x"), "page"},
	"dots in the path":                     {put("redirect_uri", "https://grafana.example.com/x/../login/generic_oauth"), "page"},
	"encoded dots":                         {put("redirect_uri", "https://grafana.example.com/%2e%2e/login/generic_oauth"), "page"},
	"a query":                              {put("redirect_uri", redirect+"?next=https://evil.example"), "page"},
	"a fragment":                           {put("redirect_uri", redirect+"#x"), "page"},
	"a backslash":                          {put("redirect_uri", `https://grafana.example.com\@evil.example/login/generic_oauth`), "page"},
	"another scheme":                       {put("redirect_uri", strings.Replace(redirect, "https", "http", 1)), "page"},
	"a script":                             {put("redirect_uri", "javascript:alert(1)"), "page"},
	"data":                                 {put("redirect_uri", "data:text/html,x"), "page"},
	"a port":                               {put("redirect_uri", "https://grafana.example.com:8443/login/generic_oauth"), "page"},
	"a final dot":                          {put("redirect_uri", "https://grafana.example.com./login/generic_oauth"), "page"},
	"capitals":                             {put("redirect_uri", "https://GRAFANA.example.com/login/generic_oauth"), "page"},
	"a line break":                         {put("redirect_uri", redirect+"\r\nSet-Cookie: x=y"), "page"},
	"a tab":                                {put("redirect_uri", "https://grafana.example.com/login/\tgeneric_oauth"), "page"},
	"the redirect of another client":       {put("redirect_uri", "https://wiki.example.com/callback"), "page"},
	"two states":                           {add("state", "another"), "invalid_request"},
	"two scopes":                           {add("scope", "openid email"), "invalid_request"},
	"two challenges":                       {add("code_challenge", challenge), "invalid_request"},
	"a state of 10 kB":                     {put("state", strings.Repeat("a", 10_000)), "invalid_request"},
	"a nonce of 10 kB":                     {put("nonce", strings.Repeat("a", 10_000)), "invalid_request"},
	"no response type":                     {del("response_type"), "invalid_request"},
	"implicit":                             {put("response_type", "token"), "unsupported_response_type"},
	"implicit with an ID token":            {put("response_type", "id_token token"), "unsupported_response_type"},
	"hybrid":                               {put("response_type", "code id_token"), "unsupported_response_type"},
	"none":                                 {put("response_type", "none"), "unsupported_response_type"},
	"the response in a fragment":           {put("response_mode", "fragment"), "invalid_request"},
	"the response as a web message":        {put("response_mode", "web_message"), "invalid_request"},
	"no scope":                             {del("scope"), "invalid_scope"},
	"without openid":                       {put("scope", "profile email"), "invalid_scope"},
	"no challenge":                         {del("code_challenge"), "invalid_request"},
	"no challenge and no method":           {both(del("code_challenge"), del("code_challenge_method")), "invalid_request"},
	"PKCE's plain":                         {put("code_challenge_method", "plain"), "invalid_request"},
	"PKCE without a method, that is plain": {del("code_challenge_method"), "invalid_request"},
	"a short challenge":                    {put("code_challenge", "abc"), "invalid_request"},
	"a challenge of other characters":      {put("code_challenge", strings.Repeat("=", 43)), "invalid_request"},
	"a request object":                     {put("request", requestObject("https://evil.example/")), "request_not_supported"},
	"a request by address":                 {put("request_uri", "https://evil.example/request.jwt"), "request_uri_not_supported"},
	"a request in our own network":         {put("request_uri", "http://169.254.169.254/latest/meta-data/"), "request_uri_not_supported"},
	"a request that nobody pushed":         {put("request_uri", "urn:ietf:params:oauth:request_uri:AAAA"), "page"},
	"a registration":                       {put("registration", "{}"), "registration_not_supported"},
	"prompt none and login":                {put("prompt", "none login"), "invalid_request"},
	"a thousand prompts":                   {put("prompt", strings.Repeat("login ", 1000)), "invalid_request"},
	"a thousand acr values":                {put("acr_values", strings.Repeat("phr ", 1000)), "invalid_request"},
	"a negative max_age":                   {put("max_age", "-1"), "invalid_request"},
	"a max_age that is text":               {put("max_age", "soon"), "invalid_request"},
	"a max_age beyond all time":            {put("max_age", "99999999999999999999"), "invalid_request"},
	"a hint that is no token":              {put("id_token_hint", "x.y.z"), "invalid_request"},
	"a hint of 100 kB":                     {put("id_token_hint", strings.Repeat("a", 12_000)), "invalid_request"},
	"a login hint of 10 kB":                {put("login_hint", strings.Repeat("a", 10_000)), "invalid_request"},
}

func put(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }
func add(name, value string) func(url.Values) { return func(v url.Values) { v.Add(name, value) } }
func del(name string) func(url.Values)        { return func(v url.Values) { v.Del(name) } }
func both(a, b func(url.Values)) func(url.Values) {
	return func(v url.Values) { a(v); b(v) }
}

// dump returns everything that the store has, but for keys that a server makes for itself at its first use.
func (s *scene) dump() string {
	s.Helper()
	var all bytes.Buffer
	for _, kind := range store.Kinds {
		var after []byte
		for {
			records, err := s.store.Records(s.Context(), kind, after, 500)
			if err != nil {
				s.Fatal(err)
			}
			for _, r := range records {
				if !bytes.Contains(r.Key, []byte("openid-keys")) {
					fmt.Fprintf(&all, "%v %q %+v\n", kind, r.Key, r.Op)
				}
			}
			if len(records) == 0 {
				break
			}
			after = records[len(records)-1].Key
		}
	}
	return all.String()
}

func TestHostileRequests(t *testing.T) {
	wiki := clientOf(t, func(c *openid.Client) {
		c.ID, c.Name, c.Redirects = "wiki", "Wiki", []string{"https://wiki.example.com/callback"}
	})
	onEveryStoreScene(t, func(s *scene) {
		ann, stranger := s.user("ann"), s.browser()
		ann.code()
		before := s.dump()
		for what, row := range hostileRequests {
			sent := request()
			row.change(sent)
			for who, p := range map[string]*person{"ann": ann, "a stranger": stranger} {
				a := p.gets(openid.PathAuthorize + "?" + sent.Encode())
				if row.want == "page" {
					if a.status < 400 || a.status >= 500 || a.header.Get("Location") != "" || strings.Contains(a.body, "evil.example") || strings.Contains(a.body, "<script>alert") {
						s.Errorf("%s of %s: got %s", what, who, a)
					}
					continue
				}
				values := p.back(a)
				if values.Get("error") != row.want || values.Get("code") != "" {
					s.Errorf("%s of %s: got %v", what, who, values)
				}
				if description := values.Get("error_description"); strings.ContainsFunc(description, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) || description == "" {
					s.Errorf("%s: error_description is %q (RFC 6749, 4.1.2.1)", what, description)
				}
			}
		}
		if after := s.dump(); after != before {
			s.Error("something was written")
		}
	}, clientOf(t, nil), wiki)
}

// hostileExchanges are requests to the token endpoint, by what is wrong with them. They get a code that is good.
var hostileExchanges = map[string]struct {
	change func(url.Values)
	auth   func(*http.Request)
	want   string
}{
	"no grant type":                    {del("grant_type"), basic("grafana", secret), "invalid_request"},
	"a password":                       {put("grant_type", "password"), basic("grafana", secret), "unsupported_grant_type"},
	"client credentials":               {put("grant_type", "client_credentials"), basic("grafana", secret), "unsupported_grant_type"},
	"a JWT as a grant":                 {put("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), basic("grafana", secret), "unsupported_grant_type"},
	"no code":                          {del("code"), basic("grafana", secret), "invalid_grant"},
	"another code":                     {put("code", "AAAA"), basic("grafana", secret), "invalid_grant"},
	"a code of 50 kB":                  {put("code", strings.Repeat("A", 50_000)), basic("grafana", secret), "invalid_grant"},
	"two codes":                        {add("code", "x"), basic("grafana", secret), "invalid_request"},
	"no verifier: a downgrade":         {del("code_verifier"), basic("grafana", secret), "invalid_grant"},
	"an empty verifier":                {put("code_verifier", ""), basic("grafana", secret), "invalid_grant"},
	"the challenge as verifier":        {put("code_verifier", challenge), basic("grafana", secret), "invalid_grant"},
	"no redirect":                      {del("redirect_uri"), basic("grafana", secret), "invalid_grant"},
	"another redirect":                 {put("redirect_uri", redirect+"/"), basic("grafana", secret), "invalid_grant"},
	"no secret":                        {put("client_id", "grafana"), nil, "invalid_client"},
	"nobody":                           {func(url.Values) {}, nil, "invalid_client"},
	"a wrong secret":                   {func(url.Values) {}, basic("grafana", secret+"x"), "invalid_client"},
	"an empty secret":                  {func(url.Values) {}, basic("grafana", ""), "invalid_client"},
	"the hash of the secret":           {func(url.Values) {}, basic("grafana", store.HashOf(secret).String()), "invalid_client"},
	"the secret of another client":     {func(url.Values) {}, basic("grafana", wikiSecret), "invalid_client"},
	"another client, as itself":        {func(url.Values) {}, basic("wiki", wikiSecret), "invalid_grant"},
	"a public client with the code":    {put("client_id", "app"), nil, "invalid_grant"},
	"a public client with a secret":    {both(put("client_id", "app"), put("client_secret", secret)), nil, "invalid_client"},
	"two ways":                         {put("client_secret", secret), basic("grafana", secret), "invalid_request"},
	"another client_id than in Basic":  {put("client_id", "wiki"), basic("grafana", secret), "invalid_request"},
	"an assertion of a client without": {both(put("client_assertion", unsignedAssertion), put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")), nil, "invalid_client"},
	"an assertion of another type":     {both(put("client_assertion", unsignedAssertion), put("client_assertion_type", "x")), nil, "invalid_request"},
	"JSON in the place of a form":      {func(url.Values) {}, func(r *http.Request) { r.SetBasicAuth("grafana", secret); r.Header.Set("Content-Type", asJSON) }, "invalid_request"},
	"the code as a refresh token":      {func(v url.Values) { v.Set("grant_type", "refresh_token"); v.Set("refresh_token", v.Get("code")) }, basic("grafana", secret), "invalid_grant"},
	"a refresh token that nobody made": {both(put("grant_type", "refresh_token"), put("refresh_token", "AAAA")), basic("grafana", secret), "invalid_grant"},
	"the code as a device code": {func(v url.Values) {
		v.Set("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
		v.Set("device_code", v.Get("code"))
	}, basic("grafana", secret), "invalid_grant"},
}

const wikiSecret = "kp_a-secret-of-the-wiki-for-tests-0123456789"

var unsignedAssertion = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"grafana","sub":"grafana"}`)) + "."

func basic(id, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(id, secret) }
}

func TestHostileExchanges(t *testing.T) {
	wiki := clientOf(t, func(c *openid.Client) {
		c.ID, c.Name, c.Secrets = "wiki", "Wiki", []openid.Secret{{Hash: store.HashOf(wikiSecret)}}
	})
	app := clientOf(t, func(c *openid.Client) {
		c.ID, c.Name, c.Secrets, c.Authentication = "app", "App", nil, openid.AuthenticatesNever
	})
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		ann.code()
		for what, row := range hostileExchanges {
			code := ann.code()
			form := codeForm(code)
			row.change(form)
			before := s.dump()
			auth := row.auth
			if auth == nil {
				auth = func(*http.Request) {}
			}
			status, got := s.program(openid.PathToken, form, auth)
			if got.Error != row.want || got.AccessToken != "" || status < 400 || status >= 500 {
				s.Errorf("%s: got %d %+v, want %s", what, status, got, row.want)
			}
			if s.dump() != before {
				s.Errorf("%s: something was written", what)
			}
			s.exchanges(code) // still works: whoever can't use a code can't spend it
		}
	}, clientOf(t, nil), wiki, app)
}

// forged are access tokens of a sort, which userinfo must not take.
func forged(s *scene, got tokens) map[string]string {
	parts := strings.Split(got.AccessToken, ".")
	head := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	var claims map[string]any
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	json.Unmarshal(payload, &claims)
	claims["sub"] = "somebody else"
	changed, _ := json.Marshal(claims)
	kid := s.keyID(got.AccessToken)
	return map[string]string{
		"an ID token":                     got.IDToken,
		"alg none":                        head(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + ".",
		"alg none, with the signature":    head(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + "." + parts[2],
		"alg HS256 with the public key":   hmacWithPublicKey(s, kid, parts[1]),
		"other claims":                    parts[0] + "." + base64.RawURLEncoding.EncodeToString(changed) + "." + parts[2],
		"no signature":                    parts[0] + "." + parts[1] + ".",
		"another kid":                     head(`{"alg":"RS256","kid":"../../etc/passwd","typ":"at+jwt"}`) + "." + parts[1] + "." + parts[2],
		"no kid":                          head(`{"alg":"RS256","typ":"at+jwt"}`) + "." + parts[1] + "." + parts[2],
		"a key in the header":             head(`{"alg":"RS256","typ":"at+jwt","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}`) + "." + parts[1] + "." + parts[2],
		"a key's address in the header":   head(`{"alg":"RS256","typ":"at+jwt","jku":"https://evil.example/keys"}`) + "." + parts[1] + "." + parts[2],
		"a critical extension":            head(`{"alg":"RS256","kid":"`+kid+`","typ":"at+jwt","crit":["x"],"x":1}`) + "." + parts[1] + "." + parts[2],
		"ES256 with the id of an RSA key": head(`{"alg":"ES256","kid":"`+kid+`","typ":"at+jwt"}`) + "." + parts[1] + "." + parts[2],
		"a refresh token":                 got.RefreshToken,
		"nothing":                         "x",
		"100 kB":                          strings.Repeat("a", 20_000),
	}
}

func TestForgedTokens(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	got := s.exchanges(ann.code("scope", "openid offline_access"))
	s.is("the real one", s.userinfo(got.AccessToken)["sub"], ann.user.ID)
	for what, token := range forged(s, got) {
		if claims := s.userinfo(token); len(claims) > 0 {
			t.Errorf("userinfo takes %s: %v", what, claims)
		}
		status, active := s.introspects(token)
		s.is(what+", introspected", fmt.Sprint(status, active), "200 false")
	}
	s.passes(10 * time.Minute)
	s.is("after ten minutes", len(s.userinfo(got.AccessToken)), 0)
}

// TestConsentIsOnesOwn: nobody else answers for a user.
func TestConsentIsOnesOwn(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann, mallory := s.user("ann"), s.user("mallory")
		page := ann.authorizes()
		sealed := ann.field(page)
		theirs := mallory.field(mallory.authorizes())
		before := s.dump()
		answers := map[string]func() answer{
			"a form of another site": func() answer {
				return ann.sends("POST", shared.PageConsent, asForm, url.Values{"request": {sealed}, "answer": {"allow"}}.Encode(), func(r *http.Request) {
					r.Header.Set("Origin", "https://evil.example")
					r.Header.Set("Sec-Fetch-Site", "cross-site")
				})
			},
			"the form of somebody else": func() answer {
				return ann.submits(shared.PageConsent, url.Values{"request": {theirs}, "answer": {"allow"}})
			},
			"one's own in another browser": func() answer {
				return mallory.submits(shared.PageConsent, url.Values{"request": {sealed}, "answer": {"allow"}})
			},
			"no request": func() answer { return ann.submits(shared.PageConsent, url.Values{"answer": {"allow"}}) },
			"an altered request": func() answer {
				return ann.submits(shared.PageConsent, url.Values{"request": {sealed[:len(sealed)-4] + "AAAA"}, "answer": {"allow"}})
			},
			"a GET": func() answer { return ann.gets(shared.PageConsent + "?answer=allow&request=" + sealed) },
			"the form of the other page": func() answer {
				return ann.submits(shared.PageConsent, url.Values{"request": {ann.field(ann.authorizes("prompt", "login"))}, "answer": {"allow"}})
			},
			"nobody": func() answer {
				return s.browser().submits(shared.PageConsent, url.Values{"request": {sealed}, "answer": {"allow"}})
			},
			"a confirmation of another": func() answer {
				return ann.submits(shared.PageConfirmForm, url.Values{"request": {theirs}, "password": {password}})
			},
			"cancelled by the user herself": func() answer {
				return ann.submits(shared.PageConsent, url.Values{"request": {ann.field(ann.authorizes())}, "answer": {"cancel"}})
			},
		}
		s.passes(2 * time.Second)
		for what, answers := range answers {
			if a := answers(); strings.Contains(a.body, "code=") || strings.Contains(a.header.Get("Location"), "code=") {
				s.Errorf("%s gives a code: %s", what, a)
			}
		}
		if s.dump() != before {
			s.Error("something was written")
		}
		headers := page.header
		if headers.Get("X-Frame-Options") != "DENY" || !strings.Contains(headers.Get("Content-Security-Policy"), "frame-ancestors 'none'") || headers.Get("Referrer-Policy") != "no-referrer" {
			s.Errorf("the page can be put into a frame: %v", headers)
		}
		if a := ann.lets(page, "allow"); ann.back(a).Get("code") == "" {
			s.Errorf("her own answer: %s", a)
		}
	})
}

// TestLogKeepsNoSecrets: neither codes nor tokens nor secrets are in the log, whatever happens.
func TestLogKeepsNoSecrets(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	code := ann.code("scope", "openid offline_access")
	got := s.exchanges(code)
	s.program(openid.PathToken, codeForm(code))
	s.program(openid.PathToken, codeForm(code), basic("grafana", "a-wrong-secret-of-the-program"))
	ann.leaves("id_token_hint", got.IDToken)
	log := s.log.String()
	for what, secret := range map[string]string{"the code": code, "the access token": got.AccessToken, "the ID token": got.IDToken, "the refresh token": got.RefreshToken,
		"the secret": secret, "the wrong secret": "a-wrong-secret-of-the-program", "the state": "a state", "the challenge": challenge, "the verifier": verifier} {
		if strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
			t.Errorf("%s is in the log", what)
		}
	}
	if !slices.ContainsFunc(strings.Split(log, "\n"), func(line string) bool { return strings.Contains(line, "used twice") }) {
		t.Error("the log doesn't say that a code was used twice")
	}
}
